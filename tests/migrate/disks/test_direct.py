"""Long aligned writes go past the page cache, everything else and every refusal goes through it."""

from __future__ import annotations

import errno
import os
import random
from pathlib import Path

import pytest

from migrate.disks.direct import ALIGNED, SHORTEST
from migrate.disks.flat import FlatDisk
from planner.units import MIB

SIZE = 8 * MIB


@pytest.fixture
def path(tmp_path: Path) -> Path:
    target = tmp_path / "disk.img"
    target.touch()
    os.truncate(target, SIZE)
    return target


@pytest.fixture
def flags(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each write whether it went past the cache."""
    seen: list[bool] = []
    write = os.pwrite

    def pwrite(fd: int, data: memoryview, offset: int) -> int:
        link = Path(f"/proc/self/fdinfo/{fd}").read_text("ascii")
        opened = int(next(line for line in link.splitlines() if line.startswith("flags")).split()[1], 8)
        seen.append(bool(opened & os.O_DIRECT))
        return write(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    return seen


def needs_direct(path: Path) -> None:
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_DIRECT))
    except OSError:
        pytest.skip("not run: this file system has no way past its cache")


def test_what_is_written_in_runs_of_all_shapes_is_read(path: Path) -> None:
    rng = random.Random(3)
    content = bytearray(SIZE)
    disk = FlatDisk(path, writable=True)
    for _ in range(60):
        grain = rng.choice([1, 512, ALIGNED, SHORTEST])
        offset = rng.randrange(SIZE // grain) * grain
        length = min(rng.randrange(1, 3 * MIB // grain + 2) * grain, SIZE - offset)
        data = rng.randbytes(length)
        disk.write(data, offset)
        content[offset : offset + length] = data
    disk.flush()
    found = bytearray(SIZE)
    disk.read_into(memoryview(found), 0)
    disk.close()
    assert found == content == path.read_bytes()


def test_long_runs_go_past_the_cache_and_their_crooked_end_through_it(path: Path, flags: list[bool]) -> None:
    needs_direct(path)
    disk = FlatDisk(path, writable=True)
    disk.write(bytes(2 * MIB), ALIGNED)
    assert flags == [True, True]
    disk.write(bytes(SHORTEST + 1), 0)
    assert flags[2:] == [True, False]
    disk.write(bytes(SHORTEST - ALIGNED), 0)
    disk.write(bytes(SHORTEST), 512)
    assert flags[4:] == [False, False]
    disk.close()


def test_a_refusal_goes_the_usual_way_and_is_remembered(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_direct(path)
    write, refused = os.pwrite, []

    def pwrite(fd: int, data: memoryview, offset: int) -> int:
        if not refused:
            refused.append(fd)
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        assert fd != refused[0]
        return write(fd, data, offset)

    disk = FlatDisk(path, writable=True)
    monkeypatch.setattr(os, "pwrite", pwrite)
    disk.write(b"a" * MIB, 0)
    disk.write(b"b" * MIB, MIB)
    disk.close()
    assert path.read_bytes()[: 2 * MIB] == b"a" * MIB + b"b" * MIB


def test_a_medium_that_fails_or_is_full_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, room = os.pwrite, 300 * 1024

    def pwrite(fd: int, data: memoryview, offset: int) -> int:
        """A disk that fills up in the middle of a run."""
        if offset >= room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(fd, data[: room - offset], offset)

    disk = FlatDisk(path, writable=True)
    monkeypatch.setattr(os, "pwrite", pwrite)
    with pytest.raises(OSError, match="No space") as told:
        disk.write(b"a" * MIB, 0)
    assert told.value.errno == errno.ENOSPC
    disk.close()
    assert path.read_bytes()[: room + 1] == b"a" * room + b"\0"
