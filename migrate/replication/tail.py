"""The tail of a disk: what lies past the end of the smaller one that its beginning goes to.

    0 ──────────────── size_bytes ──────────────── the disk's own end
      what is copied               must be zeros, and no partition may reach into it

On the way out nothing is written there. A guest that grew into it, or put the second header of its GPT at
the new end, would lose that on the way home. Holes are not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from migrate.disks.extent import Extent
from migrate.disks.partitions import read_table
from migrate.disks.ports import ReadableDisk
from migrate.replication.extents import merge
from migrate.replication.zeros import is_zero
from planner.errors import PastEnd
from planner.units import MIB, SECTOR, show_bytes

_HINT = (
    "in its guest let file systems and partitions end before that, put the second header of a GPT back "
    "there, and zero what lies past it (docs/failback.md says how), then run the verb again"
)


def within(extents: Iterable[Extent], size_bytes: int) -> tuple[Extent, ...]:
    """Return what of changed areas lies before an end."""
    return tuple(
        Extent(one.offset, min(one.end, size_bytes) - one.offset)
        for one in extents
        if one.offset < size_bytes
    )


def must_be_zeros(
    disk: ReadableDisk,
    size_bytes: int,
    areas: Iterable[Extent] | None = None,
    go_on: Callable[[], None] = lambda: None,
) -> None:
    """Raise PastEnd unless nothing of a disk lies past ``size_bytes``; raises OSError.

    Only those ``areas`` are read, everything past the end without any. ``go_on`` is called about once a MiB.
    """
    if disk.size_bytes <= size_bytes:
        return
    if (at := first_past(disk, size_bytes, areas, go_on)) is not None:
        raise PastEnd(
            f"something lies past the {show_bytes(size_bytes)} ({size_bytes} bytes) that it has there, "
            f"first at byte {at}",
            _HINT,
        )
    if (end := _table_end(disk)) > size_bytes:
        raise PastEnd(
            f"its partition table reaches past the {show_bytes(size_bytes)} ({size_bytes} bytes) that it has "
            f"there, up to byte {end}",
            _HINT,
        )


def first_past(
    disk: ReadableDisk,
    size_bytes: int,
    areas: Iterable[Extent] | None = None,
    go_on: Callable[[], None] = lambda: None,
) -> int | None:
    """Return the offset of the first byte past ``size_bytes`` that is not zero, None for none."""
    buffer = bytearray(MIB)
    view = memoryview(buffer)
    for run in beyond(disk, size_bytes) if areas is None else _clipped(merge(areas), size_bytes, disk):
        for offset in range(run.offset, run.end, MIB):
            go_on()
            length = min(MIB, run.end - offset)
            disk.read_into(view[:length], offset)
            if not is_zero(buffer, 0, length):
                return offset + length - len(buffer[:length].lstrip(b"\0"))
    return None


def beyond(disk: ReadableDisk, size_bytes: int) -> Iterator[Extent]:
    """Yield the ascending runs past ``size_bytes`` that may hold data."""
    return _clipped((Extent(*run) for run in disk.allocated()), size_bytes, disk)


def _clipped(runs: Iterable[Extent], size_bytes: int, disk: ReadableDisk) -> Iterator[Extent]:
    for run in runs:
        start, end = max(run.offset, size_bytes), min(run.end, disk.size_bytes)
        if start < end:
            yield Extent(start, end - start)


def _table_end(disk: ReadableDisk) -> int:
    """Return where the last partition or the second header of a disk's table ends, 0 without a table."""
    table = read_table(disk)
    return max(table.end_bytes, table.second_at + SECTOR) if table is not None else 0
