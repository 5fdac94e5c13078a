"""A backup job takes a snapshot of a VM beside us: what waits, until when, and that nothing is lost by it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from migrate.engine.presence import ensure
from migrate.run import controls, orders
from migrate.run import store as runs
from migrate.run.driver import Stopped, Told
from migrate.run.execute import Onlooker, Purpose, carry_out
from migrate.run.history import Event
from migrate.run.holding import Holding
from migrate.run.means import Means
from migrate.status import project_status
from migrate.wave_status import WaveStatus
from planner.model import Power
from planner.store.project import Project
from tests.faults.conftest import Stage
from tests.faults.endstate import at_commit_gate
from tests.faults.enginelab import await_result, engine_of, order
from tests.faults.killlab import RUNNING, WAVE
from tests.faults.labrun import Ended, Lab
from tests.faults.scenario import finish
from tests.faults.test_cycles import whole
from tests.faults.test_engine_cycles import grow_old

VM, NAME = "db", "db-01"
Begins = Callable[[Told], bool]
Seen = list[dict[str, Any]]


def backup(lab: Lab) -> str:
    with lab.site("dc1") as source:
        return str(source.take_snapshot((VM,), "").id)


def drive(lab: Lab, purpose: Purpose, begins: Begins, *, is_cycle: bool = False) -> tuple[Ended, Seen]:
    """Drive with a backup that begins when ``begins`` says so and ends when it is waited for.

    Returns how it ended, and what was seen at each wait.
    """
    seen = lab.root / "seen.jsonl"
    seen.unlink(missing_ok=True)

    def verb(project: Project, onlooker: Onlooker) -> Stopped:
        def tell(told: Told) -> None:
            if told.event is Event.HELD:
                with seen.open("a") as file:
                    file.write(json.dumps(look(lab, project, told)) + "\n")
                with lab.site("dc1") as source:
                    source.drop_snapshot(told.detail["snapshot"], "")
            elif begins(told):
                backup(lab)

        means = Means(speaks=False, cycle=True) if is_cycle else Means()
        return carry_out(project, WAVE, purpose, replace(onlooker, tell=tell), means=means).stopped

    ended = lab.drive(verb)
    return ended, [json.loads(line) for line in seen.read_text().splitlines()] if seen.exists() else []


def look(lab: Lab, project: Project, told: Told) -> dict[str, Any]:
    late = project_status(project, datetime.now(UTC) + timedelta(hours=2))
    (wave,) = late.waves
    with lab.site("dc1") as source:
        states = [source.observe(vm) for vm in RUNNING]
    return {
        "step": told.step.id,
        "runs": all(state is not None and state.power is Power.ON for state in states),
        "held": wave.held,
        "late": wave.late,
        "current": wave.current,
        "needs": [need.text for need in late.needs],
    }


def of_a_cycle(lab: Lab) -> list[str]:
    """Make a cycle beside a backup and return what is wrong about it."""
    finish(lab, Purpose.REPLICATE)
    number = whole(lab)[-1] + 1
    backup(lab)
    ended, seen = drive(lab, Purpose.REPLICATE, lambda told: False, is_cycle=True)
    wrong = [] if ended.gate == "go" else [f"it ended {ended}"]
    if whole(lab)[-1] != number:
        wrong.append(f"the round that waited is not whole: {whole(lab)}")
    if [one["step"] for one in seen] != [f"g0/snapshot/{number}"]:
        return [*wrong, f"it waited at {[one['step'] for one in seen]}"]
    (one,) = seen
    said = f"waits for a foreign snapshot of {NAME} since "
    if not one["held"].startswith(said):
        wrong.append(f"status says {one['held']!r}")
    if one["late"] != f"a delta {one['held']}" or one["held"] not in one["current"]:
        wrong.append(f"why it is late: {one['late']!r}, now: {one['current']!r}")
    if f"{WAVE} {one['held']}" not in one["needs"]:
        wrong.append(f"nobody is told: {one['needs']}")
    return wrong


def test_a_cycle_waits_and_goes_on_when_the_snapshot_is_gone(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "backup") as lab:
        assert of_a_cycle(lab) == []
        (wave,) = _status(lab)
        assert wave.held == ""
        finish(lab, Purpose.CUTOVER)
        assert at_commit_gate(lab) == []


def _status(lab: Lab) -> tuple[WaveStatus, ...]:
    with lab.project() as project:
        return project_status(project).waves


@contextmanager
def _blind() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Holding, "sift", lambda _self, actions: actions)
        yield


def test_a_run_that_does_not_look_does_not_wait(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "blind") as lab, _blind():
        assert of_a_cycle(lab) == ["it waited at []"]


def test_a_cutover_waits_before_the_stop_and_before_its_last_delta(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "backup-cutover") as lab:
        finish(lab, Purpose.REPLICATE)
        backup(lab)
        stops: list[str] = []

        def all_are_stopped(told: Told) -> bool:
            if told.step.kind == "stop" and told.event is Event.DONE:
                stops.append(told.step.id)
                return len(stops) == len(RUNNING) + 1
            return False

        ended, seen = drive(lab, Purpose.CUTOVER, all_are_stopped)
        assert ended.gate == "commit", ended
        # the last deltas of its two disks are looked at together, before the snapshot is taken away
        assert [one["step"].rpartition("/")[2] for one in seen] == ["quiesce", "final", "final"]
        assert [one["runs"] for one in seen] == [True, False, False]
        assert at_commit_gate(lab) == []


@pytest.mark.soak
def test_an_engine_waits_gives_way_to_a_cutover_and_goes_on(stage: Stage) -> None:
    with Lab.copy(stage.template, stage.scratch / "backup-engine") as lab, engine_of(lab) as project:
        ensure(project.root, project.run_dir)
        await_result(project, order(project, Purpose.REPLICATE))
        theirs = backup(lab)
        grow_old(project, 90)
        _await_word(lab, "g0/snapshot/")
        alarms = [row["detail"] for row in project.rows("SELECT detail FROM audit WHERE act = 'alarm'")]
        assert any("over 1 h old" in said for said in alarms)
        (waiting,) = orders.waiting(project)
        assert waiting.options["cycle"]
        controls.ask_to_pause(project, WAVE)  # as the verb does it
        assert await_result(project, waiting.id)["stopped"]["paused"], "a pause is heard while it waits"
        number = order(project, Purpose.CUTOVER)
        _await_word(lab, "g0/snapshot/", number)
        with lab.site("dc1") as source:
            source.drop_snapshot(theirs, "")
        assert await_result(project, number)["stopped"]["gate"] == "commit"


def _await_word(lab: Lab, step: str, begun: int = 0) -> None:
    """Wait until a run says that it waits at a step, and an order has begun."""
    deadline = time.monotonic() + 240
    while True:
        with lab.project() as project:
            run = runs.latest(project, WAVE)
            assert run is not None
            held = runs.history(project, run).held
            if any(one.startswith(step) for one in held) and (not begun or _has_begun(project, begun)):
                return
        assert time.monotonic() < deadline, held
        time.sleep(0.05)


def _has_begun(project: Project, number: int) -> bool:
    rows = project.rows("SELECT begun_at FROM work_order WHERE id = ?", number)
    return rows[0]["begun_at"] is not None
