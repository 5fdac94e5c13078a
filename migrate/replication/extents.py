"""Runs of bytes on a disk: merge, subtract, cut and walk them.

Everything here is pure and keeps ascending order. A *run* is an ``(offset, length)`` pair as disks
yield them; an ``Extent`` is the same thing with a name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migrate.disks.extent import Extent
from migrate.replication.zeros import GRAIN
from planner.errors import BadInput


def merge(extents: Iterable[Extent]) -> tuple[Extent, ...]:
    """Return the same bytes as sorted extents that neither touch nor overlap; empty ones vanish."""
    merged: list[Extent] = []
    for extent in sorted(extents, key=lambda item: item.offset):
        if extent.length <= 0:
            continue
        if merged and extent.offset <= merged[-1].end:
            last = merged[-1]
            merged[-1] = Extent(last.offset, max(last.end, extent.end) - last.offset)
        else:
            merged.append(extent)
    return tuple(merged)


def checked(extents: Iterable[Extent], size_bytes: int) -> tuple[Extent, ...]:
    """Return the extents merged; raises BadInput when one lies outside a disk of that size."""
    known = tuple(extents)
    for extent in known:
        if extent.offset < 0 or extent.length < 0 or extent.end > size_bytes:
            raise BadInput(
                f"changed area {extent.offset}+{extent.length} lies outside a disk of {size_bytes} bytes",
                "compare the digests of both sides instead of trusting this change map",
            )
    return merge(known)


def subtract(extents: Iterable[Extent], held: tuple[Extent, ...]) -> Iterator[Extent]:
    """Yield what of ascending ``extents`` is not in ``held`` (merged, ascending)."""
    at = 0
    for extent in extents:
        start = extent.offset
        while at < len(held) and held[at].end <= start:
            at += 1
        look = at
        while look < len(held) and held[look].offset < extent.end:
            if held[look].offset > start:
                yield Extent(start, held[look].offset - start)
            start = max(start, held[look].end)
            look += 1
        if start < extent.end:
            yield Extent(start, extent.end - start)


def cut(extent: Extent, block_bytes: int) -> Iterator[Extent]:
    """Yield the extent in pieces that end on multiples of ``block_bytes``."""
    start = extent.offset
    while start < extent.end:
        end = min((start // block_bytes + 1) * block_bytes, extent.end)
        yield Extent(start, end - start)
        start = end


def aligned(runs: Iterable[tuple[int, int]], grain: int, size_bytes: int) -> Iterator[Extent]:
    """Yield ascending runs widened to multiples of ``grain``, joined where they touch then."""
    start = end = -1
    for offset, length in runs:
        low = offset // grain * grain
        high = min(-(-(offset + length) // grain) * grain, size_bytes)
        if low > end or end < 0:
            if end > start >= 0:
                yield Extent(start, end - start)
            start, end = low, high
        else:
            end = max(end, high)
    if end > start >= 0:
        yield Extent(start, end - start)


def whole_grains(extents: Iterable[Extent], size_bytes: int) -> Iterator[Extent]:
    """Yield merged extents without the grains that they hold in part only."""
    for extent in extents:
        low = -(-extent.offset // GRAIN) * GRAIN
        high = extent.end if extent.end >= size_bytes else extent.end // GRAIN * GRAIN
        if high > low:
            yield Extent(low, high - low)


def walk(extents: Iterable[Extent], size_bytes: int) -> Iterator[tuple[Extent, bool]]:
    """Yield the whole disk in order as (extent, inside): ascending ``extents`` and the gaps between."""
    at = 0
    for extent in extents:
        if extent.offset > at:
            yield Extent(at, extent.offset - at), False
        yield extent, True
        at = extent.end
    if at < size_bytes:
        yield Extent(at, size_bytes - at), False


class ExtentSet:
    """A growing set of extents, bounded so that a hostile peer cannot make it large."""

    def __init__(self, extents: Iterable[Extent] = (), limit: int = 16_384) -> None:
        self._extents = list(merge(extents))
        self._limit = limit

    def add(self, offset: int, length: int) -> None:
        """Add a run; raises BadInput when the set would exceed its limit."""
        if length <= 0:
            return
        if self._extents and self._extents[-1].end == offset:  # the usual case: passes go upwards
            last = self._extents[-1]
            self._extents[-1] = Extent(last.offset, last.length + length)
            return
        self._extents.append(Extent(offset, length))
        if len(self._extents) > 1 and self._extents[-2].end >= offset:
            self._extents = list(merge(self._extents))
        if len(self._extents) > self._limit:
            self._extents = list(merge(self._extents))
            if len(self._extents) > self._limit:
                raise BadInput(
                    f"a pass is scattered over more than {self._limit} runs", "send it in ascending order"
                )

    def extents(self) -> tuple[Extent, ...]:
        """Return the set as merged, ascending extents."""
        self._extents = list(merge(self._extents))
        return tuple(self._extents)

    def covers(self, size_bytes: int) -> bool:
        """True when every byte of a disk of that size is in the set."""
        whole = self.extents()
        return size_bytes == 0 or (len(whole) == 1 and whole[0].offset == 0 and whole[0].end >= size_bytes)
