"""What a pass has to look at, in ascending order: runs to read and gaps to declare.

The items cover the whole disk except what the receiver already holds for this pass, so that the
receiver can check at the end that nothing was left out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator

from migrate.disks.extent import Extent
from migrate.disks.ports import ReadableDisk
from migrate.replication.blocks import Item
from migrate.replication.extents import aligned, cut, subtract, walk
from migrate.replication.passes import Mode
from migrate.replication.wire import DIGEST_BYTES, Kind
from migrate.replication.zeros import GRAIN
from planner.units import KIB, MIB

COMPARE_BYTES = 16 * MIB  # how much is asked for at once when comparing
assert COMPARE_BYTES // GRAIN * DIGEST_BYTES <= 256 * KIB


def reads(disk: ReadableDisk, mode: Mode, size_bytes: int, extents: tuple[Extent, ...]) -> Iterator[Extent]:
    """Yield the ascending runs of the source that a pass reads; holes of a seed are not read."""
    if mode is Mode.DELTA:
        yield from extents
    else:
        yield from aligned(_inside(disk.allocated(), size_bytes), GRAIN, size_bytes)


def items(
    found: Iterable[Extent],
    *,
    mode: Mode,
    size_bytes: int,
    held: tuple[Extent, ...],
    fresh: bool,
    block_bytes: int,
) -> Iterator[Item]:
    """Yield the items of a pass; ``found`` are the runs to read, ``held`` what the receiver has.

    Gaps of a seed are zeros, unless the target was empty; gaps of a delta stay as they are. In a
    comparison everything is cut, for all of it is compared: what is read into blocks.
    """
    gap = Kind.ZERO if mode is Mode.SEED and not fresh else Kind.KEEP
    for extent, inside in walk(found, size_bytes):
        for left in subtract((extent,), held):
            if inside or mode is Mode.COMPARE:
                for part in cut(left, block_bytes if inside else COMPARE_BYTES):
                    yield Item(part.offset, part.length, read=inside)
            else:
                yield Item(left.offset, left.length, read=False, gap=gap)


def stretches(plan: Iterable[Item]) -> Iterator[list[Item]]:
    """Group adjacent items into stretches, each starts on a grain and has ``COMPARE_BYTES`` at most."""
    stretch: list[Item] = []
    for item in plan:
        apart = bool(stretch) and stretch[-1].offset + stretch[-1].length != item.offset
        if stretch and (apart or item.offset + item.length - stretch[0].offset > COMPARE_BYTES):
            yield stretch
            stretch = []
        stretch.append(item)
    if stretch:
        yield stretch


def touches(stretch: list[Item], extents: tuple[Extent, ...]) -> bool:
    """True when a stretch has a byte in one of the extents, which are merged and ascending."""
    at = bisect_right(extents, stretch[0].offset, key=lambda extent: extent.end)
    return at < len(extents) and extents[at].offset < stretch[-1].offset + stretch[-1].length


def _inside(runs: Iterable[tuple[int, int]], size_bytes: int) -> Iterator[tuple[int, int]]:
    for offset, length in runs:
        if offset < size_bytes:
            yield offset, min(length, size_bytes - offset)
