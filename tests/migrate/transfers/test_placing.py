"""Images brought onto a run's disks: killed at every step, resumed, and never another disk's marks."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from migrate.disks.bringing import CopyRange, copy_range
from migrate.disks.flat import FlatDisk
from migrate.transfers.placing import Placing
from migrate.transfers.ports import Moving
from planner.errors import BadInput, Paused
from planner.units import MIB

SIZE = 12 * MIB + 512
KILLED = """
import os, signal, sys
from pathlib import Path
from migrate.disks.flat import FlatDisk
from migrate.transfers.placing import Placing
root, after = Path(sys.argv[1]), int(sys.argv[2])
calls = 0
def no_clone(source, target):
    raise OSError(95, "not here")
def copying(source, target, length, offset, at):
    global calls
    if calls == after:
        os.kill(os.getpid(), signal.SIGKILL)
    calls += 1
    return os.copy_file_range(source, target, min(length, 1 << 20), offset, at)
placing = Placing(root / "seeds", cloning=no_clone, copying=copying, mark_bytes=1)
disk = FlatDisk(root / "disk", writable=True)
placing.place(root / "seed.img", disk, "v", disk.size_bytes, "run", lambda moving: None)
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    with (tmp_path / "seed.img").open("wb") as file:
        file.truncate(SIZE)
        for at in (0, 5 * MIB, 9 * MIB, SIZE - 700):
            file.seek(at)
            file.write(random.Random(at).randbytes(min(MIB, SIZE - at)))
    with (tmp_path / "disk").open("wb") as file:
        file.truncate(SIZE)
    return tmp_path


def declines(*_given: int) -> int:
    raise OSError(errno.EOPNOTSUPP, "not here")


def placing(root: Path, copying: CopyRange = copy_range, stop: bool = False) -> Placing:
    return Placing(root / "seeds", lambda: stop, cloning=declines, copying=copying, mark_bytes=1)  # type: ignore[arg-type]


def bring(place: Path, how: Placing, run: str = "run") -> tuple[int, int]:
    """Return what was copied and what was there already."""
    disk, seen = FlatDisk(place / "disk", writable=True), list[Moving]()
    try:
        brought = how.place(place / "seed.img", disk, "v", SIZE, run, seen.append)
    finally:
        disk.close()
    assert (seen[-1].done_bytes, seen[-1].total_bytes, seen[-1].wire_bytes) == (SIZE, SIZE, 0)
    return brought.copied_bytes, brought.resumed_bytes


def same(place: Path) -> bool:
    return (place / "disk").read_bytes() == (place / "seed.img").read_bytes()


@pytest.mark.parametrize("after", range(4))
def test_killed_at_any_step_it_goes_on_and_the_image_stays_as_it_was(place: Path, after: int) -> None:
    about = (place / "seed.img").stat()
    ran = subprocess.run([sys.executable, "-c", KILLED, str(place), str(after)], check=False)
    assert ran.returncode == -signal.SIGKILL
    assert not same(place)
    copied, resumed = bring(place, placing(place))
    assert same(place)
    assert (resumed > 0) is (after > 0)
    assert copied < SIZE - resumed
    assert bring(place, placing(place)) == (0, SIZE), "what is complete is not copied again"
    after_it = (place / "seed.img").stat()
    assert (after_it.st_mtime_ns, after_it.st_size) == (about.st_mtime_ns, about.st_size)


def test_a_mark_counts_for_its_run_its_image_and_its_disk_only(place: Path) -> None:
    bring(place, placing(place))
    assert bring(place, placing(place), run="another")[1] == 0
    os.utime(place / "seed.img", ns=(1, 1))
    assert bring(place, placing(place))[1] == 0
    (place / "disk").rename(place / "old")
    with (place / "disk").open("wb") as file:
        file.truncate(SIZE)
    assert bring(place, placing(place))[1] == 0
    assert same(place)


def test_a_pause_leaves_a_mark(place: Path) -> None:
    disk = FlatDisk(place / "disk", writable=True)
    with pytest.raises(Paused, match="was stopped"):
        placing(place, stop=True).place(place / "seed.img", disk, "v", SIZE, "run", lambda moving: None)
    disk.close()
    assert not same(place)
    assert bring(place, placing(place))[1] > 0
    assert same(place)


def test_what_is_no_image_of_the_disk_is_refused_before_a_byte(place: Path) -> None:
    disk = FlatDisk(place / "disk", writable=True)
    seed, how = place / "seed.img", placing(place)
    with pytest.raises(BadInput, match=r"holds a disk of .* v has"):
        how.place(seed, disk, "v", SIZE + 512, "run", lambda moving: None)
    with pytest.raises(BadInput, match="cannot be read: No such file"):
        how.place(place / "\x1b[2Jgone", disk, "v", SIZE, "run", lambda moving: None)
    with pytest.raises(BadInput, match="is the very disk"):
        how.place(place / "disk", disk, "v", SIZE, "run", lambda moving: None)
    disk.close()
    assert not any((place / "disk").read_bytes())
