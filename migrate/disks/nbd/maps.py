"""From the states an NBD server sends for each map to areas of the disk.

A hole that does not promise zeros is data: reading it gives whatever was there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from migrate.disks.areas import Area, Kind
from migrate.disks.nbd import numbers
from migrate.disks.nbd.handshake import Export

States = Sequence[tuple[int, int]]


def areas_in(
    export: Export, states: Mapping[int, States], offset: int, length: int, bitmap: str
) -> Iterator[Area]:
    """Yield areas from ``offset`` on, as far as every map that matters says something."""
    by_name = {export.contexts[number]: found for number, found in states.items()}
    kinds = by_name.get(numbers.ALLOCATION, [(length, 0)])
    marks = by_name.get(numbers.BITMAP_PREFIX + bitmap) if bitmap else None
    for start, end, flags, mark in _together(kinds, marks or [(length, 0)], length):
        dirty = bool(mark & numbers.STATE_DIRTY) if marks is not None else None
        yield Area(offset + start, end - start, _kind(flags), dirty)


def _kind(flags: int) -> Kind:
    if not flags & numbers.STATE_ZERO:
        return Kind.DATA
    return Kind.HOLE if flags & numbers.STATE_HOLE else Kind.ZERO


def _together(one: States, other: States, length: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (start, end, flags, other's flags) up to the end of the shorter, at most ``length``."""
    at = mine = yours = 0  # where we are, and how far the current state of each reaches
    left, right = iter(one), iter(other)
    my_flags = your_flags = 0
    while at < length:
        if mine == at:
            found = next(left, None)
            if found is None:
                return
            mine, my_flags = at + found[0], found[1]
        if yours == at:
            found = next(right, None)
            if found is None:
                return
            yours, your_flags = at + found[0], found[1]
        end = min(mine, yours, length)
        yield at, end, my_flags, your_flags
        at = end
