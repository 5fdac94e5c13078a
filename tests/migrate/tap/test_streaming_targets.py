"""What a target may be taken to have: of a tap it does not know, after passes, after a failed journal."""

from __future__ import annotations

import errno
import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk
from migrate.replication.link import Link
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.sender import send_pass
from migrate.replication.standing import Standing
from migrate.replication.wire import Frame, WireError
from migrate.sites.ports import Extent
from migrate.tap.chunks import Point
from migrate.tap.mapfile import seen
from migrate.tap.recorder import Mode as Kept
from planner.units import MIB
from tests.migrate.tap.rig import BLOCK, SIZE, VOLUMES, Far, Near, filled, until


@pytest.fixture
def near(tmp_path: Path, far: Far) -> Iterator[Near]:
    made = Near(tmp_path / "near", far, random.Random(3), every_s=1000.0)
    yield made
    made.streaming.stop()


def is_right(near: Near, far: Far) -> bool:
    asked = near.streaming.checkpoint(Point(1_000))
    return far.image(asked.made.result(30)) == near.writes.content()


def end_in_order(near: Near) -> None:
    """End the tap as it ends by itself: only what differs from its target is hot."""
    near.streaming.stop()
    for _ in range(3):
        near.opened.areas.tend(near.recorder.last)
    for disk in near.disks:
        disk.flush()
    near.opened.areas.close([seen(disk.fileno()) for disk in near.disks])
    for disk in near.disks:
        disk.close()


def eras(near: Near) -> list[bool]:
    """Return a list that gets whether all is copied, each time that it catches up."""
    begun: list[bool] = []
    begin = near.copying.begin

    def noticed(*, full: bool) -> int:
        begun.append(full)
        return begin(full=full)

    near.copying.begin = noticed  # type: ignore[method-assign]
    return begun


def test_a_target_that_does_not_know_the_tap_gets_everything(near: Near, far: Far, tmp_path: Path) -> None:
    near.burst(10)
    assert near.streaming.settle(30)
    end_in_order(near)
    near.start()
    assert near.streaming.settle(30)
    assert near.opened.areas.hot_count() == 0
    other = Far(tmp_path / "other")
    near.kill()
    near.far = other
    near.start()
    reads = 0

    def during(_disk: int, _offset: int, _length: int) -> None:
        nonlocal reads
        reads += 1
        if reads == 5:
            other.cut()

    near.during_read = during
    until(lambda: reads > 5)
    near.kill()  # in the middle of a first copy, and its map does not tell
    assert other.group.checkpoints() == []
    near.start()
    assert near.streaming.settle(30)
    assert is_right(near, other)
    near.streaming.stop()
    other.end()


def test_a_new_tap_copies_no_more_than_its_target_lacks(tmp_path: Path, far: Far) -> None:
    far.is_up = False
    near = Near(tmp_path / "near", far, random.Random(3), every_s=1000.0)
    for volume, content in zip(VOLUMES, near.writes.initial, strict=True):
        copy = bytearray(filled(content))
        copy[3 * MIB : 3 * MIB + 5] = b"other"
        copy[SIZE - 1] ^= 1
        far.paths[volume].write_bytes(copy)
    near.during_read = lambda _disk, _offset, _length: near.burst(1, most=1)
    near.burst(5, most=1)
    far.is_up = True
    assert near.streaming.settle(30)
    assert is_right(near, far)
    assert near.copying.same_bytes > 1.5 * SIZE, "of two disks"
    near.kill()
    near.during_read = lambda _disk, _offset, _length: None
    near.start()  # what it calls hot is all that was written to, and the target has all of it
    assert near.opened.areas.hot_count() > 0
    assert near.streaming.settle(30)
    assert near.copying.same_bytes > 2 * MIB
    assert near.streaming.status().sent_bytes == 0
    assert is_right(near, far)
    near.streaming.stop()


def test_a_target_that_does_not_know_what_it_holds_gets_everything(tmp_path: Path, far: Far) -> None:
    far.is_up = False
    near = Near(tmp_path / "near", far, random.Random(3), every_s=1000.0)
    for volume, content in zip(VOLUMES, near.writes.initial, strict=True):
        far.paths[volume].write_bytes(filled(content))
        far.open_log(volume).poison([Extent(0, SIZE)])  # written, and nobody knows whether for good
    far.is_up = True
    assert near.streaming.settle(30)
    assert near.copying.same_bytes == 0
    assert is_right(near, far)
    near.streaming.stop()


def test_a_receiver_of_an_older_release_is_asked_once_and_gets_everything(
    tmp_path: Path, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[int] = []

    def as_it_was(_standing: Standing, _link: Link, frame: Frame) -> None:
        refused.append(frame.length)
        raise WireError(f"a peer said {frame.kind.name} where that makes no sense")

    monkeypatch.setattr(Standing, "tell", as_it_was)
    near = Near(tmp_path / "near", far, random.Random(3), every_s=1000.0)
    near.burst(5, most=1)
    assert near.streaming.settle(30)
    assert is_right(near, far)
    assert (len(refused), near.copying.same_bytes) == (1, 0)
    near.kill()
    near.start()
    assert near.streaming.settle(30)
    assert is_right(near, far)
    assert len(refused) == 2, "it may be newer by now"
    near.streaming.stop()


def test_a_buffer_that_was_full_while_the_target_took_its_time(
    near: Near, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert near.streaming.settle(30)
    gate = threading.Event()
    commit = far.group.log.commit

    def late() -> int:
        assert gate.wait(30)
        return commit()

    monkeypatch.setattr(far.group.log, "commit", late)
    near.write(0, 5, 1)
    until(lambda: near.recorder._flight != near.recorder._queue)
    threading.Event().wait(0.2)
    assert near.recorder.held_bytes > BLOCK  # not given back before it is durable there
    while near.recorder.mode is Kept.STREAMING:
        near.burst(1, most=300)
    gate.set()
    assert near.streaming.settle(30)
    assert near.streaming.status().connections == 1
    assert is_right(near, far)


def send(far: Far, volume: int, disk: FlatDisk, mode: Mode, pass_id: str, base: str) -> PassResult:
    channel = far.connect()
    try:
        spec = PassSpec(VOLUMES[volume], pass_id, SIZE, 0, base, "e/1")
        return send_pass(disk, channel, spec, mode=mode, extents=[Extent(0, BLOCK)])
    finally:
        channel.close()


def test_passes_and_streams_take_nothing_for_known_that_the_other_wrote(tmp_path: Path, far: Far) -> None:
    (tmp_path / "strange").write_bytes(random.Random(1).randbytes(SIZE))
    strange = FlatDisk(tmp_path / "strange")
    for volume in range(len(VOLUMES)):
        assert send(far, volume, strange, Mode.SEED, "p1", "").complete
    near = Near(tmp_path / "near", far, random.Random(3), every_s=1000.0)
    begun = eras(near)
    near.burst(5)
    assert near.streaming.settle(30)
    assert is_right(near, far)
    near.kill()
    assert send(far, 0, strange, Mode.DELTA, "p2", "e/1").mode is Mode.COMPARE
    near.start()
    begun = eras(near)
    assert near.streaming.settle(30)
    assert begun in ([], [True])  # it may have begun before we looked
    assert is_right(near, far)
    near.streaming.stop()
    strange.close()


def test_after_a_journal_that_failed_nothing_is_taken_for_sent(
    near: Near, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert near.streaming.settle(30)
    begun = eras(near)
    files = far.group._files
    assert files is not None

    def broken(_number: int) -> None:
        raise OSError(errno.EIO, "injected")

    monkeypatch.setattr(files, "sync", broken)
    near.write(0, 5, 1)
    assert near.streaming.settle(30) or begun
    until(lambda: begun == [False])
    assert near.streaming.settle(30)
    assert any("the target disk failed" in said or "failed before" in said for said in far.refused)
    assert is_right(near, far)
