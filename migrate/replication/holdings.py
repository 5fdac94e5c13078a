"""What a receiver's disk holds, told grain by grain to a sender that compares.

Digests are made beside the thread that receives, in the order they were asked for. A sender that asks
ahead says so, and gets its answers a little later: meanwhile its frames are taken in.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor

from migrate.disks.extent import Extent
from migrate.disks.ports import ReadableDisk
from migrate.replication import buffers
from migrate.replication.blocks import UNKNOWN_DIGEST
from migrate.replication.buffers import Buffer
from migrate.replication.extents import aligned
from migrate.replication.pipeline import Later, later
from migrate.replication.progress import ProgressLog
from migrate.replication.sums import Sums
from migrate.replication.wire import DIGEST_BYTES, FINE, WireError
from migrate.replication.zeros import GRAIN
from planner.units import MIB

ASK_MAX = 16 * MIB
_TASK = 4 * MIB  # what a thread hashes in one go: handing it over costs as much for less


class Holdings:
    """The digests of one disk, which are the ``sums`` of one pass.

    ``hasher`` makes them in threads of its own, ours to end; without one they are made when told.
    """

    def __init__(
        self, disk: ReadableDisk, log: ProgressLog, sums: Sums, size_bytes: int, hasher: Executor | None
    ) -> None:
        self._disk = disk
        self._log = log
        self._sums = sums
        self._size_bytes = size_bytes
        self._hasher = hasher
        self._local = threading.local()
        self._over = False
        self._asked: deque[tuple[int, list[Later[bytes]]]] = deque()
        self._allocated: list[Extent] | None = None
        self._ends: list[int] = []

    def ask(self, offset: int, length: int) -> None:
        """Begin with a run; raises WireError for one that nobody may ask for."""
        if offset % GRAIN or not 0 < length <= ASK_MAX or offset + length > self._size_bytes:
            raise WireError("a peer asked for digests it may not ask for")
        if self._allocated is None:
            self._allocated = list(aligned(self._disk.allocated(), MIB, self._disk.size_bytes))
            self._ends = [run.end for run in self._allocated]
        end = offset + length
        parts = [(start, min(start + _TASK, end)) for start in range(offset, end, _TASK)]
        self._asked.append(
            (
                offset,
                [
                    later(self._hasher if self._holds_data(*part) else None, self._digests, *part)
                    for part in parts
                ],
            )
        )

    def told(self, held_back: int) -> Iterator[tuple[int, bytes]]:
        """Yield (offset, digests) of what was asked, the oldest first, until so many wait; raises OSError."""
        while len(self._asked) > held_back:
            offset, parts = self._asked.popleft()
            yield offset, b"".join(part() for part in parts)

    def finely(self, offset: int, wanted: bytes) -> bytes:
        """Return the digests of each 4 KiB of the ``wanted`` grains, a bit for each from ``offset`` on.

        At once: who compares asks of what was just read. Raises WireError for what nobody may ask, OSError.
        """
        bits = int.from_bytes(wanted, "little")
        last = offset + (bits.bit_length() - 1) * GRAIN
        if offset % GRAIN or not bits & 1 or last >= self._size_bytes:
            raise WireError("a peer asked for digests it may not ask for")
        told = bytearray()
        for index in range(bits.bit_length()):
            if bits >> index & 1:
                at = offset + index * GRAIN
                told += self._fine(at, min(at + GRAIN, self._size_bytes))
        return bytes(told)

    def _fine(self, start: int, end: int) -> bytes:
        return self._doubted(start, end, self._sums.of(self._read(start, end), FINE), FINE)

    def close(self) -> None:
        """Wait until nobody reads the disk any more."""
        self._over = True
        if self._hasher is not None:
            self._hasher.shutdown(wait=True)

    def _digests(self, start: int, end: int) -> bytes:
        """Return what we hold in a run."""
        return b"".join(self._held(at, min(at + MIB, end)) for at in range(start, end, MIB))

    def _held(self, start: int, end: int) -> bytes:
        """Return what we hold in 1 MiB at most; suspect grains equal nothing."""
        if self._over:
            return b""
        if self._holds_data(start, end):
            digests = self._sums.of(self._read(start, end))
        else:
            digests = self._sums.of_zeros(end - start)
        return self._doubted(start, end, digests, GRAIN)

    def _doubted(self, start: int, end: int, digests: bytes, grain: int) -> bytes:
        """Return the digests with those of suspect bytes made to equal nothing."""
        suspects = [run for run in self._log.state.suspects if run.offset < end and run.end > start]
        if not suspects:
            return digests
        doubted = bytearray(digests)
        for index, at in enumerate(range(start, end, grain)):
            if any(run.offset < min(at + grain, end) and run.end > at for run in suspects):
                doubted[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES] = UNKNOWN_DIGEST
        return bytes(doubted)

    def _holds_data(self, start: int, end: int) -> bool:
        assert self._allocated is not None, "somebody asked"
        at = bisect_right(self._ends, start)
        return at < len(self._allocated) and self._allocated[at].offset < end

    def _read(self, start: int, end: int) -> memoryview:
        buffer: Buffer | None = getattr(self._local, "buffer", None)
        if buffer is None:
            buffer = self._local.buffer = buffers.lend()
        view = buffer.view[: end - start]
        self._disk.read_into(view, start)
        return view
