"""A tap streams, whatever happens: each checkpoint is a prefix of the order of writes, and none is lost."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from migrate.journal.group import Asked
from migrate.journal.state import torn_mark
from migrate.replication import streaming as taking
from migrate.replication.passes import Mode as PassMode
from migrate.replication.passes import PassSpec
from migrate.replication.receiver import Receiver
from migrate.replication.sender import greet, send_pass
from migrate.replication.wire import FLAG_TABLES
from migrate.sites.ports import Consistency, Extent
from migrate.tap.areas import Areas
from migrate.tap.chunks import Point
from migrate.tap.recorder import Mode
from planner.errors import Blocked, ProjectBusy
from planner.units import MIB
from tests.migrate.tap.rig import BLOCK, SIZE, VOLUMES, Far, Near, Writes, until

Make = Callable[..., Near]


@pytest.fixture(autouse=True)
def _quick_to_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migrate.tap.streaming.BEAT_S", 0.2)


@pytest.fixture
def make(tmp_path: Path, far: Far) -> Iterator[Make]:
    made: list[Near] = []

    def start(seed: int = 1, name: str = "near", **how: Any) -> Near:
        made.append(Near(tmp_path / name, far, random.Random(seed), **how))
        return made[-1]

    yield start
    for near in made:
        near.streaming.stop()


def checked(near: Near, far: Far) -> int:
    """Check every checkpoint that is offered and return how many there are."""
    points = far.group.checkpoints()
    last = 0
    for point in points:
        count = near.writes.prefix(far.image(point.record))
        assert count is not None, f"checkpoint {point.record} is of no moment"
        assert count >= last
        last = count
    return len(points)


def point(near: Near, name: str) -> tuple[int, int]:
    """Have a checkpoint made and return its record and after how many writes it is."""
    with near.front:
        count = len(near.writes.history)
        asked = near.streaming.checkpoint(Point(1_000, Consistency.FILESYSTEM, name, pinned=True))
    return asked.made.result(30), count


def test_what_is_streamed_is_a_prefix_at_each_checkpoint(make: Make, far: Far) -> None:
    near = make()
    for number in range(5):
        near.burst(20)
        assert near.streaming.settle(30)
        record, count = point(near, f"point [{number}]")
        assert far.image(record) == near.writes.content(count)
        found = far.group.find(f"point [{number}]")
        assert (found.record, found.consistency, found.pinned) == (record, Consistency.FILESYSTEM, True)
    assert checked(near, far) >= 6
    assert near.is_as_written()
    status = near.streaming.status()
    assert (status.mode, status.connected, status.why, status.age_s) == (Mode.STREAMING, True, "", 0.0)
    assert status.word == "streaming"
    assert status.checkpoints >= 6


@pytest.mark.parametrize("older", ["receiver", "tap"])
def test_with_an_end_of_an_older_release_tags_are_over_whole_frames(
    make: Make, far: Far, monkeypatch: pytest.MonkeyPatch, older: str
) -> None:
    agreed: list[bool] = []
    begin, take = greet, Receiver._take_stream

    def greets(channel: Any, hello: Any, *, tables: bool, **asked: bool) -> Any:
        link, welcome = begin(channel, hello, tables=tables and older != "tap", **asked)
        agreed.append(welcome.tables)
        return link, welcome

    def overlooks(self: Receiver, link: Any, channel: Any, hello: Any, said: bytes, flags: int) -> None:
        take(self, link, channel, hello, said, flags & ~FLAG_TABLES if older == "receiver" else flags)

    monkeypatch.setattr("migrate.tap.streaming.greet", greets)
    monkeypatch.setattr(Receiver, "_take_stream", overlooks)
    near = make()
    near.burst(40)
    assert near.streaming.settle(30)
    record, count = point(near, "with older ones")
    assert far.image(record) == near.writes.content(count)
    assert set(agreed) == {False}


def test_a_large_write_is_in_a_checkpoint_as_a_whole(make: Make, far: Far) -> None:
    near = make(limit=16 * MIB)
    assert near.streaming.settle(30)
    for _ in range(6):
        near.write(0, 0, 1000)  # 4 MB, many frames
        near.write(1, 5, 1)
        if not far.group.unrest():
            far.group.checkpoint(Asked("asked at the receiver"))
    assert near.streaming.settle(30)
    assert checked(near, far) >= 2


def ordeal(near: Near, far: Far, rng: random.Random, rounds: int) -> set[str]:
    """Do to both ends what happens to them and return what was done."""
    done = set()
    for _ in range(rounds):
        what = rng.choice(("cut", "down", "restart", "overflow", "killed", "ended", "asked", "nothing"))
        done.add(what)
        near.burst(rng.randint(1, 25))
        if what == "cut":
            far.cut()
        elif what == "down":
            far.is_up = False
            far.cut()
            near.burst(rng.randint(1, 25))
            far.is_up = True
        elif what == "restart":
            far.restart()
        elif what == "overflow":
            far.is_up = False
            far.cut()
            near.burst(8, most=500)
            far.is_up = True
        elif what == "killed":
            near.kill()
            near.start()
        elif what == "ended":
            near.streaming.settle(rng.choice((0.0, 30.0)))
            near.kill()
            near.start()
        elif what == "asked" and not far.group.unrest():
            far.group.checkpoint(Asked("asked"))
        near.burst(rng.randint(0, 25))
        if rng.random() < 0.5:
            assert near.streaming.settle(60)
    return done


@pytest.mark.parametrize("seed", [1, 2, 3, *(pytest.param(n, marks=pytest.mark.soak) for n in range(4, 40))])
def test_whatever_happens_checkpoints_are_prefixes_and_the_last_is_the_source(
    make: Make, far: Far, seed: int
) -> None:
    rng = random.Random(seed)
    near = make(seed)
    done = ordeal(near, far, rng, 8)
    assert near.streaming.settle(60)
    record, count = point(near, "in the end")
    assert count == len(near.writes.history)
    assert far.image(record) == near.writes.content(count)
    points = checked(near, far)
    assert near.is_as_written()
    status = near.streaming.status()
    print(
        f"seed {seed}: {count} writes, {points} checkpoints, {sorted(done)}, {status.connections} connections"
    )


def test_a_line_that_was_cut_for_a_moment_costs_no_copying(make: Make, far: Far) -> None:
    near = make()
    near.burst(30)
    assert near.streaming.settle(30)
    torn: list[bool] = []
    begin = near.copying.begin

    def noticed(*, full: bool) -> int:
        torn.append(full)
        return begin(full=full)

    near.copying.begin = noticed  # type: ignore[method-assign]
    for _ in range(5):
        near.burst(10)
        far.cut()
        near.burst(10)
        assert near.streaming.settle(30)
    assert torn == []
    assert far.image(point(near, "last")[0]) == near.writes.content()
    checked(near, far)


def test_a_receiver_that_died_gets_what_is_hot_and_no_more(make: Make, far: Far) -> None:
    near = make()
    assert near.streaming.settle(30)
    near.write(0, 3, 2)
    assert near.streaming.settle(30)
    far.is_up = False
    far.restart()
    near.write(1, 900, 5)
    before = near.streaming.status().sent_bytes
    far.is_up = True
    until(lambda: near.streaming.status().connections == 2)
    assert near.streaming.settle(30)
    assert near.streaming.status().sent_bytes - before < 1 * MIB
    assert far.image(point(near, "last")[0]) == near.writes.content()


def test_a_first_copy_that_is_cut_goes_on_where_it_was(make: Make, far: Far) -> None:
    read: list[tuple[int, int]] = []

    def during(disk: int, offset: int, _length: int) -> None:
        read.append((disk, offset))
        near.in_front(lambda: near.opened.areas.tend(near.recorder.last))  # as is done all the time
        if len(read) in {9, 18}:
            far.cut()

    far.is_up = False
    near = make(every_s=1000.0)
    for disk in (0, 1):  # so that there is something to wait for
        for block in range(0, near.writes.blocks, 200):
            near.write(disk, block, min(200, near.writes.blocks - block))
    near.during_read = during
    far.is_up = True
    assert near.streaming.settle(30)
    pieces = 2 * -(-SIZE // MIB)
    assert near.streaming.status().connections >= 2
    assert len(read) <= pieces + 8  # begun anew it were twice as many
    assert set(read) == {(disk, at * MIB) for disk in (0, 1) for at in range(pieces // 2)}
    assert far.image(point(near, "last")[0]) == near.writes.content()


def test_another_process_of_the_tap_begins_a_first_copy_anew(make: Make, far: Far) -> None:
    near = make(every_s=1000.0)
    near.during_read = lambda disk, _offset, _length: far.cut() if disk else None
    far.cut()
    until(lambda: near.streaming.status().connections >= 2)
    near.kill()
    assert far.group.checkpoints() == []
    near.start()
    near.during_read = lambda _disk, _offset, _length: None
    assert near.streaming.settle(30)
    assert far.image(point(near, "last")[0]) == near.writes.content()


def test_a_target_that_says_nothing_is_said(make: Make, far: Far, monkeypatch: pytest.MonkeyPatch) -> None:
    near = make()
    assert near.streaming.settle(30)
    gate = threading.Event()
    commit = far.group.log.commit

    def late() -> int:
        assert gate.wait(30)
        return commit()

    monkeypatch.setattr(far.group.log, "commit", late)
    monkeypatch.setattr(near.streaming, "_target_s", 0.1)
    near.write(0, 5, 1)
    until(lambda: "the target has said nothing for" in near.streaming.status().why)
    assert (near.streaming.status().age_s or 0) > 0.1
    gate.set()
    assert near.streaming.settle(30)
    assert near.streaming.status().why == ""
    until(lambda: (near.streaming.status().p99_s or 0) > 0.1)


def test_a_checkpoint_asked_for_while_the_line_is_down_is_of_when_the_tap_last_spoke(
    make: Make, far: Far
) -> None:
    near = make()
    near.burst(3)
    assert near.streaming.settle(30)
    far.is_up = False
    far.cut()
    until(lambda: not near.streaming.status().connected)
    assert (near.streaming.status().mode, near.streaming.status().word) == (Mode.STREAMING, "cut off")
    spoke = time.time_ns() // 1_000_000
    time.sleep(0.02)
    asked = far.group.checkpoint(Asked("the line is down"))
    assert asked is not None
    assert spoke - 60_000 < asked.at_ms <= spoke
    far.restart()
    again = far.group.checkpoint(Asked("and the receiver was begun anew"))
    assert again is not None
    assert again.at_ms == asked.at_ms
    assert far.image(again.record) == near.writes.content()


def test_memory_is_bounded_and_a_full_buffer_is_said(make: Make, far: Far) -> None:
    far.is_up = False
    near = make()
    far.is_up = True
    assert near.streaming.settle(30)
    far.is_up = False
    far.cut()
    for _ in range(60):
        near.burst(5, most=500)
        assert near.recorder.held_bytes <= near.recorder.limit_bytes
    until(lambda: not near.streaming.status().connected)
    status = near.streaming.status()
    assert (status.mode, status.word) == (Mode.MAPPED, "mapped")
    assert status.overflows >= 1
    assert "nobody answers" in status.why
    assert status.age_s is not None
    assert status.age_s > 0
    with pytest.raises(Blocked, match=r"buffer of 4\.0 MiB was full"):
        near.streaming.checkpoint(Point(0))
    far.is_up = True
    assert near.streaming.settle(60)
    assert far.image(point(near, "last")[0]) == near.writes.content()
    checked(near, far)


def test_a_full_journal_is_said_and_the_stream_goes_on_when_there_is_room(make: Make, far: Far) -> None:
    near = make()
    near.burst(10)
    assert near.streaming.settle(30)
    far.group.log.allowance.limit_bytes = far.group.log.size_bytes + 64 * 1024
    rng = random.Random(5)
    for _ in range(40):
        near.burst(5)
        near.disks[0].write(rng.randbytes(BLOCK), 0)  # does not pack
        near.writes.history.append((0, 0, 1, 0))
        near.write(0, 0, 1)
    until(lambda: "no room" in near.streaming.status().why)
    far.group.log.allowance.limit_bytes = 0
    assert near.streaming.settle(60)
    assert far.image(point(near, "last")[0]) == near.writes.content()


def test_what_is_written_while_an_area_is_read_is_not_undone(make: Make, far: Far) -> None:
    near = make(every_s=1000.0)
    near.during_read = _overwritten(near)
    assert near.streaming.settle(60)
    assert far.image(point(near, "last")[0]) == near.writes.content()
    assert len(near.writes.history) > 10


def test_negative_control_a_copy_that_undoes_writes_is_seen(
    make: Make, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Areas.watched

    def everything(self: Areas, watch: Any) -> list[tuple[int, int]]:
        watched(self, watch)
        return [(watch.offset, watch.end - watch.offset)]

    monkeypatch.setattr(Areas, "watched", everything)
    near = make(every_s=1000.0)
    near.during_read = _overwritten(near)
    assert near.streaming.settle(60)
    assert far.image(point(near, "last")[0]) != near.writes.content()


def _overwritten(near: Near) -> Callable[[int, int, int], None]:
    def during(disk: int, offset: int, length: int) -> None:
        if len(near.writes.history) < 40:
            near.write(disk, (offset + length // 2) // BLOCK, 1)

    return during


def _torn(near: Near, far: Far) -> Iterator[int | None]:
    """Ask for a checkpoint in the middle of a catch-up; yield what it is a prefix of, None for nothing."""
    assert near.streaming.settle(30)
    far.is_up = False
    far.restart()
    before = far.group.log.last
    near.write(1, 2000, 1)
    near.write(0, 10, 1)
    near.in_front(lambda: near.opened.areas.lose(0, 0, SIZE))  # it comes first
    seen: list[object] = []

    def during(disk: int, _offset: int, _length: int) -> None:
        if disk == 1 and not seen:
            until(lambda: far.group.log.last > before + 8)
            seen.append(far.group.unrest() or far.group.checkpoint(Asked("middle")))

    near.during_read = during
    far.is_up = True
    assert near.streaming.settle(30)
    assert seen
    if not isinstance(seen[0], str):
        yield near.writes.prefix(far.image(far.group.find("middle").record))


def test_nothing_is_offered_in_the_middle_of_a_catch_up(make: Make, far: Far) -> None:
    assert list(_torn(make(every_s=1000.0), far)) == []


def test_negative_control_a_catch_up_that_is_not_marked_is_seen(
    make: Make, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "torn_mark", lambda _why: torn_mark(""))
    assert list(_torn(make(every_s=1000.0), far)) == [None]


def test_a_second_tap_of_a_group_loses(make: Make, far: Far, tmp_path: Path) -> None:
    first = make()
    first.burst(5)
    assert first.streaming.settle(30)
    second = make(2, "second")
    until(lambda: bool(far.refused))
    assert "has another tap, of generation 0" in far.refused[-1]
    first.kill()
    count = len(far.refused)
    # whether the other one is there or not; that its connection ended is told among them
    until(lambda: sum("has another tap" in why for why in far.refused[count:]) > 1)
    assert second.recorder.mode is Mode.MAPPED
    assert first.writes.prefix(far.image(far.group.checkpoints()[-1].record)) is not None
    second.kill()
    third = make(2, "second", writes=second.writes, generation=1)
    assert third.streaming.settle(30)
    first.start()
    until(lambda: "another tap, of generation 1" in first.streaming.status().why)
    assert far.image(point(third, "last")[0]) == third.writes.content()


def test_two_processes_of_one_tap_do_not_take_turns(make: Make, far: Far) -> None:
    first = make(every_s=1000.0)
    assert first.streaming.settle(30)
    second = make(2, "second", tap=first.opened.name, every_s=1000.0)
    assert second.streaming.settle(30)
    until(lambda: "another process of this tap" in first.streaming.status().why)
    second.burst(3)
    assert second.streaming.settle(30)
    assert second.streaming.status().connections == 1


def test_a_pass_and_a_stream_keep_each_other_out_and_know_of_each_other(make: Make, far: Far) -> None:
    near = make()
    near.burst(20)
    assert near.streaming.settle(30)
    disks = near.opened.disks

    def send(volume: int, mode: PassMode, pass_id: str, cycle: str = "c") -> Any:
        spec = PassSpec(VOLUMES[volume], pass_id, SIZE, 0, "e/1", "e/2", cycle=cycle)
        channel = far.connect()
        try:
            return send_pass(disks[volume], channel, spec, mode=mode, extents=[Extent(0, BLOCK)])
        finally:
            channel.close()

    with pytest.raises(ProjectBusy):
        send(0, PassMode.DELTA, "p1")
    near.streaming.stop()
    with pytest.raises(Blocked):
        near.streaming.checkpoint(Point(0))
    assert send(0, PassMode.DELTA, "p1").mode is PassMode.COMPARE
    near.kill()
    near.disks[0].close()
    near.start()
    near.write(0, 7, 1)
    assert near.streaming.settle(30)
    assert far.image(point(near, "last")[0]) == near.writes.content()
    checked(near, far)


def test_writes_of_all_kinds_are_told_apart() -> None:
    """The oracle itself: what holds a later write and lacks an earlier one is no prefix."""
    writes = Writes(2)
    writes.history = [(0, 0, 2, 1), (1, 0, 1, 2), (0, 1, 1, 0), (1, 5, 1, 4)]
    for count in range(5):
        assert writes.prefix(writes.content(count)) == count
    mixed = writes.content(4)
    mixed[0][1] = 1
    assert writes.prefix(mixed) is None
    mixed = writes.content(2)
    mixed[0][0] = 0
    assert writes.prefix(mixed) is None
