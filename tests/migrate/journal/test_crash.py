"""Power lost and processes killed at every moment of histories: nothing acknowledged is lost, nothing
offered is wrong.

The histories are all sequences of up to three operations, and longer drawn ones. The commit run takes
all moments of a drawn fifteenth in a state or two, ``-m soak`` all of them: 10,000 times 20 states and more.
"""

from __future__ import annotations

import contextlib
import itertools
import random
from collections import Counter

import pytest

from migrate.journal.frames import Kind
from migrate.journal.log import open_log
from tests.migrate.journal.crashes import BEGINNING, DEATHS, crashes, histories, moments, told
from tests.migrate.journal.model import OPERATIONS, Died, Power, SimulatedFiles, World

SEED = 11
PARTS = 16
HISTORY = (*BEGINNING, "rotate", "promote")


def test_a_crash_at_any_moment_loses_nothing() -> None:
    met: Counter[str] = Counter()
    wrong = []
    everything = histories()
    for history in random.Random(SEED).sample(everything, len(everything) // 15):
        wrong += filter(None, crashes(World, history, SEED, 1, met=met))
    for seed in range(3):
        trace = tuple(random.Random(seed).choices(OPERATIONS, k=60))
        wrong += filter(None, crashes(World, trace, seed, 2, share=0.1, first=0, met=met))
    print(told(met))
    assert wrong == []
    assert set(met) == {*OPERATIONS, *DEATHS}
    assert sum(met[operation] for operation in OPERATIONS) > 1_000


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_a_crash_at_any_moment_loses_nothing_at_length(part: int) -> None:
    met: Counter[str] = Counter()
    for history in histories()[part::PARTS]:
        for wrong in crashes(World, history, SEED, 10, met=met):
            assert not wrong
    trace = tuple(random.Random(part).choices(OPERATIONS, k=200))
    for wrong in crashes(World, trace, part, 20, share=0.05, first=0, met=met):
        assert not wrong
    print(f"part {part} of {PARTS}: {told(met)}")
    assert sum(met[operation] for operation in OPERATIONS) > 10_000 // PARTS
    # all parts together meet more than 200,000; one alone may have some hundreds less than its share
    assert sum(met[death] for death in DEATHS) >= 190_000 // PARTS


def test_a_first_opening_that_is_cut_off_leaves_a_journal_that_opens() -> None:
    for dies_at in itertools.count():
        for drawn in range(20):
            rng = random.Random(f"{dies_at} {drawn}")
            files = SimulatedFiles()
            files.power = Power(dies_at)
            with contextlib.suppress(Died):
                open_log(files, "group")
                return
            files.power = Power()
            files.lose_power(rng)
            log = open_log(files, "group")
            assert log.state.checkpoints == {}
            assert all(ref.header.kind is Kind.OPEN for ref in log.frames())
    raise AssertionError("an opening has an end")


def test_a_history_is_the_same_twice() -> None:
    """A seed that is printed shows the same again."""
    first, second = (
        [held(world.files) for _, world in moments(World, HISTORY, SEED, 0)] for _ in range(2)
    )  # fmt: skip
    assert len(first) > 20
    assert first == second


def held(files: SimulatedFiles) -> dict[int, bytes]:
    return {number: files.read(number, 0, files.size(number)) for number in files.numbers()}
