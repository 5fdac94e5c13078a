"""What is in memory is spared when nobody wrote the file since it was vouched for, and in no other case."""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from migrate.daemons.registered import Register
from migrate.disks import stamp
from migrate.disks.flat import FlatDisk
from migrate.disks.ports import Cached
from migrate.journal.held import HeldDisk
from planner.units import KIB, MIB
from tests.migrate.replication.model import MemoryDisk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "disk.img"
    found.write_bytes(os.urandom(MIB))
    fd = os.open(found, os.O_RDWR)
    os.fsync(fd)
    device = os.fstat(fd).st_dev
    os.close(fd)
    if stamp.file_system(device) not in {"ext4", "xfs"}:
        pytest.skip("not run: temporary files are on neither ext4 nor XFS")
    return found


def warm(path: Path) -> None:
    path.read_bytes()


def in_memory(path: Path, offset: int = 512 * KIB) -> bool:
    fd = os.open(path, os.O_RDONLY)
    try:
        return os.preadv(fd, [bytearray(4096)], offset, os.RWF_NOWAIT) == 4096
    except BlockingIOError:
        return False
    finally:
        os.close(fd)


def vouched(path: Path) -> str:
    """Write a little through a disk that was opened as a receiver does, and return its stamp."""
    disk = FlatDisk(path, True, spares=True)
    assert disk.stamp() == "", "nobody has decided yet whether memory is true"
    assert not disk.trust("")
    disk.write(b"x" * 4096, 0)
    disk.flush()
    told = disk.stamp()
    disk.close()
    assert told
    return told


def test_what_nobody_wrote_since_is_read_from_memory(path: Path) -> None:
    told = vouched(path)
    warm(path)
    disk = FlatDisk(path, True, spares=True)
    assert disk.trust(told)
    assert in_memory(path)
    assert disk.stamp() == told
    disk.close()


def _write(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"y")


def _map(path: Path) -> None:
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[4096] = 1
        mapped.flush()


def _restore_times(path: Path) -> None:
    """What a careful liar does: the time of change stays changed."""
    about = path.stat()
    _write(path)
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))


def _replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(path.read_bytes())
    other.replace(path)


@pytest.mark.parametrize("change", [_write, _map, _restore_times, _replace])
def test_what_somebody_wrote_since_is_read_from_the_medium(
    path: Path, change: Callable[[Path], None]
) -> None:
    told = vouched(path)
    change(path)
    os.sync()
    warm(path)
    disk = FlatDisk(path, True, spares=True)
    assert not disk.trust(told)
    assert not in_memory(path)
    disk.close()


def test_without_a_word_the_first_read_is_from_the_medium(path: Path) -> None:
    vouched(path)
    warm(path)
    disk = FlatDisk(path, True, spares=True)
    assert in_memory(path), "it waits for a word"
    disk.read_into(memoryview(bytearray(4096)), 0)
    assert not in_memory(path)
    disk.close()


def test_who_did_not_ask_to_be_spared_is_not(path: Path) -> None:
    told = vouched(path)
    warm(path)
    disk = FlatDisk(path, True)
    assert not in_memory(path)
    assert not disk.trust(told)
    disk.close()
    assert FlatDisk(path).stamp() == "", "who only reads vouches for nothing"


def test_the_stamp_waits_until_no_later_write_can_have_it(path: Path) -> None:
    disk = FlatDisk(path, True)
    seen = set()
    for number in range(20):
        disk.write(bytes([number]) * 4096, 4096)
        seen.add(disk.stamp())
    disk.close()
    assert len(seen) == 20
    assert "" not in seen


def test_nothing_vouches_for_devices_and_unknown_file_systems(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FlatDisk(Path("/dev/null"), True, spares=True)
    disk.trust("")
    assert disk.stamp() == ""
    disk.close()
    monkeypatch.setattr(stamp, "_KNOWN", {"xyzfs"})
    known = FlatDisk(path, True)
    assert known.stamp() == ""
    known.close()


def test_after_a_failed_flush_nothing_is_vouched_for(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_fd: int) -> None:
        raise OSError(5, "injected")

    disk = FlatDisk(path, True)
    monkeypatch.setattr(os, "fdatasync", fails)
    with pytest.raises(OSError, match="injected"):
        disk.flush()
    assert disk.stamp() == ""
    disk.close()


def test_what_was_not_written_stays_in_memory_when_much_is_flushed(tmp_path: Path, path: Path) -> None:
    large = tmp_path / "large.img"
    large.write_bytes(bytes(16 * MIB))
    disk = FlatDisk(large, True)
    disk.flush()
    warm(large)
    disk.write(os.urandom(5 * MIB), 2 * MIB)
    disk.write(os.urandom(4 * MIB), 10 * MIB)
    disk.flush()
    assert [in_memory(large, at * MIB) for at in (0, 3, 8, 12, 15)] == [True, False, True, False, True]
    disk.close()


def test_a_receiver_on_a_network_spares_its_disks_through_those_who_hold_them(path: Path) -> None:
    warm(path)
    served = Register([("v", path, "")])
    assert not in_memory(path), "a receiver that starts knows nothing of what its disks show"
    told = ""
    for spared in (False, True):
        warm(path)
        held = HeldDisk(served.open_write("v"), lambda: None, lambda: None)
        assert isinstance(held, Cached)
        assert held.trust(told) is spared
        assert in_memory(path) is spared
        told = held.stamp()
        held.close()
    assert not isinstance(HeldDisk(MemoryDisk(MIB), lambda: None, lambda: None), Cached)
