"""Planned and achieved RTO and RPO: the times of the record, and a reason where there is none."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from migrate.papers.formats import as_markdown
from migrate.papers.moments import Moments, between
from migrate.papers.objectives import figures
from migrate.papers.report import run_report
from migrate.run.history import Event
from migrate.run.runbook import COMMIT, GO
from planner.run_report import Figures
from tests.migrate.gates.standing import Standing, planned, stored
from tests.migrate.papers.record import at

STOPPED = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)


def at_the_commit_gate(run: Standing) -> None:
    """Stop at ten, with copies of half past nine; all VMs are well two minutes later."""
    run.go_to(GO)
    run.append(GO, Event.APPROVED, who="ada")
    run.go_to(COMMIT)
    at(run, STOPPED - timedelta(minutes=30), "%/snapshot/%", "intent")
    for pattern in ("%/stop", "%/final"):
        at(run, STOPPED, pattern, "intent")
        at(run, STOPPED, pattern, "done")
    at(run, STOPPED + timedelta(minutes=2), "%/probe%", "done")


def with_results(run: Standing, pattern: str, **result: Any) -> Figures:
    """Return the wave's figures when steps that are done left another result."""
    with run.project.write() as db:
        db.conn.execute(
            "UPDATE step_record SET detail = ? WHERE step LIKE ? AND kind = 'done'",
            (json.dumps(result), pattern),
        )
    whole, _, _ = figures(Moments(run.project, run.run))
    return whole


def test_what_was_achieved_is_held_against_the_plan(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        at_the_commit_gate(run)
        whole, groups, vms = figures(Moments(run.project, run.run))
        assert whole.rto_s == 120.0
        assert whole.rto_planned_p95_s == round(run.wave.estimate.downtime_min.p95 * 60, 1)
        assert {one.rpo_s for one in vms if one.rpo_s is not None} == {1800.0}
        assert whole.rpo_target_s == 3600.0
        assert whole.rpo_s is None, "a raw disk has no copy before the stop, so the wave has none"
        assert "is of one moment only after it" in whole.rpo_why
        assert whole.cutover_rpo_s == 0.0, whole.cutover_rpo_why
        assert [one.name for one in groups] == [group.name for group in run.wave.groups]
        assert {one.rto_s for one in vms if not one.rto_why} == {120.0}
        report = run_report(run.project, "W01")
        assert report.objectives == whole
        assert "## RTO and RPO" in as_markdown(report).decode()


def test_what_is_not_known_is_said(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        run.go_to(GO)
        before, _, _ = figures(Moments(run.project, run.run))
        assert (before.rto_s, before.rpo_s, before.cutover_rpo_s) == (None, None, None)
        assert "not stopped in this run yet" in before.rto_why
        assert "not stopped in this run yet" in before.rpo_why


def test_evidence_that_is_lost_gives_no_figure(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        at_the_commit_gate(run)
        whole = with_results(run, "%/stop", recovered=True)
        assert (whole.rto_s, whole.rpo_s, whole.cutover_rpo_s) == (None, None, None)
        assert "the evidence is lost" in whole.rto_why


def test_a_copy_after_the_stop_that_is_not_equal_is_no_proof(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        at_the_commit_gate(run)
        whole = with_results(run, "%/verify", source="a", target="b")
        assert whole.cutover_rpo_s is None
        assert "not compared" in whole.cutover_rpo_why


def test_a_clock_that_went_back_says_nothing() -> None:
    assert between("2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z") is None
    assert between("", "2026-01-01T00:00:00Z") is None
    assert between("2026-01-01T00:00:00Z", "2026-01-01T00:00:01.5Z") == 1.5
