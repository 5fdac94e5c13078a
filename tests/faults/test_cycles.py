"""A wave that waits is brought up to date again and again, and kill -9 in the middle of it.

Its VMs write all the time. Whatever dies in a cycle, the next one goes on, and the cutover after it loses
nothing.
"""

from __future__ import annotations

import random
from collections.abc import Collection

import pytest

from migrate.run import cycles
from migrate.run import store as runs
from migrate.run.driver import Stopped
from migrate.run.execute import Onlooker, Purpose, carry_out
from migrate.run.means import Means
from migrate.sites.lab.client import LabSite
from migrate.sites.ports import Snapshot
from planner.errors import SiteRefused
from planner.store.project import Project
from tests.faults.conftest import Stage
from tests.faults.endstate import at_commit_gate, committed, rolled_back
from tests.faults.killlab import WAVE
from tests.faults.labrun import Lab, kill_at
from tests.faults.scenario import (
    alone,
    every_one,
    finish,
    in_few,
    killed_at_each,
    not_died_at,
    points_of,
    slice_of,
)


def cycle(project: Project, onlooker: Onlooker) -> Stopped:
    """Be the engine that brings the wave up to date, for ``Lab.drive``."""
    means = Means(speaks=False, cycle=True)
    return carry_out(project, WAVE, Purpose.REPLICATE, onlooker, means=means).stopped


def whole(lab: Lab) -> list[int]:
    """Return the numbers of the rounds that every group has whole."""
    with lab.project() as project:
        run = runs.latest(project, WAVE)
        assert run is not None
        return sorted({one.number for one in cycles.cycles_of(project, run, runs.history(project, run))})


def through(lab: Lab, points: Collection[str]) -> list[str]:
    """Wait for the cutover with cycles that die at each of the points, then one more; move and commit."""
    finish(lab, Purpose.REPLICATE)
    died: set[str] = set()
    for _ in range(3):
        died_before = len(died) == len(points) > 0
        found, ended = killed_at_each(lab, cycle, [point for point in points if point not in died])
        died |= found
        assert ended.gate == "go", ended
        if died_before:
            break
    finish(lab, Purpose.CUTOVER)
    wrong = at_commit_gate(lab)
    finish(lab, Purpose.COMMIT)
    wrong += not_died_at(points, died)
    rounds = whole(lab)
    if rounds != list(range(len(rounds))):
        wrong.append(f"these rounds are told: {rounds}")
    return wrong + committed(lab)


def _points(stage: Stage) -> list[str]:
    with Lab.copy(stage.template, stage.scratch / "cycles") as lab:
        finish(lab, Purpose.REPLICATE)
        before = set(points_of(lab))
        for _ in range(2):
            assert lab.drive(cycle).gate == "go"
        return [point for point in points_of(lab) if point not in before]


def test_a_cycle_dies_and_nothing_is_lost(stage: Stage, rng: random.Random) -> None:
    points = _points(stage)
    chosen = slice_of(points, rng)
    print(f"{len(chosen)} of {len(points)} boundaries of two cycles")
    assert every_one([(), *in_few(chosen)], stage.template, stage.scratch, through) == {}


@pytest.mark.soak
def test_a_cycle_dies_at_every_boundary(stage: Stage) -> None:
    assert every_one(alone(_points(stage)), stage.template, stage.scratch, through) == {}


def _refused(*_: object) -> Snapshot:
    raise SiteRefused("no snapshots today", "")


def test_a_cycle_that_fails_holds_no_cutover_up(stage: Stage) -> None:
    def refuses(project: Project, onlooker: Onlooker) -> Stopped:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(LabSite, "take_snapshot", _refused)
            return cycle(project, onlooker)

    with Lab.copy(stage.template, stage.scratch / "refused") as lab:
        finish(lab, Purpose.REPLICATE)
        assert lab.drive(refuses).decide.startswith("g0/snapshot/")
        assert lab.drive(Purpose.CUTOVER).gate == "commit"
        assert at_commit_gate(lab) == []
        finish(lab, Purpose.COMMIT)
        left = [one for one in committed(lab) if "is skipped" not in one]
        assert left == []


def test_a_cutover_goes_on_from_a_cycle_that_died(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "cut-short") as lab:
        finish(lab, Purpose.REPLICATE)
        number = whole(lab)[-1] + 1
        assert lab.drive(cycle, kill_at(f"g0/d0/delta/{number} after intent")).killed
        finish(lab, Purpose.CUTOVER)
        assert at_commit_gate(lab) == []
        finish(lab, Purpose.ROLLBACK)
        assert rolled_back(lab) == []
