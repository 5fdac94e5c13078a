"""Passes end to end in memory: every mode, resume, refusal and failure."""

from __future__ import annotations

import errno
import random
import threading

import pytest

from migrate.replication.passes import Mode, PassResult, PassSpec, Progress
from migrate.replication.progress import ProgressLog
from migrate.sites.ports import Extent
from planner.errors import BadInput, NoSpace, ProjectBusy, SiteRefused, StepFailed
from tests.migrate.replication.model import KIB, MemoryDisk, World, change, make_content

SIZE = 1024 * KIB + 1536


def spec(pass_id: str = "p1", **more: object) -> PassSpec:
    return PassSpec("vm-1/disk 0", pass_id, SIZE, **more)  # type: ignore[arg-type]


def done(outcome: object) -> PassResult:
    assert isinstance(outcome, PassResult), outcome
    return outcome


@pytest.fixture
def content() -> bytes:
    return make_content(random.Random(1), SIZE)


@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("level", [0, 1])
def test_seed_into_an_empty_and_into_a_used_disk(
    content: bytes, overlap: bool, workers: int, level: int
) -> None:
    empty = World(MemoryDisk(SIZE), overlap=overlap)
    result = done(empty.send(MemoryDisk(content), spec(), Mode.SEED, workers=workers, level=level))
    assert bytes(empty.disk.durable) == content
    assert result.complete
    assert result.zero_bytes == 0  # an empty target needs no zeros
    used = World(MemoryDisk(random.Random(2).randbytes(SIZE)), overlap=overlap)
    result = done(used.send(MemoryDisk(content), spec(), Mode.SEED, workers=workers, level=level))
    assert bytes(used.disk.durable) == content
    assert result.zero_bytes > 0


def test_a_larger_target_is_zero_behind_its_source(content: bytes) -> None:
    world = World(MemoryDisk(random.Random(2).randbytes(SIZE + 100 * KIB)))
    done(world.send(MemoryDisk(content), spec(), Mode.SEED))
    assert bytes(world.disk.durable) == content + bytes(100 * KIB)


def test_delta_sends_only_its_areas_and_stands_on_its_base(content: bytes) -> None:
    world = World(MemoryDisk(SIZE))
    done(world.send(MemoryDisk(content), spec(change="e/1"), Mode.SEED))
    newer, areas = change(random.Random(3), content)
    result = done(
        world.send(MemoryDisk(newer), spec("p2", base="e/1", change="e/2"), Mode.DELTA, extents=areas)
    )
    assert result.mode is Mode.DELTA
    assert bytes(world.disk.durable) == newer
    assert result.sent_bytes + result.zero_bytes <= sum(area.length for area in areas)
    # the same base again is a lie now: the receiver stands on e/2
    newest, areas = change(random.Random(4), newer)
    result = done(
        world.send(MemoryDisk(newest), spec("p3", base="e/1", change="e/3"), Mode.DELTA, extents=[])
    )
    assert result.mode is Mode.COMPARE
    assert "stands on" in result.why
    assert bytes(world.disk.durable) == newest


def test_a_delta_does_not_stand_on_what_another_one_left_half_done(content: bytes) -> None:
    world = World(MemoryDisk(SIZE))
    done(world.send(MemoryDisk(content), spec(change="e/1"), Mode.SEED))
    rng = random.Random(3)
    newer, areas = change(rng, content)
    newest, more = change(rng, newer)
    asked = iter(range(1000))
    part = done(
        world.send(MemoryDisk(newest), spec("p3", base="e/1", change="e/3"), Mode.DELTA,
                   extents=areas + more, stop=lambda: next(asked) > 9)
    )  # fmt: skip
    assert not part.complete
    assert bytes(world.disk.durable) != content
    older = done(
        world.send(MemoryDisk(newer), spec("p2", base="e/1", change="e/2"), Mode.DELTA, extents=areas)
    )
    assert older.mode is Mode.COMPARE
    assert "half done" in older.why
    assert bytes(world.disk.durable) == newer


def test_compare_sends_what_differs_and_nothing_else(content: bytes) -> None:
    world = World(MemoryDisk(content))
    newer, areas = change(random.Random(5), content, writes=2)
    result = done(world.send(MemoryDisk(newer), spec(), Mode.COMPARE, block_bytes=256 * KIB))
    assert bytes(world.disk.durable) == newer
    assert 0 < result.sent_bytes + result.zero_bytes <= len(areas) * 2 * 64 * KIB


@pytest.mark.parametrize("used", [False, True])
def test_where_lay_what_a_pass_brought_is_counted(used: bool) -> None:
    size = 96 * 64 * KIB
    content = bytearray(size)
    for grain in (5, 6, 40):
        content[grain * 64 * KIB : (grain + 1) * 64 * KIB] = random.Random(grain).randbytes(64 * KIB)
    world = World(MemoryDisk(random.Random(9).randbytes(size)) if used else MemoryDisk(size))
    what = PassSpec("v", "p1", size)
    seeded = done(world.send(MemoryDisk(bytes(content)), what, Mode.SEED))
    assert [at for at, digit in enumerate(seeded.moved) if digit > "0"] == [5, 6, 40], "zeros are no content"
    assert (seeded.areas, seeded.longest_bytes) == (2, 128 * KIB)
    content[40 * 64 * KIB : 41 * 64 * KIB] = bytes(64 * KIB)
    content[90 * 64 * KIB] = 7
    compared = done(world.send(MemoryDisk(bytes(content)), PassSpec("v", "p2", size), Mode.COMPARE))
    assert [at for at, digit in enumerate(compared.moved) if digit > "0"] == [40, 90], "what became zeros too"
    equal = done(world.send(MemoryDisk(bytes(content)), PassSpec("v", "p3", size), Mode.COMPARE))
    assert set(equal.moved) == {"0"}
    again = done(world.send(MemoryDisk(bytes(content)), PassSpec("v", "p3", size), Mode.COMPARE))
    assert not again.moved, "it was there before: nobody counted"


def test_a_completed_pass_is_not_repeated(content: bytes) -> None:
    world = World(MemoryDisk(SIZE))
    done(world.send(MemoryDisk(content), spec(), Mode.SEED))
    writes = world.disk.writes
    again = done(world.send(MemoryDisk(content), spec(), Mode.SEED))
    assert again.complete
    assert again.read_bytes == 0
    assert world.disk.writes == writes


def test_a_stopped_pass_resumes_where_it_was(content: bytes) -> None:
    world = World(MemoryDisk(SIZE))
    asked = iter(range(1000))
    part = done(world.send(MemoryDisk(content), spec(), Mode.SEED, stop=lambda: next(asked) > 7))
    assert not part.complete
    rest = done(world.send(MemoryDisk(content), spec(), Mode.SEED))
    assert rest.resumed_bytes > 0
    assert rest.read_bytes + part.read_bytes <= SIZE
    assert bytes(world.disk.durable) == content


@pytest.mark.parametrize("asks", [0, 1, 3, 9])
def test_a_stopped_comparison_ends_cleanly(content: bytes, asks: int) -> None:
    world = World(MemoryDisk(random.Random(2).randbytes(SIZE)))
    asked = iter(range(1000))
    part = done(world.send(MemoryDisk(content), spec(), Mode.COMPARE, stop=lambda: next(asked) >= asks))
    assert not part.complete
    done(world.send(MemoryDisk(content), spec(), Mode.COMPARE))
    assert bytes(world.disk.durable) == content


def test_progress_reaches_its_total(content: bytes) -> None:
    seen: list[Progress] = []
    ticks = iter(range(10**6))
    world = World(MemoryDisk(SIZE))
    world.send(MemoryDisk(content), spec(), Mode.SEED, progress=seen.append, clock=lambda: next(ticks))
    assert len(seen) > 3
    assert seen[-1].done_bytes == seen[-1].total_bytes > 0
    assert [item.done_bytes for item in seen] == sorted(item.done_bytes for item in seen)


def test_full_target_keeps_what_was_acknowledged(content: bytes) -> None:
    world = World(MemoryDisk(SIZE), ack_bytes=64 * KIB)
    world.disk.write_fails_at = (6, errno.ENOSPC)
    refused = world.send(MemoryDisk(content), spec(), Mode.SEED)
    assert isinstance(refused, NoSpace)
    assert "full" in refused.message
    assert world.acknowledged
    world.disk.write_fails_at = None
    result = done(world.send(MemoryDisk(content), spec(), Mode.SEED))
    assert result.mode is Mode.SEED  # no resync
    assert result.resumed_bytes > 0
    assert bytes(world.disk.durable) == content


def test_a_failing_write_is_told(content: bytes) -> None:
    world = World(MemoryDisk(SIZE))
    world.disk.write_fails_at = (3, errno.EIO)
    assert isinstance(world.send(MemoryDisk(content), spec(), Mode.SEED), StepFailed)


@pytest.mark.parametrize("overlap", [False, True])
def test_after_a_failed_flush_the_suspect_runs_are_sent_again(content: bytes, overlap: bool) -> None:
    """The kernel forgets dirty pages after a failed flush while reads still show them."""
    world = World(MemoryDisk(SIZE), overlap=overlap)
    world.disk.flush_fails_at = 2
    failed = world.send(MemoryDisk(content), spec(), Mode.SEED)
    assert isinstance(failed, StepFailed)
    assert world.disk.flushes == 2  # never retried
    assert bytes(world.disk.durable) != content
    result = done(world.send(MemoryDisk(content), spec(), Mode.SEED))
    assert result.mode is Mode.COMPARE
    assert "flush failed" in result.why
    world.disk.lose_power(random.Random(0))
    assert bytes(world.disk.durable) == content


def test_negative_control_a_comparison_that_trusts_reads_misses_a_failed_flush(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(MemoryDisk(SIZE))
    world.disk.flush_fails_at = 2
    monkeypatch.setattr(ProgressLog, "poison", lambda _self, _runs: None)
    world.send(MemoryDisk(content), spec(), Mode.SEED)
    world.send(MemoryDisk(content), spec("p2"), Mode.COMPARE)
    world.disk.lose_power(random.Random(0))
    assert bytes(world.disk.durable) != content


def test_an_older_generation_is_refused(content: bytes) -> None:
    world = World(MemoryDisk(SIZE))
    done(world.send(MemoryDisk(content), spec(generation=5), Mode.SEED))
    before = bytes(world.disk.seen)
    refused = world.send(MemoryDisk(bytes(SIZE)), spec("p2", generation=4), Mode.SEED)
    assert isinstance(refused, SiteRefused)
    assert "generation 5" in refused.message
    assert bytes(world.disk.seen) == before


def test_a_second_writer_is_refused_and_a_newer_one_takes_over(content: bytes) -> None:
    world = World(MemoryDisk(SIZE))
    world.leases._patience_s = 0.2
    inside, go = threading.Event(), threading.Event()
    other: list[object] = []

    def wait() -> bool:
        inside.set()
        go.wait(120)
        return False

    thread = threading.Thread(
        target=lambda: other.append(world.send(MemoryDisk(content), spec(generation=2), Mode.SEED, stop=wait))
    )
    thread.start()
    assert inside.wait(120)
    refused = world.send(MemoryDisk(content), spec("p2", generation=2), Mode.SEED)
    assert isinstance(refused, ProjectBusy)
    world.leases._patience_s = 10
    newer = make_content(random.Random(9), SIZE)
    result = done(world.send(MemoryDisk(newer), spec("p3", generation=3), Mode.SEED))
    assert result.complete
    go.set()
    thread.join(120)
    assert not isinstance(other[0], PassResult)
    assert bytes(world.disk.durable) == newer


def test_too_small_a_target_and_bad_areas_are_refused(content: bytes) -> None:
    world = World(MemoryDisk(SIZE - 512))
    assert isinstance(world.send(MemoryDisk(content), spec(), Mode.SEED), SiteRefused)
    outside = [Extent(SIZE - 10, 11)]
    assert isinstance(world.send(MemoryDisk(content), spec(), Mode.DELTA, extents=outside), BadInput)
