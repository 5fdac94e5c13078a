"""Change tracking is turned on at a vCenter by the step of a run: with a stun, looked at again, undone."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from migrate.run.runbook import Phase, Step
from migrate.steps.look import Look
from migrate.steps.track import EnableTracking
from planner.effects import Effect
from planner.errors import StepFailed
from tests.migrate.sites.vsphere.conftest import Wired
from tests.migrate.sites.vsphere.plant import Plant

RUN = "p1/r1"


@pytest.fixture
def plant(wired: Wired) -> Plant:
    plant = Plant(wired)
    plant.add_disk(0)
    plant.track(0, on=False)
    return plant


class _Run:
    """The steps of one VM at the plant's site, with a record that is a dict."""

    def __init__(self, plant: Plant) -> None:
        self.results: dict[str, Any] = {}
        self.ctx = self._context(plant)
        params = {"vm": plant.vms[0], "look": "look"}
        self.step = Step("g0/track", "enable-cbt", "track", "", Phase.REPLICATE, Effect.LIVE, (), params)
        self.results["look"] = Look().act(self.ctx, self.step, f"{RUN}/look/do1")

    def _context(self, plant: Plant) -> Any:
        return SimpleNamespace(
            source=plant.site, run=RUN, result=lambda name: self.results.get(name, {}), need=self._need
        )

    def _need(self, name: str) -> Any:
        return self.results[name]

    def enable(self) -> Any:
        result = EnableTracking().act(self.ctx, self.step, f"{RUN}/g0/track/do1")
        self.results[self.step.id] = result
        return result

    def verify(self) -> Any:
        return EnableTracking().verify(self.ctx, self.step, f"{RUN}/g0/track/do1")


def test_it_takes_effect_on_every_disk_by_a_stun(plant: Plant) -> None:
    run = _Run(plant)
    assert run.verify() is None
    assert run.enable() == {"changed": True, "tracking": True}
    assert plant.snapshots() == []
    assert all(disk.backing.changeId for disk in plant.disks())
    assert run.verify() == {"changed": True, "tracking": True}
    taken = plant.site.take_snapshot(plant.vms[:1], f"{RUN}/g0/s1/do1")
    assert set(taken.changes) == {plant.volume(0, 0), plant.volume(0, 1)}


def test_it_is_refused_over_somebodys_snapshot(plant: Plant) -> None:
    plant.snapshot()
    with pytest.raises(StepFailed, match="the VM has 1 snapshot"):
        _Run(plant).enable()
    assert plant.machines[0].config.changeTrackingEnabled is not True


@pytest.mark.parametrize("method", ["ReconfigVM_Task", "CreateSnapshot_Task", "RemoveSnapshot_Task"])
@pytest.mark.parametrize("effect", ["drop", "dropAfter"])
def test_a_lost_answer_leaves_no_snapshot(plant: Plant, method: str, effect: str) -> None:
    plant.peer.rules([{"method": method, "count": 1, effect: True}])
    assert _Run(plant).enable() == {"changed": True, "tracking": True}
    assert plant.peer.fired() == [1]
    assert plant.snapshots() == []


def test_a_stun_that_a_crash_left_behind_is_swept(plant: Plant) -> None:
    run = _Run(plant)
    plant.snapshot(name="wherry", description=f"wherry op {RUN}/g0/track/do1")
    assert run.enable() == {"changed": True, "tracking": True}
    assert plant.snapshots() == []


def test_it_is_taken_back(plant: Plant) -> None:
    run = _Run(plant)
    run.enable()
    assert EnableTracking().undo(run.ctx, run.step, f"{RUN}/g0/track/undo1") == {"restored": True}
    assert plant.machines[0].config.changeTrackingEnabled is False
    assert plant.snapshots() == []
