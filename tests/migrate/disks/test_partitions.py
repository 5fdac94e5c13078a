"""Partition tables made by nbdkit's own plugin are read, and nothing that is damaged passes for one."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk
from migrate.disks.partitions import Table, read_table, words
from tests.migrate.disks.nbd.servers import tool

KIB, MIB = 1024, 1024**2


def _made(folder: Path, kind: str) -> Path:
    """Return a disk with a partition of 1 MiB and one of 2 MiB."""
    for name, size in (("one", MIB), ("two", 2 * MIB)):
        (folder / name).touch()
        os.truncate(folder / name, size)
    disk = folder / "disk"
    tool("nbdcopy")
    subprocess.run(
        [
            *(tool("nbdkit"), "-U", "-", "partitioning", folder / "one", folder / "two"),
            *(f"partition-type={kind}", "--run", f'nbdcopy "$uri" {disk}'),
        ],
        check=True,
        capture_output=True,
    )
    return disk


def _table(path: Path) -> Table | None:
    with closing(FlatDisk(path)) as disk:
        return read_table(disk)


def test_a_gpt_and_its_second_header(tmp_path: Path) -> None:
    path = _made(tmp_path, "gpt")
    size = path.stat().st_size
    found = _table(path)
    assert found == Table("GPT", 2, 4 * MIB, size - 512, second_good=True)
    assert words(found, size, size).endswith("at sector 8224, the end of the disk")
    os.truncate(path, 2 * size)  # onto a larger LUN
    assert _table(path) == found
    assert words(found, size, 2 * size) == (
        "GPT, 2 partitions up to sector 8192; 8,225 sectors more than the disk had; its second header is at "
        "sector 8224: move it to the end with 'sgdisk -e' before a partition is added or grown"
    )


def test_a_gpt_whose_end_is_cut_off(tmp_path: Path) -> None:
    """A copy that is too short is found by its second header, and by a partition behind its end."""
    path = _made(tmp_path, "gpt")
    size = path.stat().st_size
    os.truncate(path, size - 512)
    found = _table(path)
    assert found is not None
    assert not found.second_good
    assert "where none is valid" in words(found, size - 512, size)
    os.truncate(path, 3 * MIB)
    found = _table(path)
    assert found is not None
    assert "a partition ends behind the end of the disk" in words(found, 3 * MIB, 4 * MIB)


def test_an_mbr(tmp_path: Path) -> None:
    path = _made(tmp_path, "mbr")
    found = _table(path)
    assert found == Table("MBR", 2, 4 * MIB)
    assert (
        words(found, 4 * MIB, 5 * MIB)
        == "MBR, 2 partitions up to sector 8192; 2,048 sectors more than the disk had"
    )


def test_a_gpt_of_4096_byte_sectors(tmp_path: Path) -> None:
    sector, sectors = 4096, 256
    entries = struct.pack("<16s16sQQQ72s", b"t" * 16, b"u" * 16, 6, 99, 0, b"") + bytes(3 * 128)

    def header(at: int, other: int, entries_at: int) -> bytes:
        said = struct.pack(
            "<8sIIIIQQQQ16sQIII",
            *(b"EFI PART", 0x10000, 92, 0, 0, at, other, 6, 250, b"d" * 16, entries_at, 4, 128),
            zlib.crc32(entries),
        )
        return (said[:16] + struct.pack("<I", zlib.crc32(said)) + said[20:]).ljust(sector, b"\0")

    body = bytearray(sector * sectors)
    for at, part in ((1, header(1, 255, 2)), (2, entries), (251, entries), (255, header(255, 1, 251))):
        body[at * sector : at * sector + len(part)] = part
    path = tmp_path / "disk"
    path.write_bytes(body)
    assert _table(path) == Table("GPT", 1, 100 * sector, 255 * sector, second_good=True)


def test_what_has_no_table(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    for body in (b"", bytes(64 * KIB), os.urandom(64 * KIB), b"EFI PART" * 8 * KIB):
        path.write_bytes(body)
        assert _table(path) is None
    boot = bytearray(b"\xeb\x3c\x90mkfs.fat" + b"text of a boot sector" * 30)[:512]
    boot[510:] = b"\x55\xaa"
    path.write_bytes(bytes(boot) + bytes(64 * KIB))
    assert _table(path) is None
    assert words(None, 1024, 2048) == "no partition table; 2 sectors more than the disk had"


@pytest.mark.parametrize("kind", ["gpt", "mbr"])
def test_damaged_tables_are_read_without_harm(tmp_path: Path, kind: str) -> None:
    path = _made(tmp_path, kind)
    whole, chance = path.read_bytes(), random.Random(kind)
    first = _table(path)
    unlike, spoilt = 0, (446, 512) if kind == "mbr" else (0, 34 * 512)
    for _ in range(300):
        body = bytearray(whole)
        for _ in range(chance.randrange(1, 8)):
            body[chance.randrange(*spoilt)] = chance.randrange(256)
        path.write_bytes(body)
        found = _table(path)
        unlike += found != first
        assert found is None or found.partitions <= 1024
    assert unlike > 100
