"""What lies past the end of the smaller disk is found, wherever it lies; holes are not read."""

from __future__ import annotations

import random
import struct
import zlib

import pytest

from migrate.disks.extent import Extent
from migrate.replication.tail import first_past, must_be_zeros, within
from planner.errors import PastEnd, Paused
from planner.units import KIB, MIB, SECTOR
from tests.migrate.replication.model import MemoryDisk

SIZE, TAIL = 300 * KIB + SECTOR, 2 * MIB + 3 * SECTOR
ENTRIES = 128 * 128


class Thick(MemoryDisk):
    def allocated(self):  # type: ignore[no-untyped-def]
        yield 0, len(self.seen)


def larger(*at: int, kind: type[MemoryDisk] = Thick) -> MemoryDisk:
    """Return a disk full up to SIZE, behind which a byte lies at each of these places."""
    content = bytearray(b"\1" * SIZE + bytes(TAIL))
    for one in at:
        content[one] = 7
    return kind(bytes(content))


@pytest.mark.parametrize("kind", [MemoryDisk, Thick])
@pytest.mark.parametrize("at", [SIZE, SIZE + 1, SIZE + MIB - 1, SIZE + MIB, SIZE + TAIL - 1])
def test_a_single_byte_is_found_where_it_lies(at: int, kind: type[MemoryDisk]) -> None:
    assert first_past(larger(at, SIZE + TAIL - 1, kind=kind), SIZE) == at
    with pytest.raises(PastEnd, match=rf"\({SIZE} bytes\) that it has there, first at byte {at}$"):
        must_be_zeros(larger(at, kind=kind), SIZE)


def test_zeros_and_what_lies_before_the_end_are_nothing() -> None:
    assert first_past(larger(SIZE - 1), SIZE) is None
    must_be_zeros(larger(), SIZE)
    must_be_zeros(MemoryDisk(b"\1" * SIZE), SIZE)  # as large as the other


def test_of_a_delta_only_what_changed_past_the_end_is_read() -> None:
    at = SIZE + MIB
    disk = larger(at)
    areas = (Extent(0, SIZE + 512), Extent(at + 1, TAIL))  # also past the end of the disk itself
    assert first_past(disk, SIZE, areas) is None
    assert first_past(disk, SIZE, (*areas, Extent(at - 512, 1024))) == at
    assert within((Extent(0, 512), Extent(SIZE - 512, 4096), Extent(SIZE, 512)), SIZE) == (
        Extent(0, 512),
        Extent(SIZE - 512, 512),
    )


def test_holes_are_not_read_and_a_pause_ends_a_long_look() -> None:
    class Untouched(MemoryDisk):
        def allocated(self):  # type: ignore[no-untyped-def]
            yield 0, SIZE

        def read_into(self, buffer: memoryview, offset: int) -> None:
            assert offset < SIZE
            super().read_into(buffer, offset)

    must_be_zeros(larger(kind=Untouched), SIZE)
    looks = iter(range(2))

    def go_on() -> None:
        if next(looks, None) is None:
            raise Paused("stopped", "")

    with pytest.raises(Paused):
        must_be_zeros(larger(SIZE + TAIL - 1), SIZE, go_on=go_on)


def _header(disk_bytes: int) -> bytes:
    """Return a GPT header without entries of a disk of that size, as its first sector but one."""
    other = disk_bytes // SECTOR - 1
    entries = zlib.crc32(bytes(ENTRIES))

    def packed(own: int) -> bytes:
        return struct.pack(
            "<8sIIIIQQQQ16sQIII",
            *(b"EFI PART", 0x10000, 92, own, 0, 1, other, 34, other - 33, bytes(16), 2, 128, 128, entries),
        )

    return packed(zlib.crc32(packed(0)))


def _partitioned(mbr_end: int = 0, gpt_bytes: int = 0) -> MemoryDisk:
    content = bytearray(SIZE + TAIL)
    if mbr_end:
        content[446:462] = struct.pack("<B3sB3sII", 0, bytes(3), 0x83, bytes(3), 64, mbr_end // SECTOR - 64)
        content[510:512] = b"\x55\xaa"
    if gpt_bytes:
        content[SECTOR : SECTOR + 92] = _header(gpt_bytes)
    return Thick(bytes(content))


def test_a_table_that_reaches_past_the_end_does_not_come_home_although_all_there_is_zeros() -> None:
    must_be_zeros(_partitioned(mbr_end=SIZE), SIZE)
    must_be_zeros(_partitioned(gpt_bytes=SIZE), SIZE)
    for disk, end in (
        (_partitioned(mbr_end=SIZE + SECTOR), SIZE + SECTOR),
        (_partitioned(gpt_bytes=SIZE + TAIL), SIZE + TAIL),
    ):
        assert first_past(disk, SIZE) is None
        with pytest.raises(PastEnd, match=f"its partition table reaches past .* up to byte {end}$"):
            must_be_zeros(disk, SIZE, ())


def test_whatever_lies_there_is_found_as_a_plain_search_finds_it() -> None:
    rng = random.Random(5)
    for _ in range(12):
        places = [SIZE + rng.randrange(TAIL) for _ in range(rng.randrange(3))]
        assert first_past(larger(*places, kind=rng.choice([MemoryDisk, Thick])), SIZE) == min(
            places, default=None
        )
