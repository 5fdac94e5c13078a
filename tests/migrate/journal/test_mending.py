"""Mending: what stands before the damage stays, what came behind is compared, nothing between is offered."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from migrate.journal.directory import DirectoryFiles
from migrate.journal.disk import JournalledDisk
from migrate.journal.frames import Kind
from migrate.journal.image import Image
from migrate.journal.log import JournalFailed, Log, open_log
from migrate.journal.members import Members, load_members, save_members
from migrate.journal.mending import Mended, damage, finish, resync
from migrate.journal.merging import Merger
from migrate.journal.overlay import Indexes
from migrate.journal.promotion import promote
from migrate.journal.recovery import Ref, Rotten, recover
from migrate.journal.state import drop_mark
from migrate.journal.store import FOLDER, Journals
from migrate.journal.writes import Write
from migrate.replication.logfile import LogFile
from migrate.replication.passes import Mode
from migrate.replication.progress import CurrentPass, ProgressLog
from migrate.sites.ports import Consistency, Extent
from planner.errors import NotFound, ProjectBusy
from planner.names import content_id
from tests.migrate.journal.target import SIZE, Replica, Replicas

PLACES = SIZE // 512


class Journal:
    """A journal on real files, its replica, and what it held at each checkpoint."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        self.folder = folder
        self.rng = random.Random(seed)
        folder.mkdir(mode=0o700)
        save_members(folder, "group", Members({"disk-0": 0}, {"disk-0": 0}))
        self.files = DirectoryFiles(folder)
        self.log = open_log(self.files, "group", segment_bytes=5_000, level=0)
        self.replica = bytearray(SIZE)
        self.newest = bytearray(SIZE)
        self.held: dict[int, bytes] = {}
        self.poisoned = 0

    def live(self, points: int, writes: int = 4) -> None:
        for _ in range(points):
            for _ in range(writes):
                offset, data = 512 * self.rng.randrange(PLACES), self.rng.randbytes(512)
                self.log.append([Write(0, offset, 512, data)])
                self.newest[offset : offset + 512] = data
            record = self.log.checkpoint(len(self.held), Consistency.CRASH).record
            self.held[record] = bytes(self.newest)

    def promote(self, record: int) -> None:
        promote(self.log, self.files, {0: Replica(self.replica)}, record)

    def close(self) -> None:
        self.files.close()

    def rot(self, ref: Ref, byte: int) -> None:
        """Have one byte of a frame be another, while nobody has the journal open."""
        path = self.folder / f"{ref.segment:010d}.segment"
        content = bytearray(path.read_bytes())
        content[ref.offset + byte] ^= 0x20
        path.write_bytes(content)

    def poison(self) -> None:
        self.poisoned += 1

    def mend(self) -> Mended:
        return resync(self.folder, "group", self.poison)

    def open(self) -> Log:
        self.files = DirectoryFiles(self.folder)
        self.log = open_log(self.files, "group", segment_bytes=5_000, level=0)
        return self.log

    def check(self) -> list[int]:
        """Open it, check that what it offers reads as it was, and return that."""
        log = self.open()
        offered = sorted(log.state.checkpoints)
        for record in offered:
            if record in self.held:
                assert self.content(record) == self.held[record], f"checkpoint {record}"
        return offered

    def content(self, record: int) -> bytes:
        lease = self.log.lease(record)
        image = Image(0, Replica(self.replica), lease, Indexes(lease.reader))
        buffer = bytearray(SIZE)
        image.read_into(memoryview(buffer), 0)
        image.close()
        return bytes(buffer)


def frames(journal: Journal, kind: Kind) -> list[Ref]:
    return [ref for ref in journal.log.frames() if ref.header.kind is kind]


def test_a_whole_journal_is_left_as_it_is(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.live(3)
    journal.close()
    before = {path.name: path.read_bytes() for path in journal.folder.iterdir()}
    with pytest.raises(NotFound, match="nothing is broken"):
        journal.mend()
    assert {path.name: path.read_bytes() for path in journal.folder.iterdir()} == before
    assert journal.poisoned == 0


@pytest.mark.parametrize("where", ["header", "table", "data"])
@pytest.mark.parametrize("seed", range(2))
def test_checkpoints_before_the_damage_stay(tmp_path: Path, where: str, seed: int) -> None:
    journal = Journal(tmp_path / "journal", seed)
    journal.live(14)
    writes = frames(journal, Kind.WRITES)
    broken = journal.rng.choice(writes[8:40])
    table = broken.header.size_bytes - broken.header.table - broken.header.data
    newest = journal.log.last
    byte = {"header": 20, "table": table + 3, "data": broken.header.size_bytes - 100}[where]
    journal.close()
    journal.rot(broken, byte)
    segments = {path.name: path.read_bytes() for path in journal.folder.glob("*.segment")}
    mended = journal.mend()
    expected = sorted(record for record in journal.held if record < broken.header.first)
    assert mended.checkpoints == tuple(expected)
    assert f"segment {broken.segment} of a journal is broken at byte {broken.offset}" in mended.why
    assert journal.poisoned == 1
    assert journal.check() == expected
    assert journal.log.state.epoch == 1
    assert journal.log.state.why == mended.why
    for path in mended.aside.iterdir():
        assert path.read_bytes() == segments[path.name]
    assert f"{broken.segment:010d}.segment" in {path.name for path in mended.aside.iterdir()}
    journal.newest = bytearray(SIZE)
    JournalledDisk(0, Replica(journal.replica), journal.log).read_into(memoryview(journal.newest), 0)
    journal.live(3)
    assert all(record in expected or record > newest for record in journal.log.state.checkpoints)
    journal.close()
    assert len(journal.check()) == len(expected) + 3
    journal.promote(expected[-1])  # up to where the numbers jump
    journal.close()
    assert len(journal.check()) == 4
    journal.close()


@pytest.mark.parametrize("place", [2, -1])
def test_a_segment_whose_beginning_broke_takes_nothing_before_it(tmp_path: Path, place: int) -> None:
    journal = Journal(tmp_path / "journal")
    journal.live(14)
    journal.log.append([Write(0, 0, 3, b"end")])
    journal.log.commit()
    opening = frames(journal, Kind.OPEN)[place]
    journal.close()
    journal.rot(opening, 20)
    with pytest.raises(Rotten):
        journal.open()
    expected = tuple(sorted(record for record in journal.held if record < opening.header.first))
    assert expected
    assert journal.mend().checkpoints == expected
    assert journal.check() == list(expected)
    journal.close()


def test_what_replicas_passed_by_is_not_offered_again(tmp_path: Path) -> None:
    """The floor is known behind the damage only."""
    journal = Journal(tmp_path / "journal")
    journal.live(14)
    points = sorted(journal.held)
    broken = next(ref for ref in frames(journal, Kind.WRITES) if ref.header.first > points[9])
    journal.promote(points[4])
    journal.close()
    journal.rot(broken, 20)
    mended = journal.mend()
    assert set(mended.checkpoints) == set(points[4:10])
    assert journal.check() == points[4:10]
    journal.close()


def test_nothing_that_stands_before_is_left_and_records_go_on_behind_the_floor(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.live(14)
    points = sorted(journal.held)
    segments = {ref.header.first: ref.segment for ref in journal.log.frames()}
    goal = next(p for p in points[2:] if segments[p - 2] == segments[p] == segments[p + 1])
    journal.promote(goal)
    first = journal.log.frames()[1]
    assert first.header.first < goal
    journal.close()
    journal.rot(first, 20)
    newest = journal.log.last
    assert journal.mend().checkpoints == ()
    assert journal.check() == []
    assert journal.log.last > newest
    journal.newest = bytearray(journal.replica)
    journal.live(3)
    journal.close()
    assert len(journal.check()) == 3
    journal.close()


@pytest.mark.parametrize("lost", ["cut", "gone", "broken"])
def test_a_number_never_means_two_records(tmp_path: Path, lost: str) -> None:
    """Also those that nothing is left of, as far as the newest segment's size goes."""
    journal = Journal(tmp_path / "journal")
    journal.live(14)
    for _ in range(400):
        journal.log.append([Write(0, 0, 512)])  # the shortest there are
    journal.live(1)
    newest, numbers = journal.log.last, journal.files.numbers()
    broken = frames(journal, Kind.WRITES)[2]
    journal.close()
    journal.rot(broken, 20)
    for number in numbers[-2:]:
        path = journal.folder / f"{number:010d}.segment"
        if lost == "gone":
            path.unlink()
        else:
            path.write_bytes(path.read_bytes()[:700] if lost == "cut" else bytes(path.stat().st_size))
    journal.mend()
    journal.check()
    assert journal.log.last > newest
    journal.close()


def test_a_missing_segment_is_a_damage_like_another(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.live(14)
    third = journal.files.numbers()[2]
    journal.close()
    (journal.folder / f"{third:010d}.segment").unlink()
    with pytest.raises(Rotten, match="segments between are missing"):
        journal.open()
    assert journal.mend().checkpoints == ()
    assert journal.check() == []
    journal.live(3)
    journal.close()


@pytest.mark.parametrize("place", [0, 1])
def test_a_merged_segment_stays_whole_or_goes(tmp_path: Path, place: int) -> None:
    journal = Journal(tmp_path / "journal")
    journal.live(4)
    for _ in range(20):
        journal.live(1, writes=8)
        record = max(journal.held)
        journal.log.mark(drop_mark([record]))
        del journal.held[record]
    journal.live(3)
    assert Merger(journal.files, "group", 0).merge(journal.log, lambda _bytes: None) > 0
    (opening,) = frames(journal, Kind.MERGED)
    within = [ref for ref in frames(journal, Kind.WRITES) if ref.segment == opening.segment]
    behind = [ref for ref in frames(journal, Kind.WRITES) if ref.header.first > within[-1].header.last]
    broken = (within[0], behind[0])[place]
    journal.close()
    journal.rot(broken, broken.header.size_bytes - 100)
    mended = journal.mend()
    limit = (opening, behind[0])[place].header.first
    assert mended.checkpoints == tuple(sorted(record for record in journal.held if record < limit))
    assert journal.check() == list(mended.checkpoints)
    kinds = {ref.header.kind for ref in journal.log.frames()}
    assert (Kind.MERGED in kinds) is (place == 1)
    journal.close()


class _Died(Exception):
    pass


_CALLS = ("rename", "unlink", "link", "fsync", "fdatasync", "mkdir", "replace")


def test_a_mending_that_is_cut_off_is_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each of its calls: whoever opens the journal next sees the mended one, or the broken one."""
    finished = 0
    journal = Journal(tmp_path / "journal")
    journal.live(16)
    points = sorted(journal.held)
    broken = next(ref for ref in frames(journal, Kind.WRITES) if ref.header.first > points[9])
    journal.promote(points[4])
    journal.close()
    journal.rot(broken, 20)
    whole = journal.folder
    for dies_at in range(200):
        journal.folder = tmp_path / f"journal-{dies_at}"
        shutil.copytree(whole, journal.folder)
        calls = 0

        def counted(call: Callable[..., object], dies_at: int = dies_at) -> Callable[..., object]:
            def counting(*args: object, **how: object) -> object:
                nonlocal calls
                calls += 1
                if calls > dies_at:
                    raise _Died
                return call(*args, **how)

            return counting

        with monkeypatch.context() as patch:
            for name in _CALLS:
                patch.setattr(os, name, counted(getattr(os, name)))
            try:
                journal.mend()
                done = True
            except _Died:
                done = False
        if not done:
            is_begun = (journal.folder / "mending.json").is_file()
            finish(journal.folder, "group")
            if not is_begun and damage(DirectoryFiles(journal.folder), "group") is not None:
                with pytest.raises(Rotten):
                    journal.open()
                journal.mend()
            finished += is_begun
        assert journal.check() == points[4:10]
        assert journal.log.state.epoch == 1
        assert not (journal.folder / "mending.json").exists()
        (aside,) = journal.folder.glob("broken-*")
        assert recovered_rot(aside, broken)
        journal.close()
        if done:
            assert finished > 10
            return
    raise AssertionError("a mending has an end")


def recovered_rot(aside: Path, broken: Ref) -> bool:
    """Tell whether the broken segment is kept aside with its damage."""
    content = (aside / f"{broken.segment:010d}.segment").read_bytes()
    return len(content) > broken.offset + 20


def test_a_group_goes_on_after_its_journal_was_mended(tmp_path: Path) -> None:
    replicas = Replicas()
    volumes = {"disk-0": "group", "disk-1": "group"}
    clock = iter(range(1, 10_000))
    journals = Journals(tmp_path, volumes, replicas, lambda: next(clock))  # type: ignore[arg-type]

    def run(cycle: int, mode: Mode = Mode.SEED) -> None:
        for volume in volumes:
            disk = journals.open_write(volume)
            log = ProgressLog(LogFile(tmp_path, volume), volume)
            log.begin(
                CurrentPass(f"{volume}-{cycle}", mode, SIZE, str(cycle), fresh=False, cycle=str(cycle)), 1
            )
            disk.write(bytes([cycle]) * SIZE, 0)
            disk.flush()
            log.hold([Extent(0, SIZE)])
            log.finish(SIZE, SIZE)
            disk.close()

    def read(record: int, volume: str) -> bytes:
        image = journals.group("group").image(record, volume)
        buffer = bytearray(SIZE)
        image.read_into(memoryview(buffer), 0)
        image.close()
        return bytes(buffer)

    for cycle in (1, 2, 3, 4):
        run(cycle)
    group = journals.group("group")
    points = group.checkpoints()
    assert len(points) == 4
    with group.log.moving, pytest.raises(ProjectBusy, match="is being moved on"):
        journals.mend("group")
    with pytest.raises(NotFound, match="nothing is broken"):
        journals.mend("group")
    with pytest.raises(JournalFailed, match="it is mended"):
        group.log.trim()  # whoever still has it does no harm
    group = journals.group("group")
    image = group.image(points[1].record, "disk-0")
    with pytest.raises(ProjectBusy, match="is in use"):
        journals.mend("group")
    image.close()
    ref = next(ref for ref in group.log.frames() if ref.header.first > points[2].record and ref.header.raw)
    journals.close()
    folder = tmp_path / FOLDER / content_id("group")
    path = folder / f"{ref.segment:010d}.segment"
    content = bytearray(path.read_bytes())
    content[ref.offset + 20] ^= 1
    path.write_bytes(content)
    with pytest.raises(Rotten):
        journals.group("group")
    mended = journals.mend("group")
    assert mended.checkpoints == tuple(point.record for point in points[:3])
    group = journals.group("group")
    assert "never brought here as a whole" in group.unrest()  # until each was compared
    for volume in volumes:
        state = ProgressLog(LogFile(tmp_path, volume), volume).state
        assert state.unknown
        assert state.done is None
    for cycle, point in enumerate(points[:3], 1):
        assert read(point.record, "disk-1") == bytes([cycle]) * SIZE
    run(5, Mode.COMPARE)
    newest = group.checkpoints()[-1]
    assert newest.epoch == 1
    assert [point.epoch for point in group.checkpoints()] == [0, 0, 0, 1]
    assert {read(newest.record, volume) for volume in volumes} == {bytes([5]) * SIZE}
    journals.close()


def test_a_disk_that_joined_behind_the_cut_is_in_what_comes(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.live(14)
    points = sorted(journal.held)
    broken = next(ref for ref in frames(journal, Kind.WRITES) if ref.header.first > points[9])
    journal.close()
    members = load_members(journal.folder, "group")
    assert members is not None
    save_members(journal.folder, "group", members.joined(["disk-1"], points[-1]))
    journal.rot(broken, 20)
    journal.mend()
    members = load_members(journal.folder, "group")
    assert members is not None
    assert points[9] < members.since["disk-1"] <= broken.header.first
    journal.check()
    assert recover(journal.files, journal.log._sealer).state.epoch == 1
    journal.close()
