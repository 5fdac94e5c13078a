"""The log of one group: writes of all its disks in one order, and marks between them.

    append, append, mark ── commit ── acknowledged          in this order, always

It does no input or output of its own: ``Files`` does. After a call that failed nobody can say what is
in the segment, so the log refuses everything from then on; it is opened anew, which finds out.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, Final

from migrate.journal.files import Files
from migrate.journal.frames import Kind, Sealer
from migrate.journal.leases import Lease, Leases, not_offered
from migrate.journal.reading import FrameReader
from migrate.journal.recovery import Found, Ref, recover
from migrate.journal.state import Checkpoint, State, checkpoint_mark, floor_mark, seal_mark
from migrate.journal.writes import Write, pack
from migrate.sites.ports import Consistency
from planner.errors import StepFailed
from planner.names import visible
from planner.units import KIB, MIB

FRAME_BYTES: Final = 256 * KIB  # of data in a frame: what one small read of an image has to unpack
SEGMENT_BYTES: Final = 64 * MIB


class JournalFailed(StepFailed):
    """A call of the journal's storage failed; what was acknowledged is kept. Open the log anew."""

    code: ClassVar[str] = "journal-failed"


class Log:
    """The log of a group. ``append`` and ``mark`` come from one thread, ``commit`` may come from another."""

    def __init__(
        self, files: Files, name: str, found: Found, *, segment_bytes: int = SEGMENT_BYTES, level: int = 1
    ) -> None:
        """Go on after ``found`` in a new segment, durably; raises OSError. ``level`` is zstd's."""
        self._files = files
        self._sealer = Sealer(name)
        self._name = name
        self._segment_bytes = segment_bytes
        self._level = level
        self._lock = threading.RLock()
        self._failed = ""
        self._frames = list(found.frames)
        self._last, self._tag = found.last, found.tag
        self._durable = found.last
        self._segment = found.segment
        self._size = 0
        self.state: State = found.state
        self.leases = Leases()
        self.reader = FrameReader(files)
        self._rotate()

    @property
    def last(self) -> int:
        """The number of the newest record, durable or not."""
        return self._last

    @property
    def durable(self) -> int:
        """The number of the newest record that is durable for certain."""
        return self._durable

    @property
    def failed(self) -> bool:
        """Whether a call of its storage failed, so that it has to be opened anew."""
        return bool(self._failed)

    def frames(self) -> tuple[Ref, ...]:
        """Return the frames in order, those not durable yet among them."""
        with self._lock:
            return tuple(self._frames)

    def append(self, writes: Iterable[Write]) -> int:
        """Append writes in their order and return the number of the last; raises OSError, JournalFailed."""
        with self._lock:
            batch: list[Write] = []
            weight = 0
            for write in writes:
                if batch and weight + write.length > FRAME_BYTES:
                    self._write(batch)
                    batch, weight = [], 0
                batch.append(write)
                weight += 0 if write.data is None else write.length
            if batch:
                self._write(batch)
            return self._last

    def mark(self, mark: Mapping[str, Any]) -> int:
        """Append a mark and return its number; ``state`` knows it at once, promise it when it is durable."""
        with self._lock:
            state = self.state.marked(mark, self._last + 1)
            self._put(Kind.MARK, 1, _plain(mark))
            self.state = state
            return self._last

    def checkpoint(
        self, at_ms: int, consistency: Consistency = Consistency.CRASH, name: str = "", cycle: str = ""
    ) -> Checkpoint:
        """Make a durable checkpoint of everything before it; raises OSError, JournalFailed."""
        with self._lock:
            mark = checkpoint_mark(at_ms, consistency, name, cycle, *self._written())
            record = self.mark(mark)
        self.commit()
        return self.state.checkpoints[record]

    def commit(self) -> int:
        """Make durable what was appended before and return its last number; raises OSError, JournalFailed."""
        with self._lock:
            self._check()
            upto, segment = self._last, self._segment
            if self._size >= self._segment_bytes:
                self._guarded(partial(self._files.sync, segment))
                self._durable = upto
                self._rotate()
                return upto
        self._guarded(partial(self._files.sync, segment))
        with self._lock:
            self._check()
            self._durable = max(self._durable, upto)
        return upto

    def lease(self, record: int) -> Lease:
        """Hold a durable checkpoint and all it stands on; raises NotFound when it is not offered."""
        with self._lock:
            if record not in self.state.checkpoints or record > self._durable:
                raise not_offered(record)
            self.leases.take(record)
            return Lease(record, tuple(self._frames), self.reader, self.leases)

    def withdraw(self, record: int) -> None:
        """Raise the floor to a durable checkpoint; raises NotFound, ProjectBusy when one before it is held.

        It is durable when this returns, and a seal behind it is its witness.
        """
        with self._lock:
            if record not in self.state.checkpoints or record > self._durable:
                raise not_offered(record)
            self.leases.check(record)
            self.mark(floor_mark(record))
        self.commit()
        self.mark(seal_mark())
        self.commit()

    def trim(self) -> int:
        """Delete the segments that hold nothing newer than what the replicas hold; return how many.

        While somebody looks at a checkpoint nothing goes.
        """
        with self._lock:
            self._check()
            if self.leases.oldest() is not None:
                return 0
            promoted = min(self.state.promoted, self._durable)
            kept = next((ref.segment for ref in self._frames if ref.header.last > promoted), self._segment)
            old = [number for number in self._files.numbers() if number < kept]
            for number in old:
                self._guarded(partial(self._files.delete, number))
            if old:
                self._guarded(self._files.sync_names)
            self._frames = [ref for ref in self._frames if ref.segment >= kept]
            return len(old)

    def _written(self) -> tuple[int, int]:
        """Return the bytes written since the last checkpoint, and what they were packed as."""
        since = max(self.state.checkpoints, default=0)
        raw = packed = 0
        for ref in reversed(self._frames):
            if ref.header.last <= since:
                break
            raw, packed = raw + ref.header.raw, packed + ref.header.data
        return raw, packed

    def _write(self, batch: Sequence[Write]) -> None:
        table, stored, raw_bytes = pack(batch, self._level)
        self._put(Kind.WRITES, len(batch), table, stored, raw_bytes)

    def _put(self, kind: Kind, count: int, table: bytes, stored: bytes = b"", raw_bytes: int = 0) -> None:
        self._check()
        raw = self._sealer.seal(
            kind,
            count=count,
            first=self._last + 1,
            durable=self._durable,
            floor=self.state.floor,
            segment=self._segment,
            previous=self._tag,
            table=table,
            data_bytes=len(stored),
            raw_bytes=raw_bytes,
        )
        header = self._sealer.parse(raw)
        assert header is not None
        self._guarded(partial(self._files.append, self._segment, (raw, table, stored)))
        self._frames.append(Ref(self._segment, self._size, header))
        self._size += header.size_bytes
        self._last, self._tag = header.last, header.tag

    def _rotate(self) -> None:
        """Begin a new segment, durably, with all that is known; everything before is durable."""
        self._segment, self._size = self._segment + 1, 0
        self._guarded(partial(self._files.create, self._segment))
        self._put(Kind.OPEN, 1, _plain(self.state.dump()))
        self._guarded(partial(self._files.sync, self._segment))
        self._guarded(self._files.sync_names)
        self._durable = self._last

    def _guarded(self, call: Callable[[], None]) -> None:
        try:
            call()
        except BaseException as error:
            self._failed = self._failed or str(error) or type(error).__name__
            raise

    def _check(self) -> None:
        if self._failed:
            raise JournalFailed(
                f"the journal of {visible(self._name)} failed before ({visible(self._failed, 100)})",
                "run again, what was acknowledged is kept",
            )


def open_log(files: Files, name: str, *, segment_bytes: int = SEGMENT_BYTES, level: int = 1) -> Log:
    """Open the log of a group, a new one where there is none; raises Rotten, JournalCorrupt, OSError."""
    found = recover(files, Sealer(name))
    return Log(files, name, found, segment_bytes=segment_bytes, level=level)


def _plain(plain: Mapping[str, Any]) -> bytes:
    return json.dumps(plain, separators=(",", ":")).encode("utf-8", "surrogatepass")
