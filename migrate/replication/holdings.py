"""What a receiver's disk holds, told grain by grain to a sender that compares."""

from __future__ import annotations

from bisect import bisect_right

from migrate.disks.ports import ReadableDisk
from migrate.replication import wire
from migrate.replication.blocks import UNKNOWN_DIGEST, block_digest, zero_digest
from migrate.replication.extents import aligned
from migrate.replication.progress import ProgressLog
from migrate.replication.zeros import GRAIN
from migrate.sites.ports import Extent
from planner.units import MIB

ASK_MAX = 16 * MIB


class Holdings:
    """The digests of one disk, keyed for one pass by the ``nonce`` of its welcome."""

    def __init__(self, disk: ReadableDisk, log: ProgressLog, nonce: str) -> None:
        self._disk = disk
        self._log = log
        self._key = wire.derive_key("compare", nonce.encode())
        self._buffer = memoryview(bytearray(MIB))
        self._allocated: list[Extent] | None = None
        self._ends: list[int] = []

    def digests(self, offset: int, length: int) -> bytes:
        """Return what we hold in a run that starts on a grain; suspect grains equal nothing."""
        if self._allocated is None:
            self._allocated = list(aligned(self._disk.allocated(), MIB, self._disk.size_bytes))
            self._ends = [run.end for run in self._allocated]
        suspects = self._log.state.suspects
        digests = bytearray()
        for start in range(offset, offset + length, MIB):
            end = min(start + MIB, offset + length)
            at = bisect_right(self._ends, start)
            data = at < len(self._allocated) and self._allocated[at].offset < end
            if data:
                self._disk.read_into(self._buffer[: end - start], start)
            for at in range(start, end, GRAIN):
                stop = min(at + GRAIN, end)
                if any(run.offset < stop and run.end > at for run in suspects):
                    digests += UNKNOWN_DIGEST
                elif data:
                    digests += block_digest(self._buffer[at - start : stop - start], self._key)
                else:
                    digests += zero_digest(stop - at, self._key)
        return bytes(digests)
