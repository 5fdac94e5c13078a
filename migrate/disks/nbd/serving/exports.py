"""What is served: disks under names."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from migrate.disks.nbd.numbers import STATE_HOLE, STATE_ZERO, Can
from migrate.disks.ports import ReadableDisk, WritableDisk


@dataclass(frozen=True, slots=True)
class Export:
    """A disk to serve; ``writable`` is the same disk when clients may write to it.

    The map of a disk that cannot be written is read once, when a client first asks for it.
    """

    disk: ReadableDisk
    writable: WritableDisk | None = None
    _runs: list[tuple[int, int]] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        """Size of the disk."""
        return self.disk.size_bytes

    @property
    def can(self) -> Can:
        """What clients are told that it can do."""
        can = Can.HAS_FLAGS | Can.FLUSH | Can.FUA
        if self.writable is None:
            return can | Can.READ_ONLY
        return can | Can.TRIM | Can.WRITE_ZEROES

    @property
    def has_map(self) -> bool:
        """Whether clients may ask what is allocated."""
        return self.writable is None

    def states(self, offset: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield (length, state) of the runs from ``offset`` to ``end``; raises OSError."""
        if not self._runs:
            self._runs.extend(self.disk.allocated())
        first = max(bisect_right(self._runs, (offset, 2**63)) - 1, 0)
        for start, length in islice(self._runs, first, None):
            if start >= end:
                break
            if start > offset:
                yield start - offset, STATE_HOLE | STATE_ZERO
                offset = start
            stop = min(start + length, end)
            if stop > offset:
                yield stop - offset, 0
                offset = stop
        if offset < end:
            yield end - offset, STATE_HOLE | STATE_ZERO
