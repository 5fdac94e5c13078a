"""Frames packed by a process beside the tap are those that would be packed here."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

import pytest

from migrate.journal.writes import Write
from migrate.replication.written import frames_of
from migrate.tap.chunks import Batch
from migrate.tap.packing import Packer
from migrate.tap.recorder import Recorder
from planner.errors import StepFailed
from planner.units import GIB, KIB, MIB


@pytest.fixture
def recorder() -> Recorder:
    recorder = Recorder(256 * MIB)
    recorder.begin()
    return recorder


@pytest.fixture
def packer(recorder: Recorder) -> Iterator[Packer]:
    packer = Packer(recorder.slabs)
    yield packer
    packer.close()


def taken(recorder: Recorder, writes: Sequence[Write]) -> Batch:
    """Return a batch of these writes."""
    for write in writes:
        recorder.add(write.disk, write.offset, write.data, write.length)
    return recorder.batch(GIB, 0)


def drawn(rng: random.Random, count: int) -> list[Write]:
    found = []
    for _ in range(count):
        length = rng.choice([1, 4 * KIB, 70_000, MIB])
        data = None if rng.random() < 0.2 else rng.randbytes(length // 2) + bytes(length - length // 2)
        found.append(Write(rng.randrange(2), rng.randrange(GIB), length, data))
    return found


def test_frames_are_the_same_as_made_here(recorder: Recorder, packer: Packer) -> None:
    rng = random.Random(1)
    after = 0
    for level, count in ((1, 50), (0, 3), (-1, 200)):
        writes = drawn(rng, count)
        told = list(packer.frames(taken(recorder, writes), (3, 8), level))
        assert told == list(frames_of(writes, after, (3, 8), level))
        after += count
        assert told[-1][0] == after
        recorder.done(after)
    zeros = [Write(0, 0, 5 * GIB // 2)]
    told = list(packer.frames(taken(recorder, zeros), (3, 8), 1))
    assert told == list(frames_of(zeros, after, (3, 8), 1))
    assert list(packer.frames(recorder.batch(MIB, 0), (3, 8), 1)) == []


def test_one_that_died_is_said_and_started_again(recorder: Recorder, packer: Packer) -> None:
    batch = taken(recorder, drawn(random.Random(2), 5))
    wanted = list(packer.frames(batch, (3, 8), 1))
    assert packer._child is not None
    packer._child.kill()
    packer._child.wait()
    with pytest.raises(StepFailed, match="ended"):
        list(packer.frames(batch, (3, 8), 1))
    assert list(packer.frames(batch, (3, 8), 1)) == wanted


def test_when_packing_holds_up_what_comes_it_is_left_out(recorder: Recorder) -> None:
    moments: list[float] = []
    packer = Packer(recorder.slabs, lambda: moments.pop(0))
    rng = random.Random(3)
    writes = [Write(0, 0, 64 * KIB, rng.randbytes(32 * KIB) + bytes(32 * KIB))]
    batch = taken(recorder, writes)

    def made(begun: float, ended: float, *, is_behind: bool = True) -> list[tuple[int, bytes]]:
        moments[:] = [begun, ended]
        return list(packer.frames(batch, (0,), 1, is_behind=is_behind))

    packed, plain = (list(frames_of(writes, 0, (0,), level)) for level in (1, 0))
    try:
        assert made(0, 5) == packed  # nothing is known yet
        assert made(6, 7) == plain  # half as much left in 1 s: to pack wins 1 s and takes 5
        assert made(10, 11) == plain  # all of it left in 3 s: to pack would win 1.5 s and takes 4 more
        assert made(31, 32) == packed  # all of it left in 20 s
        assert made(32, 33, is_behind=False) == packed
        assert made(33, 34, is_behind=False) == packed
    finally:
        packer.close()
