"""A fault at one call of a wave between two vCenters: it fails, its answer is lost, all sessions end.

One fault at each call of a wave, then two at random; ``make soak`` goes on until 1,000 waves came through.
"""

from __future__ import annotations

import os
import random
import resource
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.faults.strikes import Record, Strike, every_strike, pair
from tests.faults.vcenterlab import Story, record
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.staged import machines, write

WAVES = int(os.environ.get("WHERRY_WAVES", "1000"))
PARTS = 4  # that may go on beside each other
_LOOK = 25  # waves between two looks at what this process holds
MINUTES = float(os.environ.get("WHERRY_MINUTES", "60"))  # after which a slow machine may stop, and says so

_FOUND = (
    # a source that was stopped stayed off after the way back
    Strike("cutover", "source", "QueryEvents", "fault", value="SystemError"),
    # a VM that was built was not known as our own
    Strike("cutover", "target", "SetField", "fault", value="SystemError"),
)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, module_vcenter: StartVCenter) -> Record:
    """Return what a wave calls when nothing befalls it."""
    return record(tmp_path_factory.mktemp("recorded"), module_vcenter)


class Tally:
    """Waves that came through, by what befell them, and what was wrong with those that did not."""

    def __init__(self) -> None:
        self.waves = 0
        self.effects: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.missed = 0
        self.wrong: dict[str, list[str]] = {}
        self.held: list[int] = []  # MiB, every so many waves
        self._begun = time.monotonic()

    @property
    def minutes(self) -> float:
        """How long it has been going on."""
        return (time.monotonic() - self._begun) / 60

    def tell(self, root: Path, start: StartVCenter, *strikes: Strike) -> None:
        """Tell one story."""
        named = " and ".join(map(str, strikes))
        with Story(root / str(self.waves), start) as story:
            found = story.run(*strikes)
            if len(strikes) == 1:  # of two one may change which calls are made
                found += [f"{one} never fell" for one in story.missed]
        if found:
            self.wrong[named] = found
            print(f"WRONG {named}: {found}", flush=True)
        self.waves += 1
        if self.waves % _LOOK == 0:
            self.held.append(_held_mib())
        self.missed += len(story.missed)
        for one in strikes:
            if one not in story.missed:
                self.effects[one.effect] += 1
                self.calls[f"{one.side} {one.method}"] += 1

    def say(self) -> None:
        """Print what was covered."""
        effects = ", ".join(f"{name} {times:,}" for name, times in sorted(self.effects.items()))
        calls = ", ".join(f"{name} {times:,}" for name, times in sorted(self.calls.items()))
        mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        files = sum(1 for _ in Path("/proc/self/fd").iterdir())
        print(f"{self.waves:,} waves, {self.effects.total():,} faults ({effects})")
        print(f"{self.missed:,} faults never fell")
        print(f"at {calls}")
        print(f"{self.minutes:.1f} min, at most {mib:.0f} MiB, {files} files open at the end")
        if self.held:
            print(f"held after every {_LOOK} waves: {self.held} MiB")


def _held_mib() -> int:
    """Return what this process holds now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() // 1024**2


@pytest.mark.parametrize("strike", _FOUND, ids=str)
def test_a_fault_that_did_harm(tmp_path: Path, vcenter: StartVCenter, strike: Strike) -> None:
    with Story(tmp_path / "move", vcenter) as story:
        assert (story.run(strike), story.missed) == ([], [])


def test_faults_at_some_call(tmp_path: Path, vcenter: StartVCenter, recorded: Record) -> None:
    seed = random.SystemRandom().randrange(2**32)
    rng = random.Random(seed)
    strikes = list(every_strike(recorded, rng))
    tally = Tally()
    for drawn in ((rng.choice(strikes),), pair(strikes, rng)):
        tally.tell(tmp_path, vcenter, *drawn)
    tally.say()
    assert tally.wrong == {}, f"SEED {seed}"


@pytest.mark.soak
@pytest.mark.parametrize("part", range(PARTS))
def test_faults_at_every_call(tmp_path: Path, vcenter: StartVCenter, recorded: Record, part: int) -> None:
    seed = random.SystemRandom().randrange(2**32)
    rng = random.Random(seed)
    strikes, tally = list(every_strike(recorded, rng)), Tally()
    mine = strikes[part::PARTS]
    singles = rng.sample(mine, len(mine))  # one that ends early has been everywhere
    waves = WAVES // PARTS
    while tally.waves < waves and tally.minutes < MINUTES:
        drawn = (singles[tally.waves],) if tally.waves < len(singles) else pair(strikes, rng)
        tally.tell(tmp_path, vcenter, *drawn)
    print(f"SEED {seed}, {min(tally.waves, len(singles)):,} of {len(singles):,} single faults of this part")
    tally.say()
    if tally.waves < waves:
        print(f"ended after {tally.minutes:.0f} min, before {waves:,} waves")
    assert tally.wrong == {}, f"SEED {seed}"


def test_whoever_judges_sees_what_is_wrong(tmp_path: Path, vcenter: StartVCenter) -> None:
    with Story(tmp_path / "move", vcenter) as story:
        story.verb("replicate", never := Strike("replicate", "target", "DestroyNetwork", "drop"))
        story.verb("cutover")
        assert story.missed == [never]
        assert story.at_the_gate() == story.problems == []
        write(machines(story.stage.target)[story.name], b"torn", 5_000)
        story.here.CreateSnapshot_Task("left", "", False, False)
        said = story.at_the_gate()
        assert "the replica differs" in said
        assert f"{story.name} has a snapshot" in said
        assert "the source does not run" in story.back()
        assert any(one.startswith("at the source are") for one in story.aside())
