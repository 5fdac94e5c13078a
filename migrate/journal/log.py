"""The log of one group: writes of all its disks in one order, and marks between them.

    append, append, mark ── commit ── acknowledged          in this order, always

It does no input or output of its own: ``Files`` does. After a call that failed nobody can say what is
in the segment, so the log refuses everything from then on; it is opened anew, which finds out.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, ClassVar, Final, TypeVar

from migrate.journal.allowance import Allowance
from migrate.journal.cover import MERGED_FROM
from migrate.journal.files import Files
from migrate.journal.frames import COUNT_MAX, HEADER_BYTES, Kind, Sealer
from migrate.journal.growing import Growing
from migrate.journal.leases import Lease, Leases, not_offered
from migrate.journal.reading import FrameReader
from migrate.journal.recovery import Found, Ref, recover
from migrate.journal.state import Checkpoint, State, checkpoint_mark, floor_mark, seal_mark
from migrate.journal.writes import ROW, Packed, Write, pack
from migrate.sites.consistency import Consistency
from planner.errors import StepFailed
from planner.names import visible
from planner.units import KIB, MIB

FRAME_BYTES: Final = 256 * KIB  # of data in a frame: what one small read of an image has to unpack
JOINED_MAX: Final = 64 * KIB  # a write that waits for others to share its frame
SEGMENT_BYTES: Final = 64 * MIB
SEGMENT_RECORDS: Final = 32_768  # what an image may have to index before its first read
_Made = TypeVar("_Made")


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
        self._sealer = Sealer(name, files.key)
        self._name = name
        self._segment_bytes = segment_bytes
        self._level = level
        self._lock = threading.RLock()
        self._syncing = threading.Lock()  # taken first: the kernel tells one caller only that a sync failed
        self._failed = ""
        self._frames = list(found.frames)
        self._last = found.last
        self._durable = found.last
        self._promoted = 0  # of what is durable
        self._before = 0  # the newest record of the segment before
        self._trimming = threading.Lock()
        self._joined: list[Write] = []  # which have numbers, and wait for others to share their frame
        self._joined_bytes = 0
        self.state: State = found.state
        self.leases = Leases()
        self._opened = 0  # leases taken before it are on frames that this log does not know
        self.reader = FrameReader(files)
        self.moving = threading.Lock()  # held by who moves history: one promotion or merging at a time
        self.allowance = Allowance(name)
        self._sizes = {number: files.size(number) for number in files.numbers()}
        self.size_bytes = sum(self._sizes.values())
        self.stale = found.stale  # what an earlier process left, until it is gone
        self._retired: dict[int, tuple[int, int]] = {}  # first record, and when it was given up
        self._merged = max(MERGED_FROM, *self._sizes, 0)
        self._begin(found.segment + 1, found.tag)

    @property
    def last(self) -> int:
        """The number of the newest record, durable or not."""
        with self._lock:
            return self._last + len(self._joined)

    @property
    def durable(self) -> int:
        """The number of the newest record that is durable for certain."""
        return self._durable

    @property
    def failed(self) -> bool:
        """Whether a call of its storage failed, so that it has to be opened anew."""
        return bool(self._failed)

    @property
    def full(self) -> str:
        """Why the last write was refused, empty when it was not or would not be any more."""
        with self._lock:
            return self.allowance.full(self.size_bytes)

    def frames(self) -> tuple[Ref, ...]:
        """Return the frames in order, those not durable yet among them."""
        with self._lock:
            self._write_joined()
            return tuple(self._frames)

    def reader_anew(self) -> FrameReader:
        """Return a reader that keeps nothing of what was read before."""
        return FrameReader(self._files)

    @contextmanager
    def reading(self) -> Iterator[tuple[Sequence[Ref], int]]:
        """Yield the frames there are, and how many those are: more may come, and none is deleted meanwhile.

        For short reads; what ``trim`` finds in use goes at the next one. It is no image: checkpoints may go.
        """
        with self._lock:
            self._write_joined()
            ticket = self.leases.take(self._last, image=False)
            frames, count = self._frames, len(self._frames)
        try:
            yield frames, count
        finally:
            self.leases.give_back(ticket)

    def append(self, writes: Iterable[Write]) -> int:
        """Append writes in their order and return the number of the last.

        Raises NoSpace before anything is written, OSError, JournalFailed.
        """
        writes = list(writes)
        with self._lock:
            self._write_joined()
            self.allowance.take(sum(ROW.size + len(write.data or b"") for write in writes), self.size_bytes)
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

    def join(self, write: Write) -> int:
        """Append a write as ``append`` does, in one frame with others like it; return its number.

        It is in the segment when something else is asked of the log, or when it fills a frame.
        """
        weight = ROW.size + (0 if write.data is None else write.length)
        if weight > JOINED_MAX:
            return self.append([write])
        with self._lock:
            self._check()
            if self._joined_bytes + weight > FRAME_BYTES:
                self._write_joined()
            self.allowance.take(self._joined_bytes + weight, self.size_bytes)
            data = None if write.data is None else bytes(write.data)  # the caller's buffer is used again
            self._joined.append(Write(write.disk, write.offset, write.length, data))
            self._joined_bytes += weight
            return self.last

    def append_packed(self, frames: Iterable[Packed]) -> int:
        """Append frames that were packed elsewhere, and checked, with nothing between; as ``append``."""
        frames = list(frames)
        with self._lock:
            self._write_joined()
            more = sum(HEADER_BYTES + len(frame.table) + len(frame.stored) for frame in frames)
            self.allowance.take(more, self.size_bytes)
            for frame in frames:
                self._put(Kind.WRITES, frame.count, frame.table, frame.stored, frame.raw_bytes)
            return self._last

    def mark(self, mark: Mapping[str, Any]) -> int:
        """Append a mark and return its number; ``state`` knows it at once, promise it when it is durable."""
        with self._lock:
            self._write_joined()
            state = self.state.marked(mark, self._last + 1)
            self._put(Kind.MARK, 1, _plain(mark))
            self.state = state
            return self._last

    def skip(self, record: int) -> None:
        """Give every number up to ``record`` to marks that say nothing, so that no other record has them."""
        with self._lock:
            self._write_joined()
            while record > self._last:
                self._put(Kind.MARK, min(record - self._last, COUNT_MAX), _plain(seal_mark()))

    def checkpoint(
        self, at_ms: int, consistency: Consistency = Consistency.CRASH, name: str = "", cycle: str = ""
    ) -> Checkpoint:
        """Make a durable checkpoint of everything before it; raises OSError, JournalFailed."""
        with self._lock:
            self._write_joined()
            mark = checkpoint_mark(at_ms, consistency, name, cycle, *self._written())
            record = self.mark(mark)
        self.commit()
        return self.state.checkpoints[record]

    def commit(self) -> int:
        """Make durable what was appended before and return its last number; raises OSError, JournalFailed."""
        with self._lock:
            self._write_joined()
            self._check()
            wanted = self._last
        with self._syncing:
            with self._lock:
                self._check()
                if self._durable >= wanted:  # by who synced before us
                    return self._durable
                self._write_joined()
                upto, segment, promoted = self._last, self._segment, self.state.promoted
                if segment.size_bytes >= self._segment_bytes or self._last - self._before >= SEGMENT_RECORDS:
                    self._guarded(segment.sync)
                    self._durable = upto
                    self._rotate()
                    return upto
            self._guarded(segment.sync)
            with self._lock:
                self._check()
                self._durable, self._promoted = upto, promoted
            return upto

    def lease(self, record: int) -> Lease:
        """Hold a durable checkpoint and all it stands on; raises NotFound when it is not offered."""
        with self._lock:
            if record not in self.state.checkpoints or record > self._durable:
                raise not_offered(record)
            return Lease(record, tuple(self._frames), self.reader, self.leases, self.leases.take(record))

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
        """Delete the segments that replicas hold or others stand for, and return how many.

        What somebody reads meanwhile goes at a later trim.
        """
        with self._trimming:
            with self._lock:
                self._check()
                if self.leases.needs(0, self._opened):
                    return 0
                stale, self.stale = self.stale, ()
                promoted = self._promoted
                kept = next(
                    (r.segment for r in self._frames if r.header.last > promoted), self._segment.number
                )
                self._give_up(0, next(at for at, ref in enumerate(self._frames) if ref.segment == kept))
                free = [number for number, told in self._retired.items() if not self.leases.needs(*told)]
            # durably before others: a half-made one may not outlive what it was to stand for
            return self._delete(stale) + self._delete(free)

    def end(self, why: str) -> bool:
        """Refuse everything from now on; False while a promotion or merging is under way."""
        if not self.moving.acquire(blocking=False):
            return False
        with self._lock:
            self._failed = self._failed or why
        self.moving.release()
        return True

    def heed(self, leases: Leases) -> None:
        """Leave what is there to those who look into this journal through a log that failed."""
        with self._lock:
            self.leases, self._opened = leases, leases.moment()

    def merged_number(self) -> int:
        """Return the number of a merged segment to be; no two have the same while this process lives."""
        with self._lock:
            self._merged += 1
            return self._merged

    def abandon(self, number: int) -> None:
        """Delete a merged segment that was not finished; before anything else goes."""
        with self._lock:
            self.stale += tuple(found for found in self._files.numbers() if found == number)
        self.trim()

    def replaced(self, old: Sequence[int], new: Sequence[Ref]) -> None:
        """Read ``new``, which is durable, in the place of the segments ``old``; ``moving`` keeps those."""
        with self._lock:
            self._check()
            start = next(at for at, ref in enumerate(self._frames) if ref.segment == old[0])
            end = next(at for at, ref in enumerate(self._frames) if at > start and ref.segment not in old)
            self._give_up(start, end, new)
            self._sizes[new[0].segment] = size_bytes = sum(ref.header.size_bytes for ref in new)
            self.size_bytes += size_bytes

    def _give_up(self, start: int, end: int, new: Sequence[Ref] = ()) -> None:
        """Read the frames ``start`` to ``end`` no more; their segments go when nobody needs them."""
        moment = self.leases.moment()
        for ref in self._frames[start:end]:
            self._retired.setdefault(ref.segment, (ref.header.first, moment))
        if end > start:
            self._frames = [*self._frames[:start], *new, *self._frames[end:]]

    def _delete(self, numbers: Collection[int]) -> int:
        for number in sorted(numbers):
            self._guarded(partial(self._files.delete, number))
        if numbers:
            self._guarded(self._files.sync_names)
        with self._lock:
            for number in numbers:
                self._retired.pop(number, None)
                self.size_bytes -= self._sizes.pop(number, 0)
        return len(numbers)

    def _written(self) -> tuple[int, int]:
        """Return the bytes written since the last checkpoint, and what they were packed as."""
        since = max(self.state.checkpoints, default=0)
        raw = packed = 0
        for ref in reversed(self._frames):
            if ref.header.last <= since:
                break
            raw, packed = raw + ref.header.raw, packed + ref.header.data
        return raw, packed

    def _write_joined(self) -> None:
        """Put what was joined into a frame; who only reads a log that failed does without it."""
        if self._joined and not self._failed:
            joined, self._joined, self._joined_bytes = self._joined, [], 0
            self._write(joined)

    def _write(self, batch: Sequence[Write]) -> None:
        table, stored, raw_bytes = pack(batch, self._level)
        self._put(Kind.WRITES, len(batch), table, stored, raw_bytes)

    def _put(self, kind: Kind, count: int, table: bytes, stored: bytes = b"", raw_bytes: int = 0) -> None:
        self._check()
        segment, first = self._segment, self._last + 1
        known = {"durable": self._durable, "floor": self.state.floor}
        ref = self._guarded(partial(segment.put, kind, count, first, table, stored, raw_bytes, **known))
        self._frames.append(ref)
        self._sizes[ref.segment] = segment.size_bytes
        self.size_bytes += ref.header.size_bytes
        self._last = ref.header.last

    def _rotate(self) -> None:
        """Begin a new segment, durably, with all that is known; everything before is durable."""
        self._begin(self._segment.number + 1, self._segment.tag)

    def _begin(self, number: int, tag: bytes) -> None:
        self._before = self._last
        self._segment = self._guarded(partial(Growing, self._files, self._sealer, number, tag))
        self.size_bytes -= self._sizes.pop(number, 0)
        self._put(Kind.OPEN, 1, _plain(self.state.dump()))
        self._guarded(self._segment.name)
        self._durable, self._promoted = self._last, self.state.promoted

    def _guarded(self, call: Callable[[], _Made]) -> _Made:
        try:
            return call()
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
    found = recover(files, Sealer(name, files.key))
    return Log(files, name, found, segment_bytes=segment_bytes, level=level)


def _plain(plain: Mapping[str, Any]) -> bytes:
    return json.dumps(plain, separators=(",", ":")).encode("utf-8", "surrogatepass")
