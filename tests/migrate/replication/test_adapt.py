"""The level that follows what binds, on modelled lines and processors, and in a pass."""

from __future__ import annotations

import random
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.replication.adapt import LEVELS, Adaptation, Binds
from migrate.replication.passes import Mode, PassResult, PassSpec, Progress
from tests.migrate.replication.model import KIB, MemoryDisk, World

MIB = 1024 * KIB
BUFFER = 4 * MIB


@dataclass
class Machine:
    """A sender's world: two threads pack blocks of 1 MiB ahead, a socket's buffer drains into the line."""

    line_bytes_s: float
    packs_bytes_s: dict[int, float]  # both threads together, by level
    ratio: dict[int, float]
    packs: bool = True
    reads_bytes_s: float = 1e12

    def run(self, adaptation: Adaptation, blocks: int) -> list[int]:
        """Send that many blocks and return the level of each."""
        now, ready_at, buffered = 0.0, 0.0, 0.0
        levels = []
        for _ in range(blocks):
            level = adaptation.level
            levels.append(level)
            read_s, pack_s = MIB / self.reads_bytes_s, MIB / self.packs_bytes_s[level]
            # six blocks may lie ready: packing is never further behind than the sender
            ready_at = max(ready_at, now - 6 * (read_s + pack_s)) + read_s + pack_s
            packing_s = max(ready_at - now, 0.0)
            buffered = max(buffered - packing_s * self.line_bytes_s, 0.0)
            now += packing_s
            wire = MIB / (self.ratio[level] if self.packs else 1.0)
            link_s = 0.0003 + max(buffered + wire - BUFFER, 0.0) / self.line_bytes_s
            buffered = max(buffered + wire - link_s * self.line_bytes_s, 0.0)
            now += link_s
            adaptation.saw(
                link_s=link_s,
                packing_s=packing_s,
                read_s=read_s,
                pack_s=pack_s,
                data_bytes=MIB,
                packed_bytes=MIB if self.packs and level else 0,
                wire_bytes=int(wire),
            )
        return levels


def machine(line_mbit: float, processor: float = 1.0, **more: object) -> Machine:
    """Return a machine whose line and processor are so fast; levels cost and gain as zstd's do."""
    packs = {level: processor * 400e6 * 0.8**at for at, level in enumerate(LEVELS)}
    packs[0] = processor * 4e9
    ratio = {level: 1.5 + 0.08 * at if level else 1.0 for at, level in enumerate(LEVELS)}
    return Machine(line_mbit * 1e6 / 8, packs, ratio, **more)  # type: ignore[arg-type]


def best(of: Machine) -> int:
    """Return the highest level at which packing keeps up with the line."""
    fits = [level for level in LEVELS if of.packs_bytes_s[level] >= of.line_bytes_s * of.ratio[level]]
    return fits[-1] if fits else 0


def changes(levels: list[int]) -> int:
    return sum(a != b for a, b in pairwise(levels))


@given(
    line_mbit=st.floats(1, 20_000),
    processor=st.floats(0.05, 4),
    begins=st.sampled_from(LEVELS[1:]),
)
@settings(max_examples=150, deadline=None)
def test_it_comes_to_rest_next_to_the_best_level(line_mbit: float, processor: float, begins: int) -> None:
    modelled = machine(line_mbit, processor)
    levels = modelled.run(Adaptation(begins, adapts=True), 6000)
    late = levels[3000:]
    rest = max(set(late), key=late.count)
    assert abs(LEVELS.index(rest) - LEVELS.index(best(modelled))) <= 2
    # it comes to rest: what is tried again is tried 8, 16, 32 ... windows later
    assert changes(late) <= 12


def test_a_thin_line_gets_a_high_level_and_a_fast_one_none() -> None:
    thin, fast = Adaptation(1, adapts=True), Adaptation(1, adapts=True)
    machine(5).run(thin, 2000)
    machine(100_000).run(fast, 2000)
    assert thin.level == LEVELS[-1]
    assert thin.binds is Binds.LINK
    assert fast.level == 0


def test_it_follows_when_the_line_changes() -> None:
    adaptation = Adaptation(1, adapts=True)
    machine(100).run(adaptation, 2000)
    thin = adaptation.level
    machine(3000).run(adaptation, 3000)
    fast = adaptation.level
    machine(100).run(adaptation, 3000)
    assert LEVELS.index(fast) + 3 < LEVELS.index(thin)
    assert abs(LEVELS.index(adaptation.level) - LEVELS.index(thin)) <= 1


def test_what_does_not_pack_raises_no_level() -> None:
    adaptation = Adaptation(1, adapts=True)
    machine(5, packs=False).run(adaptation, 2000)
    assert adaptation.level == 1
    assert adaptation.binds is Binds.LINK


def test_a_slow_source_lowers_no_level() -> None:
    adaptation = Adaptation(3, adapts=True)
    machine(10_000, reads_bytes_s=20e6).run(adaptation, 2000)
    assert adaptation.level == 3
    assert adaptation.binds is Binds.SOURCE


def test_a_fixed_level_stays_and_says_what_binds() -> None:
    for level in (0, 1, 19):
        fixed = Adaptation(level, adapts=False)
        modelled = machine(5)
        modelled.packs_bytes_s[19], modelled.ratio[19] = 50e6, 3.0
        modelled.run(fixed, 500)
        assert fixed.level == level
        assert fixed.binds is Binds.LINK


@pytest.mark.parametrize(("near", "binds"), [(False, Binds.LINK), (True, Binds.PROCESSOR)])
def test_answers_of_who_is_near_are_no_line(near: bool, binds: Binds) -> None:
    adaptation = Adaptation(1, adapts=True, near=near)
    for _ in range(64):
        adaptation.saw(
            link_s=0.0, answers_s=0.1, packing_s=0.01, pack_s=0.01, data_bytes=MIB, packed_bytes=MIB
        )
    assert adaptation.binds is binds
    assert (adaptation.level > 1, adaptation.level < 1) == (not near, near)


class SlowDisk(MemoryDisk):
    """A disk that takes 50 ms for each read, on the clock of the test."""

    now = 0.0

    def read_into(self, buffer: memoryview, offset: int) -> None:
        self.now += 0.05
        super().read_into(buffer, offset)


def test_a_pass_says_what_binds_and_how_long_it_takes() -> None:
    size = 8 * MIB
    source = SlowDisk(b"".join(b"%08d " % n for n in range(size // 9 + 1))[:size])
    world = World(MemoryDisk(size))
    seen: list[Progress] = []
    spec = PassSpec("vm-1/disk 0", "p1", size)
    result = world.send(
        source, spec, Mode.SEED, adapts=True, level=3, progress=seen.append, clock=lambda: source.now
    )
    assert isinstance(result, PassResult)
    assert bytes(world.disk.durable) == bytes(source.seen)
    assert seen[0].left is None  # nobody knows yet
    assert {one.binds for one in seen} == {Binds.NOTHING, Binds.SOURCE}
    assert {one.level for one in seen} == {3}
    middle = seen[-2]
    assert middle.left is not None
    assert middle.left.p50_s * middle.rate_bytes_s == pytest.approx(size - middle.done_bytes)
    assert middle.rate_bytes_s == pytest.approx(64 * KIB / 0.05)
    assert seen[-1].ratio == result.sent_bytes / result.wire_bytes > 3


def test_a_pass_uses_the_level_it_is_told() -> None:
    size = 4 * MIB
    rng = random.Random(7)
    words = [rng.randbytes(rng.randint(2, 9)).hex().encode() for _ in range(500)]
    content = b" ".join(rng.choices(words, k=size // 4))[:size]
    spec = PassSpec("vm-1/disk 0", "p1", size)
    wires = {}
    for level in (0, -5, 1):
        result = World(MemoryDisk(size)).send(MemoryDisk(content), spec, Mode.SEED, level=level)
        assert isinstance(result, PassResult)
        wires[level] = result.wire_bytes
    assert wires[0] > wires[-5] > wires[1]


def test_a_line_that_runs_dry_gets_three_levels_less_at_once() -> None:
    for packing_s, down in ((0.09, 3), (0.05, 1)):
        adaptation = Adaptation(9, adapts=True)
        while adaptation.level == 9:
            adaptation.saw(
                link_s=0.1 - packing_s, packing_s=packing_s, pack_s=0.1, data_bytes=MIB, packed_bytes=MIB
            )
        assert LEVELS.index(9) - LEVELS.index(adaptation.level) == down


def test_a_line_that_runs_dry_is_answered_within_little_more_than_a_tenth_of_a_second() -> None:
    adaptation, waited_s = Adaptation(9, adapts=True), 0.0
    while adaptation.level == 9:
        adaptation.saw(link_s=0.001, packing_s=0.03, pack_s=0.1, data_bytes=MIB, packed_bytes=MIB)
        waited_s += 0.03
    assert waited_s < 0.15


def test_one_wait_of_a_tenth_of_a_second_lowers_no_level() -> None:
    adaptation = Adaptation(9, adapts=True)
    for packing_s in (0.1, *[0.0] * 20) * 3:
        level = adaptation.level
        adaptation.saw(link_s=0.03, packing_s=packing_s, pack_s=0.1, data_bytes=MIB, packed_bytes=MIB)
        assert adaptation.level >= level
