"""Probes and hooks wait in threads of their own: what else the wave has to do goes on meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrate.clock import SystemClock
from migrate.probes.asking import Answer
from migrate.run import crew as crews
from migrate.run import driver as drivers
from migrate.run.actions import Outcome
from migrate.run.compose import compose
from migrate.run.history import Event, History, Status
from migrate.run.runbook import COMMIT, GO
from migrate.steps.kind import Context
from migrate.steps.outside import Outside
from planner.conduct_planned import PlannedConduct
from planner.model import Power
from planner.plan import Wave
from tests.migrate.estate import disk, wave
from tests.migrate.simulated_run import Died, World

A, B = "id-a", "id-b"
ASK = {"name": "port", "kind": "tcp", "host": "h", "port": 1, "vms": [A], "timeout_s": 60.0, "every_s": 0.01}


def two(**conduct: Any) -> Wave:
    """Two groups of one VM each, which start in one batch."""
    planned = wave({"a": ["a"], "b": ["b"]}, [disk("a"), disk("b")], [["a", "b"]])
    return planned.model_copy(update={"conduct": PlannedConduct.model_validate(conduct)})


class Waiting(World):
    """The real clock; the VM ``a`` answers once the VM ``b`` was started."""

    def __init__(self, planned: Wave) -> None:
        super().__init__(planned, compose(planned))
        self.asking = threading.Event()
        self.well = True
        self.names: set[str] = set()
        self.halted: Callable[[], bool] = lambda: False

    def context(self, history: History) -> Context:
        world = self

        class There(Outside):
            def ask(self, question: Any, limit_s: float) -> Answer:
                world.asking.set()
                world.names.add(threading.current_thread().name)
                found = world.target.site.vms.get(B)
                runs = found is not None and found.power is Power.ON
                return Answer(runs and world.well, "asked")

        return replace(
            super().context(history), clock=SystemClock(), outside=There(Path()), halted=self.halted
        )


def test_another_group_goes_on_while_a_probe_waits() -> None:
    here = Waiting(two(probes=[ASK]))
    assert here.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    assert here.broken() == []
    assert here.names == {"wherry-g0/v0/probe/0"}
    events = [(entry.step, entry.event) for entry in here.ledger.entries]
    assert events.index(("g1/v0/start", Event.DONE)) < events.index(("g0/v0/probe/0", Event.DONE))


def test_without_threads_of_their_own_it_would_hold_the_others_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: with nobody beside the driver, the first probe waits for a start that never comes."""
    monkeypatch.setattr(drivers, "BESIDE", frozenset())
    here = Waiting(two(probes=[{**ASK, "timeout_s": 0.05}]))
    stopped = here.drive(GO, COMMIT)
    assert stopped.decide is not None
    assert stopped.decide.id == "g0/v0/probe/0"


def test_a_process_that_dies_beside_a_probe_asks_again() -> None:
    here = Waiting(two(probes=[ASK]))

    def dying(point: str) -> None:
        if point == "g0/v0/probe/0 after intent":
            raise Died(point)

    with pytest.raises(Died):
        here.drive(GO, COMMIT, boundary=dying)
    history = here.reload()
    assert history.status["g0/v0/probe/0"] is Status.STARTED
    assert here.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    assert here.broken() == []


def test_a_run_that_is_paused_does_not_wait_for_a_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crews, "_LOOK_S", 0.01)
    here = Waiting(two(probes=[{**ASK, "timeout_s": 3600.0}]))
    here.well = False
    here.halted = here.asking.is_set
    assert here.drive(GO, COMMIT, paused=here.halted).paused
    assert here.reload().status["g0/v0/probe/0"] is Status.PENDING
