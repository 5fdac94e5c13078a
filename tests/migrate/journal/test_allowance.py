"""A journal on a small file system: little free is said early, history goes, writes wait; nothing breaks."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.journal.directory import DirectoryFiles
from migrate.journal.group import GroupJournal
from migrate.journal.health import Grade
from migrate.journal.limits import Limits, Room
from migrate.journal.log import open_log
from migrate.journal.thinning import DAY_S
from planner.errors import NoSpace
from planner.units import KIB, MIB
from tests.migrate.journal.test_keeping import Streamed

RESERVE = 8 * MIB
LIMITS = Limits(DAY_S, reserve=Room(RESERVE))


class WideGroup(GroupJournal):
    """A group whose segments hold a minute of what is written here."""

    def _open(self) -> None:
        self._files = DirectoryFiles(self._folder)
        self._log = open_log(self._files, self.name, segment_bytes=256 * KIB, level=0)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 40 MiB."""
    if os.geteuid() != 0 or not shutil.which("mount"):
        pytest.skip("not run: mounting a small file system needs root")
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=40m,mode=700", "tmpfs", str(folder)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"not run: this machine lets nobody mount: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def leave(folder: Path, free_bytes: int) -> None:
    """Have somebody else take all but so much."""
    ballast = folder / "ballast"
    ballast.unlink(missing_ok=True)
    about = os.statvfs(folder)
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, about.f_bavail * about.f_frsize - free_bytes)


def lived(kept: Streamed, points: int) -> None:
    for _ in range(points):
        kept.write(60, places=2, length=4 * KIB)
        kept.point(1, minutes=1)


def test_little_free_is_said_early_then_history_goes_then_writes_wait(small: Path) -> None:
    kept = Streamed(small, kind=WideGroup)
    kept.keep(LIMITS)
    lived(kept, 50)
    health = kept.keep(LIMITS)
    before = kept.group.checkpoints()
    assert health.grade is Grade.GOOD
    assert (health.said, health.reserve_bytes) == ((), RESERVE)
    assert health.free_bytes is not None
    assert 2 * RESERVE < health.free_bytes < 40 * MIB - kept.group.log.size_bytes

    leave(small, 15 * MIB)
    health = kept.keep(LIMITS)
    assert health.grade is Grade.WARNING
    assert health.said == ("15.0 MiB are free where it is, 8.0 MiB stay so: the oldest history goes until "
                           "there is more",)  # fmt: skip
    assert kept.group.checkpoints() == before

    leave(small, 11 * MIB)
    health = kept.keep(LIMITS)
    after = kept.group.checkpoints()
    assert health.free_bytes is not None
    assert health.free_bytes >= 2 * RESERVE
    assert len(after) > 5
    assert after == before[-len(after) :]

    leave(small, 3 * MIB)  # all of the history would not make up for that
    with pytest.raises(
        NoSpace, match=r"no room for group group: only [23]\.\d MiB are free where it is, 8\.0 MiB"
    ):
        lived(kept, 50)
    health = kept.keep(LIMITS)
    assert kept.group.checkpoints() == after
    assert health.grade is Grade.BAD
    assert health.said[0].startswith("writes are refused: only ")
    assert "make room there" in health.said[1]
    assert "MiB are free where it is, 8.0 MiB stay so" in kept.group.unrest()
    kept.group.note(after[0].record, pinned=True)  # marks live from what stays free
    assert not kept.group.log.failed
    kept.reopen()
    assert kept.keep(LIMITS).grade is Grade.BAD

    (small / "ballast").unlink()
    assert kept.group.unrest() == ""
    kept.write(300, places=2, length=4 * KIB)
    kept.point()
    assert not any("free" in said for said in kept.keep(LIMITS).said)

    kept.group.log.allowance.space = None  # and not watched it breaks
    with pytest.raises(OSError, match="No space left"):
        kept.write(40 * MIB // (4 * KIB), places=2, length=4 * KIB)
    assert kept.group.log.failed
