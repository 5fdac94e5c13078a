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


def spans(extents: Iterable[Extent], size_bytes: int, count: int = SPANS) -> str:
    """Return which share of each of ``count`` spans of a disk these extents take, in ninths, rounded up.

    So a single byte is seen. Extents do not overlap; what lies behind the end of the disk is left out.
    """
    taken: dict[int, int] = {}
    for extent in extents:
        at, end = extent.offset, min(extent.end, size_bytes)
        while at < end:
            span = at * count // size_bytes
            until = min(end, -(-(span + 1) * size_bytes // count))
            taken[span] = taken.get(span, 0) + until - at
            at = until
    digits = ["0"] * count
    for span, one in taken.items():
        digits[span] = str(min(_FULL, -(-_FULL * count * one // size_bytes)))
    return "".join(digits)


def folded(line: str, width: int) -> str:
    """Return a line on at most ``width`` spans: each shows the fullest of those it stands for."""
    if len(line) <= width:
        return line
    ends = [number * len(line) // width for number in range(width + 1)]
    return "".join(max(line[start:end]) for start, end in pairwise(ends))
