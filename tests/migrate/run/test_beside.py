"""Snapshots of different groups are taken and removed beside each other, as far as there is room."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import pytest

from migrate.clock import SystemClock
from migrate.run import driver as drivers
from migrate.run.actions import Outcome
from migrate.run.beside import ASIDE, TRANSFERS, Known, Limits
from migrate.run.compose import compose
from migrate.run.crew import Crew
from migrate.run.history import Event, History, Status
from migrate.run.runbook import COMMIT, GO, Step
from migrate.steps.kind import Context, Result
from migrate.steps.kinds import KINDS
from migrate.steps.snapshots import DropSnapshot, TakeSnapshot
from planner.errors import SiteRefused
from tests.migrate.estate import disk, wave
from tests.migrate.simulated_run import Died, World

GROUPS = ("a", "b", "c", "d")


class Company:
    """Counts who is inside at the same time; nobody leaves before as many were as shall be."""

    def __init__(self, together: int) -> None:
        self.together = together
        self.now = self.most = 0
        self.refuses = ""  # a step
        self.changed = threading.Condition()

    def __enter__(self) -> None:
        with self.changed:
            self.now += 1
            self.most = max(self.most, self.now)
            self.changed.notify_all()
            self.changed.wait_for(lambda: self.most >= self.together, timeout=60)

    def __exit__(self, *_: object) -> None:
        with self.changed:
            self.now -= 1


class Taken(TakeSnapshot):
    def __init__(self, company: Company) -> None:
        self.company = company

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        with self.company:
            if step.id == self.company.refuses:
                raise SiteRefused("no")
            return super().act(ctx, step, op)


class Dropped(DropSnapshot):
    def __init__(self, company: Company) -> None:
        self.company = company

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        with self.company:
            return super().act(ctx, step, op)


class Beside(World):
    """Four groups of one VM each on the real clock, whose snapshots wait for company."""

    def __init__(self, together: int = 1) -> None:
        planned = wave({name: [name] for name in GROUPS}, [disk(name) for name in GROUPS], [[*GROUPS]])
        self.taking, self.dropping = Company(together), Company(together)
        kinds: dict[str, Any] = {
            **KINDS,
            "snapshot": Taken(self.taking),
            "drop-snapshot": Dropped(self.dropping),
        }
        super().__init__(planned, compose(planned), kinds=kinds)

    def context(self, history: History) -> Context:
        return replace(super().context(history), clock=SystemClock())


def crew(**limits: int) -> Crew:
    stores = {f"id-{name}": frozenset({"gold" if name in "ab" else "tin"}) for name in GROUPS}
    return Crew(lambda: Limits(4, **limits), Known("west", datastores=stores))


def calm() -> World:
    """The same wave on the simulated clock, where one comes after the other."""
    planned = wave({name: [name] for name in GROUPS}, [disk(name) for name in GROUPS], [[*GROUPS]])
    world = World(planned, compose(planned))
    assert world.drive(GO, COMMIT).outcome is Outcome.COMMITTED
    return world


def test_snapshots_of_all_groups_are_taken_and_removed_at_once() -> None:
    here = Beside(together=4)
    assert here.drive(GO, COMMIT, crew=crew()).outcome is Outcome.COMMITTED
    assert (here.taking.most, here.dropping.most) == (4, 4)
    assert here.broken() == []
    assert here.end_state() == calm().end_state()
    events = [(entry.step, entry.event) for entry in here.ledger.entries]
    for number in range(4):
        taken = f"g{number}/snapshot/0"
        assert events.index((taken, Event.INTENT)) < events.index((taken, Event.DONE))
        assert events.index((taken, Event.DONE)) < events.index((f"g{number}/d0/seed", Event.INTENT))


def test_without_room_beside_the_driver_it_is_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The control."""
    monkeypatch.setattr(drivers, "BESIDE", TRANSFERS | ASIDE)
    here = Beside()
    assert here.drive(GO, COMMIT, crew=crew()).outcome is Outcome.COMMITTED
    assert (here.taking.most, here.dropping.most) == (1, 1)


def test_no_more_than_a_vcenter_and_a_datastore_bear() -> None:
    here = Beside(together=3)
    assert here.drive(GO, COMMIT, crew=crew(snapshots=3)).outcome is Outcome.COMMITTED
    assert (here.taking.most, here.dropping.most) == (3, 3)
    spared = Beside(together=2)
    assert spared.drive(GO, COMMIT, crew=crew(snapshots_per_datastore=1)).outcome is Outcome.COMMITTED
    assert (spared.taking.most, spared.dropping.most) == (2, 2)


def test_a_lost_answer_is_asked_for_and_nothing_is_taken_twice() -> None:
    here = Beside(together=4)
    here.source.lose["take_snapshot"] = 1
    assert here.drive(GO, COMMIT, crew=crew()).outcome is Outcome.COMMITTED
    asked = [entry.step for entry in here.ledger.entries if entry.detail.get("asked")]
    assert len(asked) == 1
    assert asked[0].endswith("/snapshot/0")
    assert here.broken() == []
    assert here.end_state() == calm().end_state()


def test_one_that_fails_stops_its_group_only() -> None:
    here = Beside()
    here.taking.refuses = "g1/snapshot/0"
    stopped = here.drive(crew=crew())
    assert stopped.decide is not None
    assert stopped.decide.id == "g1/snapshot/0"
    assert here.history.status["g2/checkpoint/1"] is Status.DONE


def test_a_pause_takes_the_end_of_what_was_begun() -> None:
    here = Beside(together=4)
    stopped = here.drive(crew=crew(), paused=lambda: here.taking.most == 4)
    assert stopped.paused
    status = here.reload().status
    assert [status[f"g{number}/snapshot/0"] for number in range(4)] == [Status.DONE] * 4
    assert Status.STARTED not in status.values()
    assert here.drive(GO, COMMIT, crew=crew()).outcome is Outcome.COMMITTED
    assert here.broken() == []


@pytest.mark.parametrize("edge", ["before intent", "after intent", "after act", "after outcome"])
@pytest.mark.parametrize("step", ["g0/snapshot/0", "g2/snapshot/0", "g3/drop/0", "g1/snapshot/1"])
def test_a_run_that_dies_among_several_ends_as_if_it_had_not(step: str, edge: str) -> None:
    here = Beside()

    def dying(point: str) -> None:
        if point == f"{step} {edge}":
            raise Died(point)

    with pytest.raises(Died):
        here.drive(GO, COMMIT, boundary=dying, crew=crew())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("wherry-g")]
    assert here.drive(GO, COMMIT, crew=crew()).outcome is Outcome.COMMITTED
    assert here.broken() == []
    assert here.end_state() == calm().end_state()
