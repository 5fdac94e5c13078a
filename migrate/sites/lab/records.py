"""Numbered records that make loss visible: what the lab's guests write, and how it is judged.

    partition 2 = [ ring header | slot 0 | slot 1 | ... ]   4 KiB pages
    record n of a VM with k disks goes to disk n mod k, there to slot (n div k) * A mod slots

For the highest record N found, every slot must hold the newest record up to N that belongs there:
an older, missing or damaged page is a loss. The header says who writes where, so it travels with
the disk, and a floor: records known to exist, so that losing the newest is seen as well.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from planner.units import SECTOR

PAGE = 4096
PARTITION_TYPE = 0x7F  # reserved for private use
_DIGEST = 32
_HEADER = struct.Struct("<8sI")
_LANE = struct.Struct("<24sIIHHQ")
_RECORD = struct.Struct("<8s24sQQ")
_MAGIC_RING, _MAGIC_RECORD = b"WHRING1\0", b"WHREC01\0"
_EMPTY = bytes(PAGE)
_MULTIPLIER = 0x9E3779B1  # odd: a permutation of any power-of-two number of slots
MAX_LANES = (PAGE - _HEADER.size - _DIGEST) // _LANE.size


class Readable(Protocol):
    """The part of a disk that a scan needs."""

    @property
    def size_bytes(self) -> int: ...
    def read_into(self, buffer: memoryview, offset: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Lane:
    """The slots of one VM on one disk. ``offset`` is the disk's byte of the ring header."""

    owner: str  # content id of the VM
    first: int
    slots: int
    index: int  # this is disk ``index`` of ``count`` of the owner
    count: int
    floor: int = 0
    offset: int = 0

    def holds(self, number: int) -> bool:
        """True when record ``number`` belongs to this disk."""
        return number % self.count == self.index

    def place(self, number: int) -> int:
        """Return the disk's byte at which record ``number`` lies."""
        slot = (number // self.count) * _MULTIPLIER % self.slots
        return self.offset + (1 + self.first + slot) * PAGE


@dataclass(frozen=True, slots=True)
class Scan:
    """What a scan of a VM's rings found. ``fault`` names a structural problem, empty = none."""

    first: int
    last: int
    missing: int
    corrupt: int
    disks: int
    floor: int
    fault: str = ""

    @property
    def complete(self) -> bool:
        """True when nothing up to ``last`` and nothing below the floor is missing."""
        return not (self.missing or self.corrupt or self.fault or self.last < self.floor)


def _hash(data: bytes | memoryview) -> bytes:
    from blake3 import blake3

    return bytes(blake3(data).digest())


def partition_entry(kind: int, start: int, length: int) -> bytes:
    """Return an MBR partition entry for bytes ``start`` to ``start + length``."""
    return struct.pack(
        "<B3sB3sII", 0, b"\xfe\xff\xff", kind, b"\xfe\xff\xff", start // SECTOR, length // SECTOR
    )


def write_header(lanes: Sequence[Lane]) -> bytes:
    """Return the page of a ring header that holds ``lanes``."""
    body = _HEADER.pack(_MAGIC_RING, len(lanes)) + b"".join(
        _LANE.pack(lane.owner.encode(), lane.first, lane.slots, lane.index, lane.count, lane.floor)
        for lane in lanes
    )
    body = body.ljust(PAGE - _DIGEST, b"\0")
    return body + _hash(body)


def read_lanes(disk: Readable) -> tuple[Lane, ...]:
    """Return everybody's lanes on a disk, none when it has no readable ring."""
    sector = _read(disk, 0, SECTOR)
    if sector[510:] != b"\x55\xaa":
        return ()
    for entry in range(446, 510, 16):
        kind, start = sector[entry + 4], int.from_bytes(sector[entry + 8 : entry + 12], "little") * SECTOR
        if kind == PARTITION_TYPE and start + PAGE <= disk.size_bytes:
            return _parse_header(_read(disk, start, PAGE), start, disk.size_bytes)
    return ()


def _parse_header(page: bytes, offset: int, size_bytes: int) -> tuple[Lane, ...]:
    magic, count = _HEADER.unpack_from(page)
    if magic != _MAGIC_RING or count > MAX_LANES or page[-_DIGEST:] != _hash(page[:-_DIGEST]):
        return ()
    lanes = []
    for number in range(count):
        owner, first, slots, index, disks, floor = _LANE.unpack_from(page, _HEADER.size + number * _LANE.size)
        end = offset + (1 + first + slots) * PAGE
        if not slots or slots & (slots - 1) or index >= disks or end > size_bytes:
            return ()
        lanes.append(Lane(owner.decode("ascii", "replace"), first, slots, index, disks, floor, offset))
    return tuple(lanes)


def with_floor(lanes: Iterable[Lane], owner: str, floor: int) -> tuple[Lane, ...]:
    """Return ``lanes`` with the owner's floor raised to ``floor``."""
    return tuple(
        replace(lane, floor=max(lane.floor, floor)) if lane.owner == owner else lane for lane in lanes
    )


def make_record(owner: str, number: int, time_ns: int) -> bytes:
    """Return the page of one record: compressible rows under a digest."""
    head = _RECORD.pack(_MAGIC_RECORD, owner.encode(), number, time_ns)
    customer, amount = number * 7919 % 100_003, number % 997
    row = f"order {number:012d} customer {customer:06d} state paid amount {amount:05d}\n".encode()
    room = PAGE - _DIGEST - len(head)
    body = head + (row * (room // len(row) + 1))[:room]
    return body + _hash(body)


def record_number(page: bytes | memoryview, owner: str) -> int | None:
    """Return the number of the owner's record in ``page``: 0 for an empty page, None when damaged."""
    magic, found, number, _ = _RECORD.unpack_from(page)
    if (
        magic == _MAGIC_RECORD
        and found == owner.encode()
        and bytes(page[-_DIGEST:]) == _hash(page[:-_DIGEST])
    ):
        return int(number)
    return 0 if bytes(page) == _EMPTY else None


def scan(disks: Iterable[Readable], owner: str) -> Scan:
    """Read every ring of ``owner`` on ``disks`` and judge it; raises OSError."""
    found: dict[int, tuple[Readable, Lane]] = {}
    for disk in disks:
        for lane in read_lanes(disk):
            if lane.owner == owner:
                found[lane.index] = (disk, lane)
    if not found:
        return Scan(0, 0, 0, 0, 0, 0, "no record ring found")
    count = max(lane.count for _, lane in found.values())
    pages = {index: _numbers(disk, lane) for index, (disk, lane) in found.items()}
    last = max((number for numbers in pages.values() for number in numbers.values() if number), default=0)
    missing = corrupt = 0
    first = last
    for index, (_, lane) in found.items():
        expected = _expected(lane, last)
        first = min([first, *expected.values()])
        for place, number in pages[index].items():
            if number is None:
                corrupt += 1
            elif number != expected.get(place, 0):
                missing += 1
    fault = f"{count - len(found)} of {count} disks with records not found" if len(found) < count else ""
    floor = max(lane.floor for _, lane in found.values())
    return Scan(first, last, missing, corrupt, len(found), floor, fault)


def _expected(lane: Lane, last: int) -> dict[int, int]:
    """Return what each used slot must hold when ``last`` is the newest record: place to number."""
    newest = last - (last - lane.index) % lane.count
    oldest = max(newest - (lane.slots - 1) * lane.count, lane.index)
    return {lane.place(number): number for number in range(oldest, newest + 1, lane.count) if number > 0}


def _numbers(disk: Readable, lane: Lane) -> dict[int, int | None]:
    start = lane.offset + (1 + lane.first) * PAGE
    data = memoryview(_read(disk, start, lane.slots * PAGE))
    return {
        start + position: record_number(data[position : position + PAGE], lane.owner)
        for position in range(0, len(data), PAGE)
    }


def _read(disk: Readable, offset: int, length: int) -> bytes:
    buffer = bytearray(length)
    disk.read_into(memoryview(buffer), offset)
    return bytes(buffer)
