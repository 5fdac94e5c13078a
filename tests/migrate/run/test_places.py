"""Places at a site, of which there are few: a pass waits for its own before it begins, and says which."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import pytest

from migrate.claims import Claim, Rank, Standing
from migrate.clock import SystemClock
from migrate.run import holding
from migrate.run.actions import Outcome
from migrate.run.beside import Limits
from migrate.run.compose import compose
from migrate.run.crew import Crew
from migrate.run.history import Event, History
from migrate.run.patience import Patience
from migrate.run.runbook import COMMIT, GO
from migrate.steps.kind import Context
from migrate.transfers.modelled import ModelledTransfers
from migrate.transfers.ports import Copied, Moving, Wanted
from planner.errors import Unreachable
from planner.plan import Wave
from tests.migrate.estate import disk, small_wave, wave
from tests.migrate.simulated_run import WatchedSite, World

GROUPS = ("a", "b", "c", "d")


class Few(WatchedSite):
    """A source whose disks are read through one host; ``others`` have so many of its places."""

    most = 2
    others = 0
    away = False
    asked: Counter[str]
    ranks: set[tuple[str, Rank]]

    def takes(self, volume: str, snapshot: str | None, rank: Rank = Rank.USUAL) -> tuple[Standing, ...]:
        self.asked[volume] += 1
        self.ranks.add((volume, rank))
        if self.away:
            raise Unreachable("nobody answers")
        return (Standing(Claim("nbd", self.most, "host esx-1"), self.others),)


class Slow(ModelledTransfers):
    """Transfers that count who is at it at the same time, and wait for company where it may come."""

    now = most = 0
    together = 1
    changed: threading.Condition

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        with self.changed:
            self.now += 1
            self.most = max(self.most, self.now)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most >= self.together, timeout=60)
        try:
            return super().copy(wanted, report)
        finally:
            with self.changed:
                self.now -= 1


def _wave() -> Wave:
    return wave({name: [name] for name in GROUPS}, [disk(name) for name in GROUPS], [[*GROUPS]])


class Scarce(World):
    def __init__(self, planned: Wave | None = None) -> None:
        planned = planned or wave(
            {name: [name] for name in GROUPS}, [disk(name) for name in GROUPS], [[*GROUPS]]
        )
        super().__init__(planned, compose(planned))
        self.few = Few(self.source.site, self.source.after)
        self.few.asked = Counter()
        self.few.ranks = set()
        self.source = self.few
        self.slow = Slow(self.clock, 1e9, 1e9)
        self.slow.changed = threading.Condition()
        self.transfers = self.slow

    def context(self, history: History) -> Context:
        return replace(super().context(history), clock=SystemClock())

    def waits(self) -> set[str]:
        return {entry.detail["why"] for entry in self.ledger.entries if entry.event is Event.HELD}


QUICK = Patience(first_s=0.002)
SAID = "a place of nbd at host esx-1, all 2 are taken"


def crew() -> Crew:
    return Crew(lambda: Limits(4))


def test_no_more_begin_than_there_are_places_and_the_others_are_told_why() -> None:
    here = Scarce()
    here.slow.together = 2
    assert here.drive(GO, COMMIT, crew=crew(), patience=QUICK).outcome is Outcome.COMMITTED
    assert here.slow.most == 2
    assert here.waits() == {SAID}
    assert here.broken() == []


def test_where_nobody_counts_more_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(holding, "Takes", holding.Holds)
    monkeypatch.setattr(holding.Holding, "_takes", lambda self, action: ())
    here = Scarce()
    here.slow.together = 4
    assert here.drive(GO, COMMIT, crew=crew(), patience=QUICK).outcome is Outcome.COMMITTED
    assert here.slow.most == 4
    assert here.waits() == set()


def others_go(here: Scarce) -> Callable[[], bool]:
    """Let other processes have all places until it was waited for them some times."""
    here.few.others = 2
    asked = 0

    def paused() -> bool:
        nonlocal asked
        asked += bool(here.waits())
        if asked > 5 and here.few.others:
            assert here.slow.most == 0, "nothing was begun without a place"
            here.few.others = 0
        return False

    return paused


def test_places_of_other_processes_are_waited_for() -> None:
    here = Scarce()
    assert (
        here.drive(GO, COMMIT, crew=crew(), patience=QUICK, paused=others_go(here)).outcome
        is Outcome.COMMITTED
    )
    assert SAID in here.waits()


def test_a_site_that_does_not_say_holds_nobody_up() -> None:
    here = Scarce()
    here.few.away = True
    assert here.drive(GO, COMMIT, crew=crew(), patience=QUICK).outcome is Outcome.COMMITTED
    assert here.waits() == set()


def test_what_waits_for_the_line_is_not_looked_at() -> None:
    """A pass that nothing but the line keeps waiting asks the vCenter nothing."""
    here = Scarce()
    here.few.most = 99
    board = Crew(lambda: Limits(2))
    here.slow.together = 2
    assert here.drive(crew=board, patience=QUICK).gate is not None
    copied = sum(entry.event is Event.INTENT and "/d0/" in entry.step for entry in here.ledger.entries)
    assert sum(here.few.asked.values()) <= copied


def test_a_pass_ahead_takes_its_place_as_the_last_and_a_cutovers_as_the_first() -> None:
    here = Scarce(small_wave())
    here.few.most = 1
    here.slow.together = 1
    assert here.drive(GO, COMMIT, crew=crew(), patience=QUICK).outcome is Outcome.COMMITTED
    assert here.slow.most == 1
    rdm = {rank for volume, rank in here.few.ranks if volume == "id-db/2001"}
    assert rdm == {Rank.AHEAD, Rank.FIRST}
    assert {rank for volume, rank in here.few.ranks if volume != "id-db/2001"} == {Rank.USUAL, Rank.FIRST}


def test_one_after_another_they_wait_for_their_places_too() -> None:
    here = Scarce()
    assert here.drive(GO, COMMIT, patience=QUICK, paused=others_go(here)).outcome is Outcome.COMMITTED
    assert (here.slow.most, here.waits()) == (1, {SAID})
