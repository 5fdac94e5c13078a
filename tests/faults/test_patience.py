"""The line of a wave is cut for longer than three tries last, and the wave comes through by itself."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import TypeVar

import pytest

from migrate.engine.presence import running
from migrate.needs import Need
from migrate.run import controls, levers, orders
from migrate.run import store as runs
from migrate.run.execute import Purpose
from migrate.run.history import Event, History
from migrate.run.patience import Patience, Spent
from migrate.run.runbook import GO
from migrate.run.store import Run
from migrate.status import project_status
from migrate.wave_status import WaveStatus
from planner.errors import Blocked
from planner.store.project import Project
from tests.faults.conftest import Stage
from tests.faults.cutline import CutLine
from tests.faults.endstate import committed, world
from tests.faults.enginelab import PATIENCE_S, await_result, engine_of, kill_engine, look_after, order
from tests.faults.killlab import WAVE
from tests.faults.labrun import Lab
from tests.faults.scenario import finish

CUT_AT = 300 * 1024  # bytes, in the middle of the first copies
OLD_TRIES = 3
Seen = TypeVar("Seen")
MUCH = Patience(transfers_s=PATIENCE_S, first_s=0.02, longest_s=0.2)


def standing(project: Project) -> tuple[Run, History] | None:
    run = runs.latest(project, WAVE)
    return None if run is None else (run, runs.history(project, run))


def failures(project: Project) -> dict[str, list[Spent]]:
    """Return what the failures of each step say, in order."""
    found: dict[str, list[Spent]] = {}
    for entry in stood[1].entries if (stood := standing(project)) else ():
        if entry.event is Event.FAILED and (spent := Spent.of(entry.detail)) is not None:
            found.setdefault(entry.step, []).append(spent)
    return found


def most(lab: Lab) -> int:
    """Return how often the step failed that failed most often."""
    with lab.project() as project:
        return max(map(len, failures(project).values()), default=0)


def test_a_line_that_is_cut_for_longer_than_three_tries_stops_no_wave(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "cut") as lab:
        with CutLine(lab.run_of("dc2"), CUT_AT, lambda: most(lab) > OLD_TRIES) as line:
            ended = lab.drive(Purpose.REPLICATE, patience=MUCH)
            assert (ended.gate, ended.error) == (GO, ""), ended
            assert line.refused > OLD_TRIES
        assert most(lab) > OLD_TRIES
        finish(lab, Purpose.CUTOVER)
        finish(lab, Purpose.COMMIT)
        assert committed(lab) == []
        assert world(lab) == stage.end


def test_control_without_patience_the_same_cut_stops_it(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "cut-short") as lab:
        with CutLine(lab.run_of("dc2"), CUT_AT, lambda: most(lab) > OLD_TRIES):
            ended = lab.drive(Purpose.REPLICATE, patience=Patience(transfers_s=0.0))
        assert ended.decide
        assert not ended.gate
        assert most(lab) == 1


def until(project: Project, seen: Callable[[], Seen | None]) -> Seen:
    """Return what is seen once there is something to see."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := seen()):
        assert time.monotonic() < deadline
        look_after(project)
        time.sleep(0.02)
    return found


def waiting(project: Project) -> tuple[WaveStatus, tuple[Need, ...]] | None:
    """Return what people see of the wave while it waits, all of it as it was at one time."""
    status = project_status(project)
    wave = next(one for one in status.waves if one.name == WAVE)
    return (wave, status.needs) if wave.waits else None


def test_an_engine_that_is_killed_in_the_wait_has_no_more_patience_and_people_end_it(stage: Stage) -> None:
    with (
        Lab.copy(stage.template, stage.scratch / "cut-engine") as lab,
        CutLine(lab.run_of("dc2"), CUT_AT),
        engine_of(lab) as project,
    ):
        number = order(project, Purpose.REPLICATE)
        until(project, lambda: most(lab) >= 1)
        step = max(failures(project), key=lambda one: len(failures(project)[one]))
        killed = running(project.run_dir)
        assert kill_engine(lab)
        before = failures(project)[step]
        until(project, lambda: len(failures(project)[step]) > len(before))
        assert running(project.run_dir) != killed
        said = failures(project)[step]
        assert said[0].limit_s == 900.0
        for earlier, later in pairwise(said):
            assert later.used_s >= earlier.used_s + earlier.pause_s
            assert later.pause_s == pytest.approx(2 * earlier.pause_s)
            assert later.at_s >= (earlier.again_s or 0.0)

        # people see what it waits for
        wave, needs = until(project, lambda: waiting(project))
        assert "tries again" in wave.waits
        assert wave.again_at > datetime.fromtimestamp(said[0].at_s, UTC).isoformat(timespec="seconds")[:19]
        assert f"{WAVE} waits at {wave.waits}" in [need.text for need in needs]
        assert wave.flags == ()

        # one who is in a hurry has it tried at once
        before = failures(project)[step]
        until(project, lambda: hurried(project, step))
        until(project, lambda: step in retried(project))
        until(project, lambda: len(failures(project)[step]) > len(before))  # it waits again

        # one who pauses ends the wait, and gives patience by going on
        controls.ask_to_pause(project, WAVE)
        result = await_result(project, number)
        assert result["stopped"]["paused"], result
        hurries = retried(project)[step]
        number = order(project, Purpose.REPLICATE)
        until(project, lambda: retried(project)[step] > hurries)
        assert orders.find(project, number).result is None


def hurried(project: Project, step: str) -> bool:
    """Ask for a step to be tried at once; False while it is being tried anyway."""
    found = standing(project)
    assert found is not None
    try:
        levers.hurry(project, *found, [found[1].runbook.step(step)])
    except Blocked:
        return False
    return True


def retried(project: Project) -> Counter[str]:
    """Return how often people gave patience anew, by step."""
    found = standing(project)
    assert found is not None
    return Counter(one.step for one in found[1].entries if one.event is Event.RETRY)
