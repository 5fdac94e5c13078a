"""Transfers at the same time: side by side, under limits, with deaths, failures and pauses."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from migrate.run.actions import Outcome
from migrate.run.beside import Known, Limits, Source
from migrate.run.compose import compose
from migrate.run.crew import Crew
from migrate.run.history import Event, Status
from migrate.run.runbook import COMMIT, GO
from migrate.transfers.modelled import ModelledTransfers
from migrate.transfers.ports import Copied, Moving, Wanted
from planner.errors import Paused, ProjectBusy, Unreachable
from tests.migrate.estate import disk, wave
from tests.migrate.simulated_run import Boundaries, Died, World

VOLUMES = [f"id-{name}/200{number}" for name in ("a", "b", "c") for number in (0, 1)]


class Counting(ModelledTransfers):
    """Modelled transfers that wait for company, and may fail for one volume."""

    together: int = 1
    fails: dict[str, Exception]
    now: int = 0
    most: int = 0
    begun: list[str]
    lock: threading.Lock
    company: threading.Condition

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        with self.company:
            self.now += 1
            self.most = max(self.most, self.now)
            self.begun.append(wanted.volume)
            self.company.notify_all()
            # nobody ends before as many were here at once as shall be
            self.company.wait_for(lambda: self.most >= self.together, timeout=60)
            report(Moving(wanted.volume, 1, 2, 1))
            try:
                if error := self.fails.pop(wanted.volume, None):
                    raise error
                return super().copy(wanted, lambda moving: None)
            finally:
                self.now -= 1


def world(together: int = 1) -> tuple[World, Counting]:
    planned = wave(
        {"a": ["a"], "b": ["b"], "c": ["c"]},
        [disk(name, number=number) for name in ("a", "b", "c") for number in (0, 1)],
        [["a"], ["b"], ["c"]],
    )
    here = World(planned, compose(planned))
    transfers = Counting(here.clock, 1e9, 1e9)
    transfers.together, transfers.fails, transfers.begun = together, {}, []
    transfers.company = threading.Condition()
    here.transfers = transfers
    return here, transfers


def crew(at_once: int, **more: int) -> Crew:
    return Crew(lambda: Limits(at_once, **more))


def test_as_many_go_on_at_once_as_may_and_no_more() -> None:
    here, transfers = world(together=3)
    assert here.drive(GO, COMMIT, crew=crew(3)).outcome is Outcome.COMMITTED
    assert transfers.most == 3
    assert here.broken() == []
    alone, one = world()
    assert alone.drive(GO, COMMIT, crew=crew(1)).outcome is Outcome.COMMITTED
    assert one.most == 1
    assert here.end_state() == alone.end_state()


def test_a_limit_of_a_host_is_kept() -> None:
    here, transfers = world(together=2)
    sources = {volume: Source("h1" if "a" in volume else "h2") for volume in VOLUMES}
    many = Crew(lambda: Limits(6, per_host=1), Known(sources=sources))
    assert here.drive(GO, COMMIT, crew=many).outcome is Outcome.COMMITTED
    assert transfers.most == 2


def test_greater_weight_goes_first() -> None:
    here, transfers = world()
    sources = {volume: Source(weight=8.0 if "c" in volume else 1.0) for volume in VOLUMES}
    here.drive(crew=Crew(lambda: Limits(2), Known(sources=sources)))
    first = transfers.begun.index("id-c/2000")
    # the first group's own come before anybody else is ready; from there on weight decides
    assert first <= 3


def test_one_that_fails_stops_its_group_and_every_error_is_told() -> None:
    here, transfers = world(together=2)
    transfers.fails = {f"id-{name}/2000": PermissionError("no") for name in "ab"}
    stopped = here.drive(crew=crew(4))
    assert stopped.decide is not None
    failed = {step for step, status in here.history.status.items() if status is Status.FAILED}
    assert failed == {"g0/d0/seed", "g1/d0/seed"}
    assert set(here.history.failures) == failed
    assert here.history.status["g2/checkpoint/1"] is Status.DONE  # the third went its way to the gate
    assert here.history.status["g0/d1/seed"] is Status.DONE
    for step in failed:
        here.note(step, Event.RETRY)
    gate = here.drive(crew=crew(4)).gate
    assert gate is not None
    assert gate.id == GO
    assert here.broken() == []


def test_what_may_be_tried_again_is() -> None:
    here, transfers = world(together=2)
    transfers.fails = {"id-a/2000": ProjectBusy("at work", "wait"), "id-b/2001": Unreachable("gone", "wait")}
    assert here.drive(GO, COMMIT, crew=crew(4)).outcome is Outcome.COMMITTED
    assert {step for step, tries in here.history.attempts.items() if tries > 1} == {
        "g0/d0/seed", "g1/d1/seed",
    }  # fmt: skip


def test_a_pause_stops_all_and_the_record_says_so() -> None:
    here, transfers = world(together=2)
    transfers.fails = {volume: Paused("stopped", "go on") for volume in VOLUMES}
    stopped = here.drive(crew=crew(6), paused=lambda: transfers.most >= 2)
    assert stopped.paused
    assert Status.STARTED not in here.history.status.values()
    transfers.fails.clear()
    assert here.drive(GO, COMMIT, crew=crew(6)).outcome is Outcome.COMMITTED
    assert here.broken() == []


@pytest.mark.parametrize("number", range(12, 60, 5))
def test_a_run_that_dies_among_several_transfers_ends_as_if_it_had_not(number: int) -> None:
    calm, _ = world()
    calm.drive(GO, COMMIT)
    here, _ = world()
    with pytest.raises(Died):
        here.drive(GO, COMMIT, boundary=Boundaries(number), crew=crew(4))
    assert threading.active_count() < 20
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wherry-g")]
    assert here.drive(GO, COMMIT, crew=crew(4)).outcome is Outcome.COMMITTED
    assert here.broken() == []
    assert here.end_state() == calm.end_state()
