"""Replication under enumerated crashes and arbitrary content.

A receiver dies at every operation, a connection breaks at every message; power is lost; the pass
resumes. In the end the target equals the source, and at no time was anything acknowledged that was not
durable. Mutants that break a rule must be noticed by the same checks.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.sink import DiskSink
from migrate.sites.ports import Extent
from planner.errors import WherryError
from tests.migrate.replication.model import KIB, MemoryDisk, World, change, make_content

SIZE = 640 * KIB + 512
CASES = ["seed empty", "seed used", "delta", "compare"]


class Setting:
    """A source and a target before a pass, always the same for a case and a seed."""

    def __init__(self, case: str, seed: int, make_sink: Callable[[MemoryDisk], object] = DiskSink) -> None:
        rng = random.Random(f"{case} {seed}")
        self.rng = rng
        self.extents: list[Extent] | None = None
        content = make_content(rng, SIZE)
        self.base = ""
        if case == "seed empty":
            disk, self.mode = MemoryDisk(SIZE), Mode.SEED
        elif case == "seed used":
            disk, self.mode = MemoryDisk(rng.randbytes(SIZE)), Mode.SEED
        elif case == "compare":
            disk, self.mode = MemoryDisk(change(rng, content)[0]), Mode.COMPARE
        else:
            disk, self.mode = MemoryDisk(SIZE), Mode.DELTA
            self.base = "e/1"
        self.world = World(disk)
        if case == "delta":
            first = self.world.send(MemoryDisk(content), PassSpec("v", "p0", SIZE, change="e/1"), Mode.SEED)
            assert isinstance(first, PassResult)
            content, self.extents = change(rng, content, writes=12)
        self.world.make_sink = make_sink
        self.world.ack_bytes = 96 * KIB
        self.content = content
        self.spec = PassSpec("v", "p1", SIZE, 1, self.base, "e/2")

    def send(self, **faults: int) -> PassResult | WherryError:
        return self.world.send(
            MemoryDisk(self.content), self.spec, self.mode, extents=self.extents, rng=self.rng, **faults
        )

    def lost(self) -> list[Extent]:
        """Return what was acknowledged and is not durable."""
        disk = self.world.disk.durable
        return [
            run
            for run in self.world.acknowledged
            if disk[run.offset : run.end] != self.content[run.offset : run.end]
        ]

    def wrong(self) -> bool:
        return bytes(self.world.disk.durable) != self.content


@pytest.mark.parametrize("case", CASES)
def test_the_receiver_dies_at_every_operation(case: str) -> None:
    whole = Setting(case, 0)
    assert isinstance(whole.send(), PassResult)
    assert not whole.wrong()
    assert whole.world.operations > 8
    acknowledged = 0
    for die_at in range(1, whole.world.operations + 1):
        for seed in range(3):
            trial = Setting(case, seed)
            first = trial.send(die_at=die_at)
            assert trial.lost() == [], (case, die_at, seed)
            acknowledged += len(trial.world.acknowledged)
            if isinstance(first, PassResult):
                continue
            again = trial.send()
            assert isinstance(again, PassResult), (case, die_at, seed, again)
            assert again.mode is trial.mode
            trial.world.disk.lose_power(trial.rng)
            assert not trial.wrong(), (case, die_at, seed)
    assert acknowledged > 0


@pytest.mark.parametrize("case", CASES)
def test_the_connection_breaks_at_every_message(case: str) -> None:
    whole = Setting(case, 1)
    whole.send()
    for cut_at in range(1, whole.world.sends + 1):
        trial = Setting(case, 1)
        first = trial.send(cut_at=cut_at)
        assert trial.lost() == []
        if cut_at < whole.world.sends:  # the last message is BYE
            assert not isinstance(first, PassResult)
        again = trial.send()
        assert isinstance(again, PassResult)
        assert not trial.wrong(), (case, cut_at)


@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_it_dies_again_and_again(case: str, overlap: bool) -> None:
    for seed in range(12):
        trial = Setting(case, seed)
        trial.world.overlap = overlap
        rng = random.Random(seed)
        for _ in range(40):
            outcome = trial.send(die_at=rng.randint(3, 14))
            assert trial.lost() == [], (case, seed)
            if isinstance(outcome, PassResult):
                break
        assert isinstance(trial.send(), PassResult), (case, seed)
        assert not trial.wrong(), (case, seed)


def test_a_new_pass_after_a_broken_one_is_right() -> None:
    """The broken pass wrote parts of a content that nobody wants any more."""
    for seed in range(6):
        for die_at in (4, 9, 15):
            trial = Setting("delta", seed)
            trial.send(die_at=die_at)
            trial.content, more = change(trial.rng, trial.content)
            assert trial.extents is not None
            trial.extents += more
            trial.spec = PassSpec("v", "p2", SIZE, 2, "e/1", "e/3")
            result = trial.send()
            assert isinstance(result, PassResult)
            assert not trial.wrong(), (seed, die_at)


class _LyingSink(DiskSink):
    """Says durable without flushing."""

    def commit(self) -> None:
        return


class _DroppingSink(DiskSink):
    """Loses one write."""

    def __init__(self, disk: MemoryDisk) -> None:
        super().__init__(disk)
        self.writes = 0

    def write(self, offset: int, data: bytes | memoryview) -> None:
        self.writes += 1
        if self.writes != 2:
            super().write(offset, data)


class _UnzeroingSink(DiskSink):
    """Skips zeros."""

    def zero(self, offset: int, length: int) -> None:
        return


def test_negative_control_acknowledging_before_the_flush_is_noticed() -> None:
    noticed = 0
    for die_at in range(1, 20):
        trial = Setting("seed used", die_at, _LyingSink)
        trial.send(die_at=die_at)
        trial.world.disk.lose_power(trial.rng)
        noticed += bool(trial.lost())
    assert noticed > 5


@pytest.mark.parametrize("mutant", [_DroppingSink, _UnzeroingSink])
def test_negative_control_wrong_writes_are_noticed(mutant: Callable[[MemoryDisk], object]) -> None:
    trial = Setting("seed used", 0, mutant)
    assert isinstance(trial.send(), PassResult)
    assert trial.wrong()


block = st.tuples(st.sampled_from(["zero", "text", "noise"]), st.integers(1, 40), st.integers(0, 2**16))


def build(blocks: list[tuple[str, int, int]]) -> bytes:
    parts = []
    for kind, sectors, salt in blocks:
        length = sectors * 4 * KIB
        if kind == "zero":
            parts.append(bytes(length))
        elif kind == "text":
            parts.append((b"%06d " % salt * (length // 7 + 1))[:length])
        else:
            parts.append(random.Random(salt).randbytes(length))
    return b"".join(parts)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    old=st.lists(block, max_size=8),
    new=st.lists(block, min_size=1, max_size=8),
    mode=st.sampled_from([Mode.SEED, Mode.COMPARE]),
    level=st.sampled_from([0, 1]),
    block_bytes=st.sampled_from([64 * KIB, 128 * KIB, 1024 * KIB]),
    workers=st.sampled_from([0, 2]),
    seed=st.integers(0, 2**16),
)
def test_arbitrary_disks_and_changes_arrive_exactly(
    old: list[tuple[str, int, int]],
    new: list[tuple[str, int, int]],
    mode: Mode,
    level: int,
    block_bytes: int,
    workers: int,
    seed: int,
) -> None:
    content = build(new)
    size = len(content)
    before = build(old)[:size].ljust(size, b"\0")
    world = World(MemoryDisk(before), ack_bytes=160 * KIB, overlap=bool(workers))
    options = {"level": level, "block_bytes": block_bytes, "workers": workers}
    result = world.send(MemoryDisk(content), PassSpec("v", "1", size, change="e/1"), mode, **options)
    assert isinstance(result, PassResult)
    assert bytes(world.disk.durable) == content
    newer, areas = change(random.Random(seed), content)
    spec = PassSpec("v", "2", size, base="e/1", change="e/2")
    result = world.send(MemoryDisk(newer), spec, Mode.DELTA, extents=areas, **options)
    assert isinstance(result, PassResult)
    assert result.mode is Mode.DELTA
    assert bytes(world.disk.durable) == newer
