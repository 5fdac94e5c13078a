"""kill -9 of the run at the boundaries of replicate, cutover and commit: the same end each time.

A commit's tests take a seeded slice (one step of each kind, its outcome unknown: the act was made or not,
by chance); the soak takes every boundary by itself, and all in turn in one run.
"""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from migrate.run.execute import Purpose
from planner.store.project import Project
from planner.store.writer import writer
from tests.faults.conftest import Stage
from tests.faults.endstate import at_commit_gate, committed, repeated, world
from tests.faults.labrun import Lab, kill_at
from tests.faults.scenario import (
    FORWARD,
    GOAL,
    alone,
    by_kind,
    every,
    every_one,
    finish,
    forward,
    in_few,
    kind_of,
    slice_of,
)
from tests.faults.witness import read_witness

if TYPE_CHECKING:
    from sqlite_utils import Database


def _problems(stage: Stage, lab: Lab) -> list[str]:
    problems = committed(lab)
    if world(lab) != stage.end:
        problems.append("the end state is not that of an undisturbed run")
    return problems


def _killed_once(stage: Stage, ways: list[tuple[str, ...]]) -> None:
    def run(lab: Lab, points: tuple[str, ...]) -> list[str]:
        return forward(lab, points) + _problems(stage, lab)

    points = [point for way in ways for point in way]
    kinds = {kind_of(point) for point in points}
    print(f"{len(points)} of {len(stage.points)} boundaries, of {len(kinds)} kinds of steps")
    assert every_one(ways, stage.template, stage.scratch, run) == {}


def test_boundaries_of_a_step_of_every_kind(stage: Stage, rng: random.Random) -> None:
    chosen = [rng.choice(points) for points in by_kind(slice_of(stage.points, rng)).values()]
    _killed_once(stage, in_few(chosen))


@pytest.mark.soak
def test_every_boundary(stage: Stage) -> None:
    _killed_once(stage, alone(stage.points))


@pytest.mark.soak
def test_one_run_that_dies_at_every_boundary_it_reaches(stage: Stage) -> None:
    dead: set[str] = set()

    def boundary(point: str) -> None:
        if point not in dead:
            os.kill(os.getpid(), signal.SIGKILL)

    with Lab.copy(stage.template, stage.scratch / "chain") as lab:
        for purpose in FORWARD:
            while lab.standing() != GOAL[purpose]:
                ended = lab.drive(purpose, boundary)
                if ended.killed:
                    dead.add(read_witness(lab.root)[-1]["point"])
                assert ended.error == "", ended.message
            if purpose is Purpose.CUTOVER:
                assert at_commit_gate(lab) == []
        print(f"died {len(dead)} times in one run of {len(stage.points)} boundaries")
        assert len(dead) > len(stage.points) * 0.8
        assert _problems(stage, lab) == []


def _killed_by_the_clock(stage: Stage, rounds: int, rng: random.Random) -> None:
    seeds = {f"round {number}": rng.randrange(2**32) for number in range(rounds)}

    def run(lab: Lab, name: str) -> list[str]:
        chance = random.Random(seeds[name])
        kills = 0
        for purpose in FORWARD:
            while lab.standing() != GOAL[purpose]:
                limit_s = 0.12 + 0.01 * kills  # a slow machine gets there as well
                ended = lab.drive(purpose, kill_after_s=chance.uniform(0.0, limit_s))
                kills += ended.killed
                if ended.error:
                    return [f"{ended.error}: {ended.message}"]
            if purpose is Purpose.CUTOVER and (found := at_commit_gate(lab)):
                return found
        return _problems(stage, lab) or ([] if kills else ["the run was never killed"])

    assert every(list(seeds), stage.template, stage.scratch, run) == {}


@pytest.mark.soak
def test_killed_at_random_times_many_times(stage: Stage, rng: random.Random) -> None:
    _killed_by_the_clock(stage, 100, rng)


class Forgetful(Project):
    """A project whose record is switched off: what is written is forgotten at once."""

    @contextmanager
    def write(self) -> Iterator[Database]:
        """Let the caller write, then take it back."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield writer(self._connection)
        finally:
            self._connection.execute("ROLLBACK")


def _forgetful(root: Path) -> Project:
    return Forgetful.open(root)


def _lost(lab: Lab, step: str) -> None:
    with lab.project() as project, project.write() as db:
        db.execute("DELETE FROM step_record WHERE step = ?", [step])


@pytest.mark.parametrize(
    ("purpose", "step", "call"),
    [
        (Purpose.REPLICATE, "g0/d1/create", "create_disk db/2002"),
        (Purpose.CUTOVER, "g0/v1/build", "create_vm app"),
        (Purpose.CUTOVER, "g0/v0/start", "power_on db"),
    ],
)
def test_control_a_lost_line_of_the_record_is_noticed(
    stage: Stage, purpose: Purpose, step: str, call: str
) -> None:
    with Lab.copy(stage.template, stage.scratch / "control") as lab:
        for before in FORWARD[: FORWARD.index(purpose)]:
            finish(lab, before)
        assert lab.drive(purpose, kill_at(f"{step} after act")).killed
        assert list(repeated(lab)) == []
        _lost(lab, step)
        lab.drive(purpose)
        assert any(f"asked to {call} 2 times" in problem for problem in repeated(lab))


def test_control_a_record_switched_off_is_noticed(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "control") as lab:
        assert lab.drive(Purpose.REPLICATE, kill_at("check before intent")).killed  # the run is there
        ended = lab.drive(Purpose.REPLICATE, kill_at("g0/d1/create after outcome"), opener=_forgetful)
        assert ended.killed
        lab.drive(Purpose.REPLICATE)
        found = list(repeated(lab))
        assert any("asked to create_disk db/2002 2 times" in problem for problem in found), found


def test_without_a_record_of_the_cutover_the_target_itself_is_the_witness(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "control") as lab:
        finish(lab, Purpose.REPLICATE)
        assert lab.drive(Purpose.CUTOVER, kill_at("go before approval")).killed  # the word is said
        assert lab.drive(Purpose.CUTOVER, kill_at("g0/v1/build after outcome"), opener=_forgetful).killed
        assert lab.drive(Purpose.CUTOVER).decide.endswith("/final")
        assert list(repeated(lab)) == []
