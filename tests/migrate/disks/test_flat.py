"""Flat disks: whole reads and writes, holes, and a failed flush that stays failed."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from migrate.disks.areas import Area, Kind
from migrate.disks.flat import FlatDisk, zero_range
from tests.migrate.disks.remembered import is_cached, is_memory

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


def test_areas_are_data_and_holes_and_cover_the_disk(path: Path) -> None:
    disk = FlatDisk(path, writable=True)
    assert disk.sector_bytes == 512
    disk.write(b"x" * 64 * KIB, 128 * KIB)
    disk.flush()
    if path.stat().st_blocks * 512 > 900 * KIB:
        pytest.skip("not run: this file system makes no holes")
    assert list(disk.areas()) == [
        Area(0, 128 * KIB, Kind.HOLE),
        Area(128 * KIB, 64 * KIB, Kind.DATA),
        Area(192 * KIB, 832 * KIB, Kind.HOLE),
    ]
    disk.close()


@pytest.mark.parametrize("ways", [(), ("unsupported",), ("unsupported", "zero"), ("misaligned", "zero")])
def test_zeroing_falls_back_until_it_works(path: Path, ways: tuple[str, ...]) -> None:
    def unsupported(fd: int, offset: int, length: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "no")

    def misaligned(fd: int, offset: int, length: int) -> None:
        raise OSError(errno.EINVAL, "no")

    named = {"unsupported": unsupported, "misaligned": misaligned, "zero": zero_range}
    disk = FlatDisk(path, writable=True, clearing=tuple(named[way] for way in ways))
    disk.write(b"x" * 64 * KIB, 0)
    disk.zero(1000, 9000)
    assert read(disk, 999, 9002) == b"x" + bytes(9000) + b"x"
    disk.close()


def test_zeroing_that_fails_is_not_hidden(path: Path) -> None:
    def broken(fd: int, offset: int, length: int) -> None:
        raise OSError(errno.EIO, "no")

    disk = FlatDisk(path, writable=True, clearing=(broken,))
    with pytest.raises(OSError, match="no"):
        disk.zero(0, 512)
    disk.close()


def test_a_block_device_tells_its_size_and_sectors_and_is_zeroed(path: Path) -> None:
    losetup = shutil.which("losetup") or "/sbin/losetup"
    made = subprocess.run(
        [losetup, "--find", "--show", "--sector-size=4096", path],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("not run: this user cannot make loop devices")
    device = Path(made.stdout.strip())
    try:
        disk = FlatDisk(device, writable=True)
        assert (disk.size_bytes, disk.sector_bytes) == (1024 * KIB, 4096)
        disk.write(b"x" * 64 * KIB, 0)
        disk.zero(4096, 8192)
        disk.zero(20000, 100)
        disk.flush()
        assert read(disk, 4095, 8194) == b"x" + bytes(8192) + b"x"
        assert read(disk, 19999, 102) == b"x" + bytes(100) + b"x"
        assert list(disk.allocated()) == [(0, 1024 * KIB)]
        disk.close()
    finally:
        subprocess.run([losetup, "--detach", device], check=True)


def test_a_pipe_or_folder_is_no_disk(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(OSError, match="neither a file nor a device"):
            FlatDisk(path)


def test_a_disk_opened_to_write_is_read_from_the_medium_not_from_pages_of_before(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"x" * 8192)
        os.fsync(file.fileno())
        try:
            _cached(file.fileno())
        except OSError as error:
            pytest.skip(f"not run: this file system does not tell what it has in memory: {error}")
        FlatDisk(path).close()
        assert _cached(file.fileno())
        FlatDisk(path, writable=True).close()
        assert not _cached(file.fileno())


def _cached(fd: int) -> bool:
    try:
        return os.preadv(fd, [bytearray(4096)], 0, os.RWF_NOWAIT) == 4096
    except BlockingIOError:
        return False


def test_what_was_written_at_length_leaves_memory_when_it_is_durable(tmp_path: Path) -> None:
    path = tmp_path / "large.img"
    path.touch()
    os.truncate(path, 16 * 1024 * KIB)
    disk = FlatDisk(path, writable=True)
    disk.write(b"a" * 4 * KIB, 0)
    disk.flush()
    if not is_cached(path, 0):
        pytest.skip("not run: this file system keeps nothing in memory")
    disk.write(os.urandom(9 * 1024 * KIB), 1024 * KIB)
    assert is_cached(path, 1024 * KIB)
    disk.flush()
    if is_memory(path):
        pytest.skip("not run: this file system is memory")
    assert not is_cached(path, 1024 * KIB)
    disk.close()
