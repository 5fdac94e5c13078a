"""Seeds from a portable drive: brought in whole, resumed, never trusted, never over anything else."""

from __future__ import annotations

import errno
import fcntl
import os
import random
import threading
from pathlib import Path

import pytest

from migrate.daemons.preplaced import Placed, place_seed
from migrate.disks.bringing import CopyRange, copy_range
from migrate.disks.flat import FlatDisk
from migrate.replication.logfile import LogFile
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import send_pass
from planner.errors import BadInput, NoSpace
from planner.units import GIB, MIB
from tests.migrate.replication.model import pipe

SIZE = 12 * MIB + 512


class Place:
    """A drive with a seed on it, and the receiver's folder."""

    def __init__(self, root: Path) -> None:
        self.seed, self.target, self.store = root / "usb.img", root / "db.img", root / "store"
        self.store.mkdir(mode=0o700)
        with self.seed.open("wb") as file:
            file.truncate(SIZE)
            for at in (0, 5 * MIB, 9 * MIB, SIZE - 700):
                file.seek(at)
                file.write(random.Random(at).randbytes(min(MIB, SIZE - at)))
        self.content = self.seed.read_bytes()
        self.reports: list[tuple[int, int]] = []

    def place(self, copying: CopyRange = copy_range, record_bytes: int = GIB, clones: bool = False) -> Placed:
        def cloning(_source: int, _target: int) -> None:
            if not clones:
                raise OSError(errno.EOPNOTSUPP, "not here")
            self.target.write_bytes(self.content)

        return place_seed(
            "v", self.seed, self.target, self.store, lambda done, total: self.reports.append((done, total)),
            cloning=cloning, copying=copying, record_bytes=record_bytes,
        )  # fmt: skip

    def send(self, source: Path, mode: Mode, pass_id: str = "1") -> PassResult:
        near, far = pipe()
        receiver = Receiver(
            lambda _volume: FlatDisk(self.target, True),
            lambda volume: ProgressLog(LogFile(self.store, volume), volume),
        )
        thread = threading.Thread(target=receiver.serve, args=(far,))
        thread.start()
        try:
            return send_pass(FlatDisk(source), near, PassSpec("v", pass_id, SIZE), mode=mode)
        finally:
            near.close()
            thread.join(60)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def declines(*_given: int) -> int:
    raise OSError(errno.EXDEV, "other file system")


@pytest.mark.parametrize("copying", [copy_range, declines, lambda *_given: 0])
def test_a_seed_is_brought_in_with_its_holes_and_stays_as_it_was(place: Place, copying: CopyRange) -> None:
    about = place.seed.stat()
    placed = place.place(copying)
    assert place.target.read_bytes() == place.content == place.seed.read_bytes()
    assert place.target.stat().st_blocks <= about.st_blocks + 64
    assert (placed.size_bytes, placed.kept, placed.cloned) == (SIZE, "", False)
    assert placed.copied_bytes < SIZE
    assert place.reports[-1] == (SIZE, SIZE)
    after = place.seed.stat()
    assert (after.st_mtime_ns, after.st_ino) == (about.st_mtime_ns, about.st_ino)
    assert place.place().kept == "it was brought in already"


def test_a_clone_copies_nothing(place: Place) -> None:
    placed = place.place(clones=True)
    assert (placed.cloned, placed.copied_bytes) == (True, 0)
    assert place.target.read_bytes() == place.content


def test_what_broke_off_is_resumed_and_what_came_is_compared_whatever_was_asked(place: Place) -> None:
    calls = 0

    def breaks(source: int, target: int, length: int, offset: int, at: int) -> int:
        nonlocal calls
        calls += 1
        if calls > 2:
            raise OSError(errno.ENOSPC, "full")
        return copy_range(source, target, min(length, 2 * MIB), offset, at)

    with pytest.raises(NoSpace, match="did not fit"):
        place.place(breaks, record_bytes=MIB)
    assert ProgressLog(LogFile(place.store, "v"), "v").state.unknown, "half a seed must not count as content"
    placed = place.place()
    assert placed.resumed_bytes >= MIB
    assert placed.resumed_bytes + placed.copied_bytes <= SIZE
    assert place.target.read_bytes() == place.content
    # One byte is wrong on the way, one changed at the source since: a pass finds both.
    with place.target.open("r+b") as file:
        file.seek(5 * MIB)
        file.write(b"!")
    newer = place.seed.with_name("source.img")
    newer.write_bytes(place.content[:MIB] + b"newer" + place.content[MIB + 5 :])
    sent = place.send(newer, Mode.SEED)
    assert sent.mode is Mode.COMPARE
    assert "seed was placed" in sent.why
    assert sent.sent_bytes + sent.zero_bytes == 2 * 4096
    assert place.target.read_bytes() == newer.read_bytes()
    assert place.place().kept == "a sender has been at work on it since"
    assert place.target.read_bytes() == newer.read_bytes()


def test_nothing_is_written_over_and_sizes_are_checked(place: Place) -> None:
    place.target.write_bytes(b"somebody's".ljust(SIZE, b"\0"))
    with pytest.raises(BadInput, match="holds data already"):
        place.place()
    assert place.target.read_bytes().startswith(b"somebody's")
    with place.target.open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BadInput, match="somebody else holds it"):
            place.place()
    place.target.write_bytes(b"")
    os.truncate(place.target, SIZE - 1)
    with pytest.raises(BadInput, match="the seed of v has"):
        place.place()
    place.target.unlink()
    os.link(place.seed, place.target)
    with pytest.raises(BadInput, match="its own target"):
        place.place()
    place.target.unlink()
    place.target.symlink_to(place.seed)
    with pytest.raises((BadInput, OSError)):
        place.place()
    assert place.seed.read_bytes() == place.content


def test_half_of_another_seed_is_begun_anew(place: Place) -> None:
    def stops(*given: int) -> int:
        if given[4] >= 5 * MIB:
            raise OSError(errno.EIO, "gone")
        return copy_range(*given)

    with pytest.raises(OSError, match="gone"):
        place.place(stops, record_bytes=1)
    place.seed.write_bytes(b"other" + place.content[5 : 9 * MIB].ljust(SIZE - 5, b"\0"))
    placed = place.place()
    assert placed.resumed_bytes == 0
    assert place.target.read_bytes() == place.seed.read_bytes()


def test_a_seed_that_changes_meanwhile_is_not_complete(place: Place) -> None:
    def changing(*given: int) -> int:
        with place.seed.open("r+b") as file:
            file.write(b"changed")
        return copy_range(*given)

    with pytest.raises(BadInput, match="changed while it was brought in"):
        place.place(changing)
    assert place.place().kept == ""
    assert place.target.read_bytes() == place.seed.read_bytes()


def test_a_damaged_record_is_said(place: Place) -> None:
    place.place()
    (record,) = place.store.glob("*.seed")
    record.write_bytes(b"[]")
    with pytest.raises(BadInput, match="is damaged"):
        place.place()
