"""The course of a group: where it ran and what was done to it, by the times of the record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from migrate.group_course import DOWN, SOURCE, TARGET, GroupCourse, course_of
from migrate.run import store as runs
from migrate.run.compose import compose
from migrate.run.compose_failback import compose_failback
from migrate.run.history import Event
from migrate.run.runbook import COMMIT, GO
from migrate.run.step_phases import BACK, COMMITTING, CUTOVER, DELTAS, SEED
from migrate.run.store import RunKind
from planner.store import plans
from tests.migrate.gates.standing import Standing, planned, stored
from tests.migrate.papers.record import at, text

NIGHT = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)


def course(run: Standing) -> GroupCourse:
    return course_of(run.project, run.wave.name, run.wave.groups[0].name, text(NIGHT + timedelta(days=1)))


def told(found: GroupCourse) -> list[str]:
    return [one.what for one in found.happened]


def cut_over(run: Standing) -> None:
    """Copy a day before, cut over at ten, and wait at the commit gate."""
    run.go_to(GO)
    with run.project.write() as db:
        db.conn.execute("UPDATE run SET at = ?", (text(NIGHT - timedelta(days=2)),))
    at(run, NIGHT - timedelta(days=1), "%", "intent")
    at(run, NIGHT - timedelta(days=1), "%", "done")
    run.append(GO, Event.APPROVED, who="ada")
    run.go_to(COMMIT)
    for pattern, minutes in (("%/stop", 1), ("%/final", 2), ("%/start", 5)):
        for kind in ("intent", "done"):
            at(run, NIGHT + timedelta(minutes=minutes), pattern, kind)


def test_it_ran_at_the_source_was_down_and_runs_at_the_target(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        assert [one.where for one in course(run).stays] == [SOURCE]
        cut_over(run)
        found = course(run)
    assert [(one.where, one.at) for one in found.stays] == [
        (SOURCE, text(NIGHT - timedelta(days=2))),
        (DOWN, text(NIGHT + timedelta(minutes=1))),
        (TARGET, text(NIGHT + timedelta(minutes=5))),
    ]
    phases = [one.phase for one in found.stretches]
    assert phases[0] == SEED
    assert DELTAS in phases
    assert CUTOVER in phases
    assert not any(one.homeward for one in found.stretches)
    said = told(found)
    assert said.index("go for cutover") >= 0
    assert next(one for one in found.happened if one.what == "go for cutover").who == "ada"
    down, up = (
        next(at for at, what in enumerate(said) if word in what) for word in ("to stop", "started at")
    )
    assert down < up
    assert not any("commit" in what for what in said), "it waits"


def test_a_way_back_leads_to_the_source_and_who_asked_for_it_is_told(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        cut_over(run)
        run.append("", Event.ROLLBACK, who="bob")
        starts = [step.id for step in run.history.runbook.steps if step.kind == "start"]
        stops = [step.id for step in run.history.runbook.steps if step.kind == "stop"]
        for step in starts:
            run.append(step, Event.UNDO_INTENT, Event.UNDONE)
        assert [one.where for one in course(run).stays][-1] == DOWN
        for step in stops:
            run.append(step, Event.UNDO_INTENT, Event.UNDONE)
        found = course(run)
    assert [one.where for one in found.stays] == [SOURCE, DOWN, TARGET, DOWN, SOURCE]
    assert found.stretches[-1].phase == BACK
    assert [one.who for one in found.happened if one.what == "rollback begins"] == ["bob"]


def test_runs_follow_one_another_and_the_way_home_leads_to_the_source(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        cut_over(run)
        run.append(COMMIT, Event.APPROVED, who="ada")
        run.do(
            *(step.id for step in run.history.runbook.steps if step.phase == "commit" and not step.is_gate)
        )
        assert course(run).stretches[-1].phase == COMMITTING
        stored_plan = plans.get(run.project, run.run.plan)
        back = runs.begin(run.project, stored_plan, compose_failback(run.wave, {}), RunKind.FAILBACK, "eve")
        home = Standing(run.project, run.wave, back, runs.history(run.project, back), {})
        home.go_to(GO)
        found = course(run)
    assert {one.run: one.homeward for one in found.stretches} == {run.run.id: False, back.id: True}
    assert found.stays[-1].where == TARGET
    assert f"run {back.id} home begins" in told(found)
    assert any(what.startswith("comparison is whole") for what in told(found))


def test_a_step_that_failed_is_told_once_with_how_often(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        step = next(one.id for one in run.history.runbook.steps if one.kind == "create-disk")
        run.do(*(one.id for one in run.history.runbook.steps if one.kind == "check"))
        for _ in range(2):
            run.append(step, Event.INTENT)
            run.append(step, Event.FAILED, message="no room", hint="make some")
        ill = [one for one in course(run).happened if one.ill]
    assert [one.what.startswith("failed 2 times: ") for one in ill] == [True]


def test_a_group_is_found_by_its_name_in_runs_of_other_plans(tmp_path: Path) -> None:
    wave = planned()
    with stored(tmp_path / "move", wave) as run:
        run.go_to(GO)
        found = course_of(run.project, wave.name, "somebody else", text(NIGHT))
    assert not found.stretches
    assert told(found)[-1] == "the group was no part of that run"
    assert compose(wave).steps
