"""Flat disks: whole reads and writes, holes, and a failed flush that stays failed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk

KIB = 1024


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "disk.img"
    target.touch()
    os.truncate(target, 1024 * KIB)
    return target


def read(disk: FlatDisk, offset: int, length: int) -> bytes:
    buffer = bytearray(length)
    disk.read_into(memoryview(buffer), offset)
    return bytes(buffer)


def test_what_is_written_is_read(path: Path) -> None:
    disk = FlatDisk(path, writable=True)
    disk.write(b"wherry" * 100, 4093)
    disk.write(memoryview(bytearray(b"end")), 1024 * KIB - 3)
    disk.flush()
    disk.close()
    again = FlatDisk(path)
    assert again.size_bytes == 1024 * KIB
    assert read(again, 4093, 600) == b"wherry" * 100
    assert read(again, 1024 * KIB - 3, 3) == b"end"
    again.close()
    again.close()


def test_only_written_runs_are_allocated_and_zeroed_runs_become_holes(path: Path) -> None:
    disk = FlatDisk(path, writable=True)
    assert list(disk.allocated()) == []
    disk.write(b"x" * 64 * KIB, 128 * KIB)
    disk.write(b"y" * 64 * KIB, 512 * KIB)
    disk.flush()
    if path.stat().st_blocks * 512 > 900 * KIB:
        pytest.skip("not run: this file system makes no holes")
    assert list(disk.allocated()) == [(128 * KIB, 64 * KIB), (512 * KIB, 64 * KIB)]
    disk.zero(128 * KIB, 64 * KIB)
    assert list(disk.allocated()) == [(512 * KIB, 64 * KIB)]
    disk.zero(512 * KIB + 1, 100)
    assert read(disk, 512 * KIB, 102) == b"y" + bytes(100) + b"y"
    disk.zero(0, 0)
    disk.close()


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (1024 * KIB, 1), (1024 * KIB - 1, 2)])
def test_nothing_outside_the_disk_is_touched(path: Path, offset: int, length: int) -> None:
    disk = FlatDisk(path, writable=True)
    for act in (
        lambda: disk.write(b"x" * length, offset),
        lambda: disk.zero(offset, length),
        lambda: read(disk, offset, length),
    ):
        with pytest.raises(OSError, match="outside") as caught:
            act()
        assert caught.value.errno == errno.EINVAL
    assert path.stat().st_size == 1024 * KIB
    disk.close()


def test_a_failed_flush_is_final() -> None:
    disk = FlatDisk(Path("/dev/null"), writable=True)  # a device that cannot sync
    with pytest.raises(OSError):
        disk.flush()
    for act in (disk.flush, lambda: disk.write(b"", 0), lambda: list(disk.allocated())):
        with pytest.raises(OSError, match="failed to flush before"):
            act()
    disk.close()


def test_links_are_refused_and_a_closed_disk_says_so(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.img"
    link.symlink_to(path)
    with pytest.raises(OSError):
        FlatDisk(link)
    disk = FlatDisk(path)
    disk.close()
    with pytest.raises(OSError, match="closed"):
        disk.read_into(memoryview(bytearray(1)), 0)
    with pytest.raises(OSError):
        FlatDisk(path).write(b"x", 0)
