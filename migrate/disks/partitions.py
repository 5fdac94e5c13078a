"""Where the partitions of a disk end, and where its second table lies: what a change of its size touches.

    sector 0      MBR: four entries, or one that only says "GPT"
    sector 1      GPT header: where the entries are, where the second header is, checksums of both
    last sector   second GPT header, of the disk as it was when it was partitioned

A disk that grew keeps its second header where it was: guests run, and complain or refuse to add partitions
until somebody moves it. All of this is the guest's own and read with distrust (UEFI 2.10, chapter 5.3).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from migrate.disks.ports import ReadableDisk
from planner.units import SECTOR, show_count

_SIGNATURE = b"EFI PART"
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQ")
_MBR_ENTRY = struct.Struct("<B3sB3sII")
_MBR_AT, _MBR_END = 446, b"\x55\xaa"
_PROTECTIVE = 0xEE
_ENTRIES_MAX_BYTES = 1024 * 1024
_SECTORS = (SECTOR, 4096)  # as a disk may tell its guests


@dataclass(frozen=True, slots=True)
class Table:
    """A partition table; byte counts from the start of the disk. ``second_at`` is -1 for an MBR.

    ``second_good`` says whether a valid second header lies where the first one says.
    """

    kind: str
    partitions: int
    end_bytes: int
    second_at: int = -1
    second_good: bool = False


@dataclass(frozen=True, slots=True)
class _Header:
    at: int  # sector
    other: int
    entries_at: int
    count: int
    entry_bytes: int
    entries_sum: int


def read_table(disk: ReadableDisk) -> Table | None:
    """Return a disk's partition table, None when it has none that is valid; raises OSError."""
    for sector in _SECTORS:
        header = _header(disk, sector, 1)
        if header is not None and (table := _gpt(disk, sector, header)) is not None:
            return table
    return _mbr(disk)


def words(table: Table | None, size_bytes: int, now_bytes: int) -> str:
    """Return one sentence on the table of a disk that had ``size_bytes`` and lies on ``now_bytes``."""
    more = (now_bytes - size_bytes) // SECTOR
    said = f"{_shown(table)}; {show_count(more, 'sector')} more than the disk had"
    if table is None:
        return said
    if table.end_bytes > size_bytes:
        said += "; a partition ends behind the end of the disk: it was damaged before"
    if table.kind != "GPT":
        return said
    where = f"its second header is at sector {table.second_at // SECTOR}"
    if not table.second_good:
        return f"{said}; {where}, where none is valid: it was damaged before, repair it with 'sgdisk -e'"
    if table.second_at + SECTOR * 8 < now_bytes:
        return f"{said}; {where}: move it to the end with 'sgdisk -e' before a partition is added or grown"
    return f"{said}; {where}, the end of the disk"


def words_at_home(table: Table | None, had_bytes: int, size_bytes: int) -> str:
    """Return one sentence on the table of a disk that came home to ``size_bytes`` from ``had_bytes``."""
    less = (had_bytes - size_bytes) // SECTOR
    said = f"{_shown(table)}; {show_count(less, 'sector')} past its end stayed behind, all of them zeros"
    if table is None or table.kind != "GPT":
        return said
    if table.second_good:
        return f"{said}; its second header is at sector {table.second_at // SECTOR}"
    return f"{said}; no valid second header is within it: write one with 'sgdisk -e'"


def _shown(table: Table | None) -> str:
    if table is None:
        return "no partition table"
    end = table.end_bytes // SECTOR
    return f"{table.kind}, {show_count(table.partitions, 'partition')} up to sector {end}"


def _read(disk: ReadableDisk, offset: int, length: int) -> bytes:
    if offset < 0 or offset + length > disk.size_bytes:
        return b""
    buffer = bytearray(length)
    disk.read_into(memoryview(buffer), offset)
    return bytes(buffer)


def _header(disk: ReadableDisk, sector: int, at: int) -> _Header | None:
    """Return the GPT header in a sector, None when none is valid there."""
    raw = _read(disk, at * sector, sector)
    if len(raw) < _HEADER.size or not raw.startswith(_SIGNATURE):
        return None
    _, _, size, said, _, here, other, _, _, _, entries, count, each, entries_sum = _HEADER.unpack_from(raw)
    if not _HEADER.size <= size <= sector or here != at:
        return None
    if zlib.crc32(raw[:16] + bytes(4) + raw[20:size]) != said:
        return None
    if each < _ENTRY.size or not 0 < count * each <= _ENTRIES_MAX_BYTES:
        return None
    return _Header(here, other, entries, count, each, entries_sum)


def _gpt(disk: ReadableDisk, sector: int, header: _Header) -> Table | None:
    raw = _read(disk, header.entries_at * sector, header.count * header.entry_bytes)
    if not raw or zlib.crc32(raw) != header.entries_sum:
        return None
    ends = []
    for at in range(0, len(raw), header.entry_bytes):
        kind, _, _, last = _ENTRY.unpack_from(raw, at)
        if any(kind):
            ends.append((last + 1) * sector)
    second = _header(disk, sector, header.other)
    good = second is not None and (second.other, second.entries_sum) == (header.at, header.entries_sum)
    return Table("GPT", len(ends), max(ends, default=0), header.other * sector, good)


def _mbr(disk: ReadableDisk) -> Table | None:
    """Return the table in the first sector; a boot sector without one has no valid entries."""
    raw = _read(disk, 0, SECTOR)
    if not raw.endswith(_MBR_END):
        return None
    ends = []
    for number in range(4):
        flag, _, kind, _, first, count = _MBR_ENTRY.unpack_from(raw, _MBR_AT + number * _MBR_ENTRY.size)
        if flag not in (0x00, 0x80) or kind == _PROTECTIVE:
            return None
        if kind and first and count:
            ends.append((first + count) * SECTOR)
    return Table("MBR", len(ends), max(ends)) if ends else None
