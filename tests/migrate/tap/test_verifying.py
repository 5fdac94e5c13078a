"""A target is compared while its group streams: what is wrong there is found, and nothing else."""

from __future__ import annotations

import errno
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from migrate.disks.extent import Extent
from migrate.disks.flat import FlatDisk
from migrate.journal.log import open_log
from migrate.replication.receiver import Receiver
from migrate.replication.trees import NODE, DiskTree, Root
from migrate.replication.zeros import GRAIN
from migrate.tap.areas import Areas
from migrate.tap.recorder import Recorder
from migrate.tap.verifying import PIECE, Looked
from planner.errors import Blocked, Paused, StepFailed
from planner.units import KIB, MIB
from tests.migrate.tap.rig import BLOCK, SIZE, VOLUMES, Far, Near

Make = Callable[..., Near]


@pytest.fixture
def make(tmp_path: Path, far: Far) -> Iterator[Make]:
    made: list[Near] = []

    def start(seed: int = 1, **how: Any) -> Near:
        made.append(Near(tmp_path / "near", far, random.Random(seed), **how))
        assert made[-1].streaming.settle(60)
        return made[-1]

    yield start
    for near in made:
        near.streaming.stop()


@contextmanager
def again_and_again(act: Callable[[], object]) -> Iterator[None]:
    """Have a guest do something all the time."""
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            act()
            stop.wait(0.001)

    guest = threading.Thread(target=write)
    guest.start()
    try:
        yield
    finally:
        stop.set()
        guest.join()


def looked(near: Near, disk: int) -> Looked:
    return near.streaming.verifying.look(disk).done.result(60)


def root_of(path: Path) -> str:
    """Return the root of a disk at rest."""
    disk = FlatDisk(path)
    tree, root = DiskTree(disk, SIZE), Root(Extent(0, SIZE))
    for at in range(0, SIZE, NODE):
        root.add(tree.node(at))
    disk.close()
    return root.hexdigest()


def test_both_sides_are_equal_while_guests_write_and_as_digests_at_rest_are(make: Make, far: Far) -> None:
    near = make()
    with again_and_again(partial(near.burst, 5)):
        looks = [near.streaming.verifying.look(number) for number in (0, 1, 0)]
        found = [look.done.result(60) for look in looks]
    assert [one.found.equal for one in found] == [True] * 3
    assert {one.found.coverage.size_bytes for one in found} == {SIZE}
    assert all(one.begun_ms <= one.ended_ms for one in found)
    assert len(near.writes.history) > 0
    assert near.streaming.settle(60)
    for number, volume in enumerate(VOLUMES):
        one = looked(near, number)
        assert one.found.here == one.found.there == root_of(near.folder / f"{volume.replace('/', '-')}.img")
        assert Looked.load(one.dump()) == one
    assert near.streaming.status().connections == 1


def test_a_look_that_was_asked_for_before_waits_until_the_group_is_whole(tmp_path: Path, far: Far) -> None:
    near = Near(tmp_path / "near", far, random.Random(1), every_s=1000.0, limit=64 * MIB)
    looks = [near.streaming.verifying.look(number) for number in (0, 1)]
    with again_and_again(partial(near.burst, 5)):
        assert all(look.done.result(60).found.equal for look in looks)
    assert near.streaming.settle(60)
    assert far.refused == []
    near.streaming.stop()


def test_a_piece_that_is_written_to_all_the_time_is_compared_as_well(make: Make, far: Far) -> None:
    near = make()
    reads = 0

    def overwritten(disk: int, offset: int, length: int) -> None:
        nonlocal reads
        reads += 1
        if reads % 4:  # only the read between two writes is left alone
            near.write(disk, (offset + length // 2) // BLOCK, 1)

    near.during_read = overwritten
    assert looked(near, 1).found.equal
    assert reads == 4 * -(-SIZE // PIECE)


@pytest.mark.parametrize("at", [5 * MIB + 17, SIZE - 1])
def test_a_byte_that_was_flipped_in_the_replica_is_found(
    make: Make, far: Far, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    monkeypatch.setattr("migrate.journal.group.open_log", partial(open_log, segment_bytes=KIB))
    near = make()
    _rewritten(near)
    point = far.group.checkpoints()[-1]
    far.group.promote(point.record)
    assert looked(near, 0).found.equal
    _flip(far.paths[VOLUMES[0]], at)
    with again_and_again(partial(near.write, 0, 0, 2)):  # what it writes over is as it should be
        found = looked(near, 0).found
    assert not found.equal
    assert found.differing == (Extent(at // GRAIN * GRAIN, min(GRAIN, SIZE - at // GRAIN * GRAIN)),)
    assert found.exact
    assert looked(near, 1).found.equal, "the other disk is as it was"


def test_a_byte_that_was_flipped_in_the_journal_is_found_and_the_stream_goes_on(make: Make, far: Far) -> None:
    near = make(every_s=1000.0)
    near.write(0, 3 * MIB // BLOCK, 16)
    assert near.streaming.settle(60)
    assert looked(near, 0).found.equal
    before = near.streaming.status().connections
    journal = max((far.store / "journal").rglob("*.segment"), key=lambda path: path.stat().st_size)
    _flip(journal, journal.stat().st_size // 2)
    found = [looked(near, number).found for number in range(len(VOLUMES))]
    assert not all(one.equal for one in found)
    near.burst(10)
    assert near.streaming.settle(60)
    assert near.streaming.status().connections == before


def test_what_the_target_holds_behind_the_end_of_its_source_is_found(make: Make, far: Far) -> None:
    near = make()
    with far.paths[VOLUMES[1]].open("r+b") as file:
        file.truncate(SIZE + MIB)
    assert looked(near, 1).found.equal
    with far.paths[VOLUMES[1]].open("r+b") as file:
        file.seek(SIZE + MIB - 1)
        file.write(b"!")
    far.cut()  # the disk is opened anew
    found = looked(near, 1).found
    assert (found.tail_zero, found.equal, found.differing) == (False, False, ())


def test_what_was_not_answered_is_asked_again_and_a_look_waits_for_the_stream(make: Make, far: Far) -> None:
    near = make()
    looks = [near.streaming.verifying.look(number) for number in (0, 1)]
    pieces, cuts = 0, 0

    def cut(_disk: int, _offset: int, _length: int) -> None:
        nonlocal pieces, cuts
        pieces += 1
        if near.streaming.status().connections == cuts:  # it is not back from the last one
            return
        if pieces >= (3, 7, 12, 1 << 20)[cuts]:
            cuts += 1
            # by a restart the receiver forgets where it was: the group is torn, and caught up
            (far.restart if cuts == 3 else far.cut)()

    near.during_read = cut
    with again_and_again(partial(near.burst, 5)):
        assert all(look.done.result(60).found.equal for look in looks)
    assert near.streaming.status().connections >= 4, (pieces, cuts)


def test_one_who_went_away_holds_nobody_up_and_an_end_is_said(make: Make, far: Far) -> None:
    near = make()
    unwanted = near.streaming.verifying.look(0)
    unwanted.is_unwanted = True
    assert looked(near, 1).found.equal
    far.is_up = False
    far.cut()
    left = near.streaming.verifying.look(0)
    near.streaming.stop()
    with pytest.raises(Paused, match="the tap ends"):
        left.done.result(60)
    with pytest.raises(Blocked, match="the tap ends"):
        near.streaming.verifying.look(0)


def test_a_disk_that_cannot_be_read_is_said_and_the_stream_goes_on(make: Make, far: Far) -> None:
    near = make()

    def broken(_disk: int, offset: int, _length: int) -> None:
        if offset == 4 * MIB:
            raise OSError(errno.EIO, "Input/output error")

    near.during_read = broken
    with pytest.raises(StepFailed, match="cannot be read: Input/output error"):
        looked(near, 0)
    near.burst(5)
    assert near.streaming.settle(60)
    assert near.streaming.status().connections == 1


def test_a_receiver_of_an_older_release_is_not_asked(
    make: Make, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Receiver._take_stream

    def overlooks(self: Receiver, link: Any, channel: Any, hello: Any, said: bytes, _flags: int) -> None:
        take(self, link, channel, hello, said, 0)

    monkeypatch.setattr(Receiver, "_take_stream", overlooks)
    near = make()
    with pytest.raises(Blocked, match="of an older release"):
        near.streaming.verifying.look(0)


def test_negative_control_a_question_that_is_asked_at_a_later_place_calls_equal_disks_different(
    make: Make, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = make()
    bring = near.streaming.verifying._bring

    def later(link: Any, upto: int) -> None:
        near.write(0, upto % (PIECE // BLOCK), 1)
        bring(link, near.recorder.last)

    monkeypatch.setattr(near.streaming.verifying, "_bring", later)
    assert not looked(near, 0).found.equal


@pytest.mark.parametrize("wrong", ["watched", "here"])
def test_negative_control_a_piece_without_a_place_of_its_own_is_seen(
    make: Make, far: Far, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    near = make()
    if wrong == "watched":
        watched = Areas.watched

        def everything(self: Areas, watch: Any) -> list[tuple[int, int]]:
            watched(self, watch)
            return [(watch.offset, watch.end - watch.offset)]

        monkeypatch.setattr(Areas, "watched", everything)
        near.during_read = lambda disk, offset, _length: near.write(disk, offset // BLOCK, 1)
    else:

        def nowhere(self: Recorder) -> int:
            near.write(0, 2 * PIECE // BLOCK, 1)
            place = self.last
            near.write(0, 0, 1)  # in the same chunk, and so in the same batch
            return place

        monkeypatch.setattr(Recorder, "here", nowhere)
    assert Extent(0, GRAIN) in looked(near, 0).found.differing


def _rewritten(near: Near) -> None:
    """Write to every block of a disk and bring all of it to checkpoints, so that whole segments have it."""
    for block in range(0, near.writes.blocks, 32):
        near.write(0, block, min(32, near.writes.blocks - block))
    for _ in range(4):  # the newest segment is not moved on
        assert near.streaming.settle(60)
        for block in range(0, 1024, 32):
            near.write(1, block, 32)
    assert near.streaming.settle(60)


def _flip(path: Path, at: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        (byte,) = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1]))
