"""Keeping: history ages, nothing offered is ever unreadable, and limits are met before they are passed."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.journal.directory import DirectoryFiles
from migrate.journal.group import Asked, GroupJournal
from migrate.journal.health import Grade, Health
from migrate.journal.keeper import REST, Brake, Keeper
from migrate.journal.keeping import Kept, keep, look
from migrate.journal.limits import Limits, Room
from migrate.journal.log import open_log
from migrate.journal.state import Checkpoint, torn_mark
from migrate.journal.thinning import DAY_S, HOUR_S
from migrate.journal.writes import Write
from planner.errors import Blocked, NoSpace, NotFound, Paused
from tests.migrate.journal.target import SIZE, Pass, Target

MINUTE_MS = 60_000
KIB = 1024


def at_once(_bytes: int) -> None:
    """Go on."""


class SmallGroup(GroupJournal):
    """A group whose log has small segments."""

    def _open(self) -> None:
        self._files = DirectoryFiles(self._folder)
        self._log = open_log(self._files, self.name, segment_bytes=6_000, level=0)


class Streamed:
    """A target with a group that is streamed to, and the memory of what each checkpoint holds."""

    def __init__(self, folder: Path, seed: int = 0, kind: type[GroupJournal] = SmallGroup) -> None:
        self.target = Target(folder / "journal", ["disk-0", "disk-1"], kind)
        self.target.cycle(1)
        self.rng = random.Random(seed)
        self.now_ms = 1_800_000_000_000
        self.disks = [bytearray(self.target.content(volume, 1)) for volume in self.target.volumes]
        self.held: dict[int, list[bytes]] = {}
        self.group.thin(lambda points: [point.record for point in points])  # its clock is another one

    @property
    def group(self) -> GroupJournal:
        return self.target.group

    def write(self, count: int, places: int = 16, length: int = 512) -> None:
        """Write so many times half a KiB to a few places."""
        for _ in range(count):
            disk, offset = self.rng.randrange(2), length * self.rng.randrange(places)
            data = self.rng.randbytes(length)
            self.group.log.append([Write(disk, offset, length, data)])
            self.disks[disk][offset : offset + length] = data

    def point(self, writes: int = 3, *, minutes: int = 5, pinned: bool = False) -> Checkpoint:
        """Let time pass, write, and make a checkpoint."""
        self.now_ms += minutes * MINUTE_MS
        self.write(writes)
        point = self.group.instant(Asked(pinned=pinned), self.now_ms)
        self.held[point.record] = [bytes(disk) for disk in self.disks]
        return point

    def keep(self, limits: Limits) -> Health:
        """Do a round, check that everything offered reads as it was, and return the health."""
        return look(self.group, limits, self.now_ms, self.keeps(limits))

    def keeps(self, limits: Limits) -> Kept:
        kept = keep(self.group, limits, self.now_ms, at_once)
        self.check()
        return kept

    def check(self) -> None:
        for point in self.group.checkpoints():
            read = [self.target.image(point, volume) for volume in self.target.volumes]
            assert read == self.held[point.record], f"checkpoint {point.record} is not what it was"

    def reopen(self) -> None:
        self.target.kill()
        self.check()


def hard(size_bytes: int, history_s: float = DAY_S) -> Limits:
    return Limits(history_s, hard=Room(size_bytes))


def test_history_ages_into_the_replicas_and_what_is_offered_stays(tmp_path: Path) -> None:
    kept = Streamed(tmp_path)
    limits = Limits(4 * HOUR_S)
    sizes = []
    for turn in range(100):
        kept.point()
        if turn % 5 == 4:
            health = kept.keep(limits)
            sizes.append(kept.group.log.size_bytes)
        if turn == 60:
            kept.reopen()
    points = kept.group.checkpoints()
    ages_s = [(kept.now_ms - point.at_ms) / 1000 for point in points]
    assert 4 * HOUR_S <= max(ages_s) < 4.3 * HOUR_S
    assert sum(age <= HOUR_S for age in ages_s) == 13
    assert len(points) < 30
    assert kept.group.log.state.promoted > 0
    assert kept.group.log.state.promoted <= points[0].record
    assert sizes[-1] < 1.5 * max(sizes[len(sizes) // 2], sizes[-2])
    assert health.grade is Grade.GOOD
    assert health.said == ()
    assert health.history_s == pytest.approx(max(ages_s))
    kept.reopen()


def test_pinned_history_is_as_small_as_its_disks(tmp_path: Path) -> None:
    kept = Streamed(tmp_path)
    pinned = kept.point(pinned=True)
    for turn in range(120):
        kept.point(6, minutes=20)
        if turn % 10 == 9:
            kept.keep(Limits(4 * HOUR_S))
    assert kept.group.checkpoints()[0].record == pinned.record
    assert kept.group.log.state.promoted <= pinned.record
    between = 2 * SIZE + 3 * 6_000
    live = 13 * 6 * (512 + 300)
    assert kept.group.log.size_bytes < 2 * between + live < 120 * 6 * 512
    kept.group.note(pinned.record, pinned=False)
    kept.keep(Limits(4 * HOUR_S))
    assert pinned.record not in [point.record for point in kept.group.checkpoints()]
    assert kept.group.log.state.promoted > pinned.record


def test_history_waits_while_a_tap_catches_up_but_not_for_a_tap_that_is_gone(tmp_path: Path) -> None:
    kept = Streamed(tmp_path)
    limits = Limits(4 * HOUR_S)
    for _ in range(80):
        kept.point()
    kept.group.log.mark(torn_mark("the line was cut"))
    kept.group.heard_at_ms = kept.now_ms - 30_000
    kept.keep(limits)
    assert kept.group.log.state.promoted == 0, "the storage is for the catch-up"
    assert (kept.now_ms - kept.group.checkpoints()[0].at_ms) / 1000 < 4.3 * HOUR_S, "what is offered ages"
    kept.now_ms += 1
    kept.keep(limits)
    assert kept.group.log.state.promoted > 0, "its tap is silent"


def test_a_limit_that_is_near_is_kept_while_a_tap_catches_up(tmp_path: Path) -> None:
    kept = Streamed(tmp_path)
    limits = hard(64 * KIB)
    while kept.group.log.size_bytes < 60 * KIB:
        kept.point(5, minutes=1)
    kept.group.log.mark(torn_mark("the line was cut"))
    kept.group.heard_at_ms = kept.now_ms
    with Keeper(
        _Journals(kept.group),  # type: ignore[arg-type]
        lambda _name: limits,
        every_s=0.01,
        now_ms=lambda: kept.now_ms,
    ):
        _until(lambda: kept.group.log.size_bytes < 56 * KIB)
    assert kept.group.log.state.promoted > 0
    kept.check()


def test_a_promotion_that_is_under_way_stands_still_while_a_tap_catches_up(tmp_path: Path) -> None:
    kept = Streamed(tmp_path)
    for _ in range(80):
        kept.point()
    asked, torn, moved = 0, threading.Event(), 0

    def now_ms() -> int:
        nonlocal asked
        asked += 1
        if asked == 20:  # in the middle of it
            kept.group.log.mark(torn_mark("the line was cut"))
            kept.group.heard_at_ms = kept.now_ms
            torn.set()
        return kept.now_ms

    keeper = Keeper(_Journals(kept.group), lambda _name: Limits(HOUR_S), every_s=0.01, now_ms=now_ms)  # type: ignore[arg-type]
    brake = keeper._brake

    def counted(size_bytes: int) -> None:
        nonlocal moved
        moved += torn.is_set()
        brake(size_bytes)

    keeper._brake = counted  # type: ignore[assignment]
    with keeper:
        assert torn.wait(60)
        _until(lambda: asked > 22)  # it looks again and again
        assert (moved, kept.group.log.state.promoted) == (0, 0)
        kept.group.log.mark(torn_mark(""))
        _until(lambda: bool(kept.group.log.state.promoted))
    kept.check()


def test_near_the_limit_the_oldest_goes_and_it_was_said_before(tmp_path: Path) -> None:
    kept = Streamed(tmp_path)
    limits = hard(64 * KIB)
    said: list[tuple[int, Health]] = []
    for _ in range(80):
        kept.point(5, minutes=1)
        before = len(kept.group.checkpoints())
        health = kept.keep(limits)
        said.append((len(kept.group.checkpoints()) - before, health))
        assert kept.group.log.size_bytes <= 64 * KIB
    first = next(at for at, (gone, _health) in enumerate(said) if gone < 0)
    assert first > 10
    assert any("the oldest history goes before it takes 64.0 KiB" in one for one in said[first - 1][1].said)
    assert said[first - 1][1].grade is Grade.WARNING
    assert said[3][1].full_in_s is not None
    assert said[-1][1].grade is Grade.BAD
    assert any("wanted; give the journal more room" in one for one in said[-1][1].said)
    assert len(kept.group.checkpoints()) > 5
    kept.reopen()


def test_what_is_pinned_or_looked_at_never_goes_and_writes_are_refused_whole(tmp_path: Path) -> None:
    kept = Streamed(tmp_path)
    limits = hard(64 * KIB)
    pinned = [kept.point(5, minutes=1, pinned=True) for _ in range(2)]
    looked = kept.point(5, minutes=1)
    image = kept.group.image(looked.record, "disk-0")
    kept.keep(limits)
    refused = ""
    for _ in range(60):
        try:
            kept.point(5, minutes=1, pinned=True)
        except NoSpace as error:
            refused = error.message
            break
        kept.keep(limits)
    assert refused == "no room for group group: its journal has reached its limit of 64.0 KiB"
    written = kept.group.log.last
    assert kept.group.log.commit() == written
    health = kept.keep(limits)
    assert health.grade is Grade.BAD
    assert health.said[0].startswith("writes are refused: its journal has reached its limit of 64.0 KiB")
    assert any("held by" in one and "pinned checkpoints" in one for one in health.said)
    assert kept.group.unrest() == "its journal has reached its limit of 64.0 KiB"
    offered = [point.record for point in kept.group.checkpoints()]
    assert {*(point.record for point in pinned), looked.record} <= set(offered)
    kept.reopen()  # nothing was torn
    kept.keep(limits)
    with pytest.raises(NoSpace):
        kept.write(40)
    image.close()
    for point in kept.group.checkpoints():
        kept.group.note(point.record, pinned=False)
    assert kept.keep(limits).said[0].startswith("history reaches back")
    assert kept.group.unrest() == ""
    kept.point(5)
    kept.check()


def test_history_behind_a_pinned_checkpoint_goes_only_where_that_helps(tmp_path: Path) -> None:
    kept = Streamed(tmp_path)
    pinned = kept.point(2, pinned=True)
    limits = hard(96 * KIB)
    for _ in range(60):
        kept.point(6, minutes=1)
        kept.keep(limits)
        assert kept.group.log.size_bytes <= 0.97 * 96 * KIB
    points = kept.group.checkpoints()
    assert points[0].record == pinned.record
    assert len(points) > 5
    assert kept.group.log.state.promoted <= pinned.record


def test_a_limit_that_is_raised_lets_writes_go_on(tmp_path: Path) -> None:
    kept = Streamed(tmp_path)
    kept.point(1, pinned=True)
    kept.keep(hard(12 * KIB))
    with pytest.raises(NoSpace):
        kept.write(30)
    assert kept.group.unrest()
    kept.keeps(hard(64 * KIB))
    assert kept.group.unrest() == ""
    kept.write(1)


def test_a_pass_that_found_no_room_is_taken_up_when_there_is_some(tmp_path: Path) -> None:
    kept = Streamed(tmp_path)
    kept.point(1)
    kept.keep(hard(6 * KIB))
    before = kept.group.checkpoints()
    broken = Pass(kept.target, "disk-0", 2)
    broken.begin()
    with pytest.raises(NoSpace):
        broken.finish()
    broken.close()
    assert kept.group.checkpoints() == before
    with pytest.raises(Blocked, match=r"its journal has reached its limit of 6\.0 KiB"):
        kept.group.checkpoint(Asked("now"))
    kept.keep(hard(64 * KIB))
    with pytest.raises(Blocked, match="a pass of disk-0 is under way"):
        kept.group.checkpoint(Asked("now"))
    assert kept.target.is_whole(kept.target.cycle(2))


def test_a_round_that_is_stopped_loses_nothing_and_the_next_one_does_it(tmp_path: Path) -> None:
    kept = Streamed(tmp_path)
    for _ in range(80):
        kept.point()
    limits = Limits(HOUR_S)
    moved = [0]

    def stopping(after: int) -> Callable[[int], None]:
        moved[0] = 0

        def pace(size_bytes: int) -> None:
            moved[0] += size_bytes
            if moved[0] > after:
                raise Paused("stop")

        return pace

    for after in range(0, 90_000, 9_000):
        with pytest.raises(Paused):
            keep(kept.group, limits, kept.now_ms, stopping(after))
        kept.check()
        kept.reopen()
    assert kept.group.log.state.promoted == 0
    kept.keep(limits)
    assert kept.group.log.state.promoted > 0


def test_data_that_rotted_is_said_and_replicas_stay_where_they_are(tmp_path: Path) -> None:
    kept = Streamed(tmp_path)
    for _ in range(60):
        kept.point()
    ref = next(ref for ref in kept.group.log.frames() if ref.header.raw)
    path = next((tmp_path / "journal").glob(f"{ref.segment:010d}.segment"))
    content = bytearray(path.read_bytes())
    content[ref.offset + ref.header.size_bytes - 1] ^= 1
    path.write_bytes(content)
    kept.target.kill()
    done = keep(kept.group, Limits(HOUR_S), kept.now_ms, at_once)
    health = look(kept.group, Limits(HOUR_S), kept.now_ms, done)
    assert health.grade is Grade.BAD
    assert "is broken; compare the group with its source" in health.said[0]
    assert kept.group.log.state.promoted == 0
    tried: list[str] = []

    def limits_of(name: str) -> Limits:
        tried.append(name)
        return Limits(HOUR_S)

    keeper = Keeper(_Journals(kept.group), limits_of, now_ms=lambda: kept.now_ms)  # type: ignore[arg-type]
    for _ in range(REST + 1):
        keeper.round()
    assert len(tried) == 1  # it reads far to find that nothing has changed
    keeper.round()
    assert len(tried) == 2
    again = keeper.health(kept.group)
    assert again is not None
    assert again.said == health.said


def test_a_brake_holds_to_its_rate_and_stops() -> None:
    waits: list[float] = []

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        return len(waits) > 100

    brake = Brake(1000.0, wait)
    for _ in range(100):
        brake(10)
    assert sum(waits) == pytest.approx(1.0, abs=0.05)
    assert 10 < sum(one > 0 for one in waits) < 60
    with pytest.raises(Paused):
        brake(10)


class _Journals:
    """One group as ``migrate.journal.store.Journals`` has it."""

    def __init__(self, group: GroupJournal) -> None:
        self._group = group

    def names(self) -> list[str]:
        return ["gone", "group"]

    def group(self, name: str) -> GroupJournal:
        if name == "gone":
            raise NoSpace("the folder cannot be made")
        return self._group


def test_a_keeper_goes_round_and_ends_when_it_is_told(tmp_path: Path) -> None:
    kept = Streamed(tmp_path)
    for _ in range(80):
        kept.point()
    limits = Limits(HOUR_S)
    asked = threading.Event()

    def limits_of(name: str) -> Limits:
        asked.set()
        assert name == "group"
        return limits

    journals = _Journals(kept.group)
    with Keeper(journals, limits_of, every_s=0.01, now_ms=lambda: kept.now_ms) as keeper:  # type: ignore[arg-type]
        assert asked.wait(30)
        _until(lambda: bool(kept.group.log.state.promoted))
        health = keeper.health(kept.group)
    assert kept.group.log.state.promoted > 0
    assert health is not None
    assert health.wanted_s == HOUR_S
    kept.check()
    slow = Keeper(
        journals,  # type: ignore[arg-type]
        limits_of,
        every_s=0.01,
        rate_bytes_s=1,
        now_ms=lambda: kept.now_ms + 3 * HOUR_S * 1000,
    )
    asked.clear()
    with slow:  # a round at this rate would take days
        assert asked.wait(30)
        _until(lambda: slow.is_moving)
    kept.check()
    with Keeper(journals, limits_of, every_s=0.01, now_ms=lambda: kept.now_ms) as keeper:  # type: ignore[arg-type]
        for _ in range(3):
            asked.clear()
            assert asked.wait(30)
        _until(lambda: not keeper.is_moving)


def _until(holds: Callable[[], bool]) -> None:
    for _ in range(600):
        if holds():
            return
        threading.Event().wait(0.05)
    raise AssertionError("it did not come")


def test_rounds_beside_a_writer_and_readers(tmp_path: Path) -> None:
    """What is kept in one thread never shows in another: images, and disks as they are now."""
    kept = Streamed(tmp_path, 3)
    for _ in range(20):
        kept.point()
    journals = _Journals(kept.group)
    wrong: list[str] = []
    ended = threading.Event()

    def read() -> None:
        rng = random.Random(4)
        try:
            while not ended.is_set():
                point = rng.choice(kept.group.checkpoints()[:-1])
                volume = rng.choice(kept.target.volumes)
                with suppress(NotFound):  # it went meanwhile
                    images = [kept.group.image(point.record, volume) for _ in range(2)]
                    expected = kept.held[point.record][kept.target.volumes.index(volume)]
                    for image in images:
                        start = rng.randrange(SIZE)
                        buffer = bytearray(SIZE - start)
                        image.read_into(memoryview(buffer), start)
                        if buffer != expected[start:]:
                            wrong.append(f"checkpoint {point.record} of {volume}")
                        image.close()
        except Exception as error:  # noqa: BLE001, whatever it is fails the test
            wrong.append(f"{type(error).__name__}: {error}")

    readers = [threading.Thread(target=read) for _ in range(2)]
    limits = Limits(HOUR_S)
    with Keeper(journals, lambda _name: limits, every_s=0.001, now_ms=lambda: kept.now_ms) as keeper:  # type: ignore[arg-type]
        for reader in readers:
            reader.start()
        try:
            for turn in range(150):
                kept.point(4, pinned=turn % 40 == 5)
                if turn % 25 == 24:
                    for volume, disk in zip(kept.target.volumes, kept.disks, strict=True):
                        with closing(kept.group.open_read(volume)) as now:
                            buffer = bytearray(SIZE)
                            now.read_into(memoryview(buffer), 0)
                            assert buffer == disk
        finally:
            ended.set()
            for reader in readers:
                reader.join()
        health = keeper.health(kept.group)
    assert wrong == []
    assert health is not None
    assert health.said == () or not health.said[0].startswith("history is not moved on")
    assert kept.group.log.state.promoted > 0
    kept.check()
    kept.reopen()


def test_a_group_without_a_log_has_no_health(tmp_path: Path) -> None:
    target = Target(tmp_path / "journal", ["disk-0"])
    keeper = Keeper(_Journals(target.group), lambda _name: Limits())  # type: ignore[arg-type]
    keeper.round()
    assert keeper.health(target.group) is None
    assert not target.group.is_journalled


def test_the_rate_of_today_tells_when_the_limit_is_met(tmp_path: Path) -> None:
    kept = Streamed(tmp_path)
    for _ in range(24):
        kept.point(4, minutes=10)
    size = kept.group.log.size_bytes
    rate = size / (4 * HOUR_S)
    limits = hard(2 * size)
    health = look(kept.group, limits, kept.now_ms)
    assert health.full_in_s == pytest.approx(4 * HOUR_S, rel=0.2)
    assert health.full_in_s == pytest.approx((2 * size - size) / rate, rel=0.2)
    assert any(one.startswith("at today's rate the limit of") for one in health.said)
    enough = look(kept.group, replace(limits, history_s=5 * HOUR_S), kept.now_ms)
    assert enough.full_in_s is None
    assert enough.grade is Grade.GOOD
