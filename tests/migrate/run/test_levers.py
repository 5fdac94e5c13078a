"""Levers: which steps may be passed over, that a reason stays, and that a retry is one step's."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from migrate import audit
from migrate.papers.report import run_report
from migrate.run import levers
from migrate.run import store as runs
from migrate.run.actions import Decide, Do, next_actions
from migrate.run.history import Event, Status
from migrate.run.runbook import GATE, HUMAN
from migrate.steps.kinds import KINDS
from planner.errors import BadInput, Blocked, ProjectBusy
from tests.migrate.gates.standing import Standing, planned, stored

PROBE = "g0/v1/probe"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    """A run that two failed steps hold up: a probe, and the last pass over a disk before it."""
    with stored(tmp_path_factory.mktemp("levers") / "move", planned()) as standing:
        standing.go_to(PROBE)
        fail(standing, PROBE)
        yield standing


def fail(run: Standing, step: str) -> None:
    run.append(step, Event.INTENT)
    run.append(step, Event.FAILED, message="no \x1b[31manswer", hint="look", retryable=False)


def test_no_step_that_carries_proves_or_changes_may_be_passed_over(run: Standing) -> None:
    passable = {step.kind for step in run.history.runbook.steps if step.kind in levers.PASSABLE}
    assert passable == {"probe", "quiesce", "fold"}
    for step in run.history.runbook.steps:
        if step.kind not in levers.PASSABLE:
            assert levers.why_not(run.history, step), step.id
            with pytest.raises(Blocked, match="is not skipped"):
                levers.skip(run.project, run.run, run.history, step, "I want to")
    assert set(KINDS) >= levers.PASSABLE
    assert levers.PASSABLE.isdisjoint({GATE, HUMAN})


def test_a_skip_needs_a_reason_that_can_be_kept(run: Standing) -> None:
    step = run.history.runbook.step(PROBE)
    for reason, sentence in (("  ", "without a reason"), ("x" * 501, "501 characters")):
        with pytest.raises(BadInput, match=sentence):
            levers.skip(run.project, run.run, run.history, step, reason)
    assert run.history.status[PROBE] is Status.FAILED


def test_only_what_failed_is_tried_again(run: Standing) -> None:
    done = run.history.runbook.step("g0/v0/probe")
    with pytest.raises(Blocked, match="is done, only what failed is tried again"):
        levers.retry(run.project, run.run, run.history, done)
    assert [step.id for step in levers.failed(run.history)] == [PROBE]
    (decide,) = next_actions(run.history.runbook, run.history)
    assert isinstance(decide, Decide)
    levers.retry(run.project, run.run, run.history, decide.step)
    (again,) = next_actions(run.history.runbook, run.history)
    assert again == Do(decide.step, 2)
    assert audit.lines(run.project)[-1].act == f"retry {PROBE}"
    fail(run, PROBE)


def test_what_a_driver_holds_is_not_changed_under_it(run: Standing) -> None:
    step = run.history.runbook.step(PROBE)
    with runs.held(run.project, "W01"), pytest.raises(ProjectBusy):
        levers.skip(run.project, run.run, run.history, step, "no tools")


def test_a_run_that_went_on_meanwhile_is_looked_at_again(run: Standing) -> None:
    before = runs.history(run.project, run.run)
    fresh = runs.history(run.project, run.run)
    levers.retry(run.project, run.run, run.history, run.history.runbook.step(PROBE))
    for stale in (before, fresh):
        with pytest.raises(Blocked, match="went on in the meantime"):
            levers.retry(run.project, run.run, stale, stale.runbook.step(PROBE))
    fail(run, PROBE)


def test_a_skip_stands_in_record_log_and_report_and_the_run_goes_on(run: Standing) -> None:
    step = run.history.runbook.step(PROBE)
    levers.skip(run.project, run.run, run.history, step, "no tools in \x1b[2Jit")
    assert runs.history(run.project, run.run).status[PROBE] is Status.SKIPPED
    assert [action.step.id for action in next_actions(run.history.runbook, run.history)] == ["landed"]
    line = audit.lines(run.project)[-1]
    assert (line.act, json.loads(line.detail)["reason"]) == (f"skipped {PROBE}", "no tools in \x1b[2Jit")
    said = next(item for item in run_report(run.project, "W01").steps if item.step == PROBE)
    assert said.said == f"passed over by {audit.person()}: no tools in ␛[2Jit"
    with pytest.raises(Blocked, match="is skipped"):
        levers.skip(run.project, run.run, run.history, step, "again")
