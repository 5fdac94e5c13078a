"""What a disk says about its own bytes: ascending areas of data, zeros and holes.

Areas cover a disk without gaps. A hole is an area that takes no space and reads as zeros; what a
disk cannot tell is data. ``dirty`` is None where nothing tracks changes: unknown, never clean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What reading an area gives, and whether it takes space."""

    DATA = "data"
    ZERO = "zero"
    HOLE = "hole"


@dataclass(frozen=True, slots=True)
class Area:
    """A run of a disk of one kind."""

    offset: int
    length: int
    kind: Kind
    dirty: bool | None = None

    @property
    def end(self) -> int:
        """Offset of the first byte behind it."""
        return self.offset + self.length


def areas_of(runs: Iterable[tuple[int, int]], size_bytes: int) -> Iterator[Area]:
    """Yield the areas of a disk whose ascending ``runs`` hold data and whose rest is holes."""
    at = 0
    for offset, length in runs:
        if offset > at:
            yield Area(at, offset - at, Kind.HOLE)
        yield Area(offset, length, Kind.DATA)
        at = offset + length
    if at < size_bytes:
        yield Area(at, size_bytes - at, Kind.HOLE)


def joined(areas: Iterable[Area]) -> Iterator[Area]:
    """Yield the same areas, neighbours that say the same as one."""
    last: Area | None = None
    for area in areas:
        if last and (last.kind, last.dirty, last.end) == (area.kind, area.dirty, area.offset):
            last = Area(last.offset, last.length + area.length, last.kind, last.dirty)
            continue
        if last:
            yield last
        last = area
    if last:
        yield last


def data_runs(areas: Iterable[Area]) -> Iterator[tuple[int, int]]:
    """Yield the (offset, length) runs that may hold data, as ``allocated`` wants them."""
    for area in joined(Area(one.offset, one.length, one.kind) for one in areas):
        if area.kind is Kind.DATA:
            yield area.offset, area.length
