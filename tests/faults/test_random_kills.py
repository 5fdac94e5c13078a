"""A wave of four VMs: whoever carries it and the target's receiver are killed at random, by the thousand.

Real processes, killed with SIGKILL by the clock, on all ways: out to the commit, back before it, home, and
back from there. One story per commit; ``make soak`` goes on until 1,000 are dead.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from migrate.daemons import receiver
from migrate.run.execute import Purpose
from migrate.run.store import RunKind
from tests.faults import homeward
from tests.faults.conftest import Stage
from tests.faults.endstate import at_commit_gate, committed, everywhere, rolled_back, world
from tests.faults.homeward import HOMEWARD, home, runs_at, written_at
from tests.faults.labrun import Lab
from tests.faults.scenario import FORWARD, GOAL, every

KILLS = int(os.environ.get("WHERRY_KILLS", "1000"))
MINUTES = float(os.environ.get("WHERRY_MINUTES", "60"))  # after which a slow machine may stop, and says so
_PARTS = 4
_DRIVES_MAX = 400
_OUT, _HOME = ("out", "back"), ("home", "home, back")
_SOME_S = 0.25


class Killer:
    """Presses verbs to where they go while it kills; counts the dead."""

    def __init__(self, lab: Lab, chance: random.Random) -> None:
        self.lab, self.chance = lab, chance
        self.dead: Counter[str] = Counter()

    def press(self, purpose: Purpose, kind: RunKind = RunKind.WAVE) -> list[str]:
        """Give a verb again and again until it is where it goes; return what is wrong with that."""
        goal = (GOAL if kind is RunKind.WAVE else homeward.GOAL)[purpose]
        for drives in range(_DRIVES_MAX):
            if self.lab.standing(kind) == goal:
                return []
            limit_s = _SOME_S + drives / 25  # a slow machine gets there as well
            killing = self._kill_receiver(limit_s) if self.chance.random() < 0.3 else None
            ended = self.lab.drive(purpose, kill_after_s=self.chance.uniform(0.0, limit_s))
            self.dead["driver"] += ended.killed
            if killing is not None:
                self.dead["receiver"] += os.waitstatus_to_exitcode(os.waitpid(killing, 0)[1]) == 0
            if ended.error not in ("", "unreachable"):
                return [f"{purpose.value}: {ended.error}: {ended.message}"]
        return [f"{purpose.value} is at {self.lab.standing(kind)} after {_DRIVES_MAX} drives"]

    def _kill_receiver(self, limit_s: float) -> int:
        """Have a process of its own do it at some moment; it ends with 0 if there was one to kill."""
        after_s = self.chance.uniform(0.0, limit_s)
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                time.sleep(after_s)
                code = 0 if self.lab.kill_process(self.lab.receives, receiver.NAME) else 1
            finally:
                os._exit(code)
        return pid


def out(killer: Killer, end: dict[str, object]) -> list[str]:
    """Carry the wave out to its commit."""
    wrong: list[str] = []
    for purpose in FORWARD:
        wrong += killer.press(purpose)
        if purpose is Purpose.CUTOVER:
            wrong += at_commit_gate(killer.lab)
    wrong += committed(killer.lab)
    return wrong + ([] if world(killer.lab) == end else ["the end state is not that of an undisturbed run"])


def back(killer: Killer, end: dict[str, object]) -> list[str]:
    """Cut over, and roll back."""
    wrong = [
        said for purpose in (*FORWARD[:2], Purpose.ROLLBACK) for said in killer.press(purpose)
    ]  # fmt: skip
    return wrong + rolled_back(killer.lab)


def come_home(killer: Killer, end: dict[str, object]) -> list[str]:
    """Bring a committed wave home."""
    written = written_at(killer.lab, "dc2")
    wrong = [said for purpose in HOMEWARD for said in killer.press(purpose, RunKind.FAILBACK)]
    return wrong + home(killer.lab, written)


def stay_away(killer: Killer, end: dict[str, object]) -> list[str]:
    """Begin the way home, and roll it back."""
    lab, written = killer.lab, written_at(killer.lab, "dc2")
    verbs = (*HOMEWARD[:2], Purpose.ROLLBACK)
    wrong = [said for purpose in verbs for said in killer.press(purpose, RunKind.FAILBACK)]
    wrong += [*everywhere(lab, RunKind.FAILBACK), *runs_at(lab, "dc2", "dc1")]
    with lab.site("dc2") as target:
        return wrong + [
            f"{vm} lost records" for vm, at in written.items() if target.guest(vm).last_written < at
        ]


WAYS: dict[str, Callable[[Killer, dict[str, object]], list[str]]] = {
    "out": out,
    "back": back,
    "home": come_home,
    "home, back": stay_away,
}


class Toll:
    """Plays stories, many at once, and counts over all of them."""

    def __init__(self, stage: Stage, abroad: Path, rng: random.Random) -> None:
        self._stage, self._abroad, self._rng = stage, abroad, rng
        self._told = stage.scratch / "toll"
        self.dead: Counter[str] = Counter()
        self.ways: Counter[str] = Counter()
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._begun

    def play(self, ways: tuple[str, ...]) -> None:
        """Play a story of each of these ways, which begin at the same site."""
        seeds = {f"{number} {way}": self._rng.randrange(2**32) for number, way in enumerate(ways)}
        away = ways[0] in _HOME
        self._told.unlink(missing_ok=True)

        def story(lab: Lab, name: str) -> list[str]:
            killer = Killer(lab, random.Random(seeds[name]))
            wrong = WAYS[name.partition(" ")[2]](killer, self._stage.end)
            line = json.dumps(killer.dead).encode() + b"\n"
            with self._told.open("ab", buffering=0) as file:
                file.write(line)
            return wrong

        template, at = (self._abroad, "dc2") if away else (self._stage.template, "dc1")
        assert every(list(seeds), template, self._stage.scratch, story, at) == {}, seeds
        for line in self._told.read_text("utf-8").splitlines():
            self.dead.update(json.loads(line))
        self.ways.update(ways)

    def say(self) -> None:
        """Print what was done."""
        who = ", ".join(f"{name} {times:,}" for name, times in sorted(self.dead.items()))
        ways = ", ".join(f"{way} {times:,}" for way, times in sorted(self.ways.items()))
        total = f"{self.dead.total():,} kills ({who}) in {self.ways.total()} waves ({ways})"
        print(f"{total}, {self.seconds:,.0f} s")


def test_a_wave_that_is_killed_at_random_on_its_way_home_ends_as_it_should(
    stage: Stage, abroad: Path, rng: random.Random
) -> None:
    """On the other ways ``test_cutover_kill`` and ``test_rollback_kill`` do it."""
    toll = Toll(stage, abroad, rng)
    toll.play((rng.choice(_HOME),))
    toll.say()
    assert toll.dead["driver"]


@pytest.mark.soak
@pytest.mark.parametrize("part", range(_PARTS))
def test_kills_by_the_thousand(stage: Stage, abroad: Path, rng: random.Random, part: int) -> None:
    toll = Toll(stage, abroad, rng)
    while toll.dead.total() < KILLS / _PARTS and toll.seconds < 60 * MINUTES / _PARTS:
        toll.play(_OUT)
        toll.play(_HOME)
    toll.say()
    assert set(toll.ways) == set(WAYS)
    assert toll.dead["driver"]
    assert toll.dead["receiver"]
    if toll.dead.total() < KILLS / _PARTS:
        print(f"ended after {toll.seconds / 60:.0f} min, before {KILLS / _PARTS:,.0f} were dead")
