"""Where on a disk something lies: a digit for each of equal spans, how much of it, from 0 to 9.

A line of them is short enough to stand in the record for each round of each disk.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from migrate.disks.extent import Extent

SPANS: Final = 96
_FULL: Final = 9


class Tally:
    """Counts what lies where on a disk, piece by piece, in as little room as a line takes.

    ``areas`` are runs that do not touch the one before, ``longest_bytes`` is the longest. Pieces come in
    order and do not overlap; what lies behind the end of the disk is left out.
    """

    def __init__(self, size_bytes: int, count: int = SPANS) -> None:
        self._size = size_bytes
        self._taken = [0] * count
        self._end = -1
        self._run = 0
        self.areas = self.longest_bytes = 0

    def add(self, offset: int, length: int) -> None:
        """Count a piece."""
        at, end, size, count = offset, min(offset + length, self._size), self._size, len(self._taken)
        if at >= end:
            return
        self._run = end - at + (self._run if at == self._end else 0)
        self.areas += at != self._end
        self._end, self.longest_bytes = end, max(self.longest_bytes, self._run)
        while at < end:
            span = at * count // size
            until = min(end, -(-(span + 1) * size // count))
            self._taken[span] += until - at
            at = until

    def line(self) -> str:
        """Return which share of each span is taken, in ninths, rounded up: so a single byte is seen."""
        count = len(self._taken)
        return "".join(
            str(min(_FULL, -(-_FULL * count * one // self._size))) if one else "0" for one in self._taken
        )


def spans(extents: Iterable[Extent], size_bytes: int, count: int = SPANS) -> str:
    """Return which share of each of ``count`` spans of a disk these extents take; see ``Tally``."""
    return tallied(extents, size_bytes, count).line()


def tallied(extents: Iterable[Extent], size_bytes: int, count: int = SPANS) -> Tally:
    """Return the tally of extents."""
    tally = Tally(size_bytes, count)
    for extent in extents:
        tally.add(extent.offset, extent.length)
    return tally


def folded(line: str, width: int) -> str:
    """Return a line on at most ``width`` spans: each shows the fullest of those it stands for."""
    if len(line) <= width:
        return line
    ends = [number * len(line) // width for number in range(width + 1)]
    return "".join(max(line[start:end]) for start, end in pairwise(ends))
