"""Snapshots that passes read from are looked after: age and room are told when they change, and only then."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import pytest

from migrate.clock import SystemClock
from migrate.run import driver as drivers
from migrate.run import growing
from migrate.run.actions import Outcome
from migrate.run.beside import Limits
from migrate.run.compose import compose
from migrate.run.crew import Crew
from migrate.run.growing import Growing
from migrate.run.history import Event, History
from migrate.run.runbook import COMMIT, GO
from migrate.steps.kind import Context
from migrate.transfers.modelled import ModelledTransfers
from migrate.transfers.ports import Copied, Moving, Wanted
from migrate.waiting import watched
from planner.errors import Unreachable
from tests.migrate.estate import disk, wave
from tests.migrate.simulated_run import WatchedSite, World

SHORT = "it grows, and there is too little room on datastore gold"


class Filling(WatchedSite):
    """A source that says what a snapshot has to wait for; ``says`` is asked each time."""

    says: Callable[[], str] = staticmethod(lambda: "")

    def snapshot_waits(self, vm: str) -> str:
        return self.says()


class Held(ModelledTransfers):
    """Transfers of which the first goes on until it is let go."""

    goes: threading.Event
    reads: bool = False

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        self.reads = True
        assert self.goes.wait(60)
        return super().copy(wanted, report)


class Looked(World):
    def __init__(self) -> None:
        planned = wave({"a": ["a"]}, [disk("a")], [["a"]])
        super().__init__(planned, compose(planned))
        self.site = Filling(self.source.site, self.source.after)
        self.source = self.site
        self.held = Held(self.clock, 1e9, 1e9)
        self.held.goes = threading.Event()
        self.transfers = self.held

    def context(self, history: History) -> Context:
        return replace(super().context(history), clock=SystemClock())

    def told(self) -> list[tuple[str, str]]:
        return [
            (entry.step, entry.detail["why"]) for entry in self.ledger.entries if entry.event is Event.WATCHED
        ]

    def whole(self) -> Outcome | None:
        return self.drive(GO, COMMIT, crew=Crew(lambda: Limits(2))).outcome


@dataclass
class Quick:
    """Looks without rest at snapshots that are old after ``old_s``."""

    old_s: float = growing.OLD_S

    def __call__(self, ctx: Context, note: growing.Note) -> Growing:
        return Growing(ctx, note, look_s=0.0, old_s=self.old_s)


def test_too_little_room_is_told_once_and_that_there_is_enough_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "Growing", Quick())
    here = Looked()

    def says() -> Iterator[str]:
        while not here.held.reads:
            yield ""
        yield from ["room on datastore gold"] * 3
        assert watched(here.history) == (f"a: snapshot 0: {SHORT}",)
        yield ""
        here.held.goes.set()
        while True:
            yield ""

    answers = says()
    here.site.says = lambda: next(answers)
    assert here.whole() is Outcome.COMMITTED
    assert here.told() == [("g0/snapshot/0", SHORT), ("g0/snapshot/0", "")]
    assert watched(here.reload()) == ()
    assert here.broken() == []


def test_age_is_told_and_forgotten_with_the_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "Growing", Quick(old_s=0.0))
    here = Looked()
    here.site.says = lambda: here.held.goes.set() or "" if here.told() else ""
    assert here.whole() is Outcome.COMMITTED
    assert here.told()[0] == ("g0/snapshot/0", "it is over 0.0 s old")
    assert here.reload().watched == {}


def test_a_site_that_does_not_answer_says_nothing_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "Growing", Quick())
    here = Looked()

    def away() -> str:
        if here.held.reads:
            here.held.goes.set()
            raise Unreachable("nobody answers")
        return ""

    here.site.says = away
    assert here.whole() is Outcome.COMMITTED
    assert here.told() == []


def test_a_lab_is_not_looked_at() -> None:
    """The control: a site that has nothing to run out."""
    here = Looked()
    here.source = WatchedSite(here.site.site, here.site.after)
    here.held.goes.set()
    history = here.reload()
    looks = Growing(here.context(history), lambda *_: None, look_s=0.0)
    assert looks.rest_s is None
    assert here.whole() is Outcome.COMMITTED
    assert here.told() == []
