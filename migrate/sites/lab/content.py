"""What is on a lab disk: two partitions, data in the first, rings of records at the tail.

    sector 0 | gap | partition 1: ext4, or database pages with holes | rest | partition 2: records

Disks from 1 MiB up work; the same seed gives the same bytes.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from migrate.disks.flat import FlatDisk
from migrate.sites.lab.ext4 import SystemFiles, make_ext4
from migrate.sites.lab.records import PAGE, PARTITION_TYPE, Lane, make_record, partition_entry, write_header
from planner.units import KIB, MIB

_DB_PAGE = 8 * KIB
_RUN = 512 * KIB  # database pages come in runs, as files do
_MAX_SLOTS = 1024
SMALLEST_EXT4 = 6 * MIB
_FIRST_RECORDS = 16
_TIME_NS = 1_767_225_600_000_000_000
_LINUX = 0x83


@dataclass(frozen=True, slots=True)
class Writer:
    """A VM that writes records to a disk: disk ``index`` of the ``count`` disks it has."""

    owner: str
    index: int
    count: int


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of a disk lie."""

    data: int
    data_bytes: int
    ring: int
    slots: int  # of each writer


def lay_out(size_bytes: int, writers: int) -> Layout:
    """Return the layout of a disk; raises ValueError below 1 MiB or when its writers don't fit."""
    if size_bytes < MIB:
        raise ValueError("a lab disk has at least 1 MiB")
    total = min(_MAX_SLOTS, size_bytes // 8 // PAGE)
    slots = 1 << (total // max(writers, 1)).bit_length() - 1 if total >= writers else 0
    if not slots:
        raise ValueError(f"{writers} writers do not fit on a disk of {size_bytes} bytes")
    ring = (size_bytes - (1 + slots * max(writers, 1)) * PAGE) // PAGE * PAGE
    start = MIB if size_bytes >= 8 * MIB else 64 * KIB
    return Layout(start, min(size_bytes // 2, ring - start) // PAGE * PAGE, ring, slots)


def fill(
    path: Path, writers: Sequence[Writer], seed: int, name: str, system: SystemFiles | None, tree: Path
) -> None:
    """Fill a disk of zeros; ``system`` is given for boot disks, ``tree`` is an unused path for their files.

    Raises OSError, StepFailed.
    """
    disk = FlatDisk(path, writable=True)
    try:
        layout = lay_out(disk.size_bytes, len(writers))
        if system is not None and layout.data_bytes >= SMALLEST_EXT4:
            tree.mkdir()
            # half of the partition, so that tables, journal and slack fit as well
            system.grow_tree(tree, name, seed, layout.data_bytes // 2)
            make_ext4(path, tree, layout.data, layout.data_bytes, f"{seed}/{name}")
        else:
            _fill_database(disk, layout, seed, name)
        disk.write(_boot_sector(layout, disk.size_bytes, seed, name), 0)
        _fill_ring(disk, layout, writers)
        disk.flush()
    finally:
        disk.close()


def _boot_sector(layout: Layout, size_bytes: int, seed: int, name: str) -> bytes:
    code = random.Random(f"boot/{seed}").randbytes(400).ljust(440, b"\0")  # noqa: S311 - content
    serial = random.Random(f"serial/{seed}/{name}").randbytes(4)  # noqa: S311 - content
    first = partition_entry(_LINUX, layout.data, layout.data_bytes)
    second = partition_entry(PARTITION_TYPE, layout.ring, size_bytes // 512 * 512 - layout.ring)
    return code + serial + b"\0\0" + first + second + bytes(32) + b"\x55\xaa"


def _fill_database(disk: FlatDisk, layout: Layout, seed: int, name: str) -> None:
    """Write runs of database pages over about half of the partition and leave the rest a hole."""
    source = random.Random(f"database/{seed}/{name}")  # noqa: S311 - content, not secrets
    for start in range(0, layout.data_bytes, _RUN):
        if start and source.random() < 0.5:
            continue
        length = min(_RUN, layout.data_bytes - start)
        pages = (
            _database_page(source, number)
            for number in range(start // _DB_PAGE, (start + length) // _DB_PAGE)
        )
        disk.write(b"".join(pages), layout.data + start)


def _database_page(source: random.Random, number: int) -> bytes:
    """Return a page of rows: a third random keys, the rest repeated columns, and free space."""
    head = number.to_bytes(8, "little") + source.getrandbits(64).to_bytes(8, "little") + bytes(16)
    keys = source.randbytes(40 * 64)
    columns = (
        b"|open|EUR|invoice 2026|customer of the north region|net 30|warehouse A|standard delivery|paid|"
    )
    rows = b"".join(keys[i : i + 40] + columns for i in range(0, len(keys), 40))
    return (head + rows)[:_DB_PAGE].ljust(_DB_PAGE, b"\0")


def _fill_ring(disk: FlatDisk, layout: Layout, writers: Sequence[Writer]) -> None:
    lanes = tuple(
        Lane(
            item.owner,
            number * layout.slots,
            layout.slots,
            item.index,
            item.count,
            _FIRST_RECORDS,
            layout.ring,
        )
        for number, item in enumerate(writers)
    )
    disk.write(write_header(lanes), layout.ring)
    for lane in lanes:
        for number in range(1, _FIRST_RECORDS + 1):
            if lane.holds(number):
                disk.write(make_record(lane.owner, number, _TIME_NS), lane.place(number))
