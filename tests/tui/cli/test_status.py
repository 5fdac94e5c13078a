"""What people are told when they ask: the state of a wave, the commit window, a log that was touched."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from migrate.status import project_status
from planner.store.project import Project
from tests.tui.cli.command import Wherry, refused, wherry


def needs(cli: Wherry, now: datetime | None = None) -> list[tuple[str, str, str]]:
    with Project.open(cli.root) as project:
        return [(need.severity, need.text, need.hint) for need in project_status(project, now).needs]


def test_planned_and_approved(planned: Wherry) -> None:
    assert ("info", "W02 is not approved", "wherry plan approve W02") in needs(planned)
    planned.done("plan", "approve", "W02")
    assert [planned.state(wave)["state"] for wave in ("W01", "W02")] == ["planned", "approved"]
    assert all("W02" not in text for _, text, _ in needs(planned))


def test_the_commit_window_runs_out_and_waits(lab: Wherry) -> None:
    assert lab.live("cutover", "W01").code == 0
    end = datetime.fromisoformat(lab.state("W01")["commit_by"])
    assert timedelta(hours=3, minutes=59) < end - datetime.now(UTC) <= timedelta(hours=4)
    hint = "wherry commit W01 --live, or wherry rollback W01 --live"
    at = f"{end:%Y-%m-%d %H:%M} UTC"
    begun = "W01 runs at the target and waits for commit, "
    gate = [need for need in needs(lab, end - timedelta(hours=2, minutes=5)) if "W01" in need[1]]
    assert gate == [("gate", f"{begun}2 h 5 m of its commit window left (until {at})", hint)]
    late = [need for need in needs(lab, end + timedelta(minutes=90)) if "W01" in need[1]]
    assert late == [("warning", f"{begun}its commit window has been over for 1 h 30 m (since {at})", hint)]
    assert lab.state("W01")["state"] == "before commit", "nothing ends by itself"


def test_a_wave_in_sync_waits_for_its_cutover(lab: Wherry) -> None:
    assert lab.live("replicate", "W02").code == 0
    assert ("gate", "W02 is in sync and waits for its cutover", "wherry cutover W02 --live") in needs(lab)
    assert lab.live("abort", "W02").code == 0
    assert ("info", "W02 was aborted", "wherry replicate W02 begins again") in needs(lab)


def test_log_shows_who_did_what(planned: Wherry) -> None:
    out = planned.done("log").out
    assert "init" in out
    assert "discover" in out
    assert planned.done("log", "--since", "2999-01-01", "--json").document["lines"] == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET who = 'nobody' WHERE seq = 2",
        "DELETE FROM audit WHERE seq = 2",
        "UPDATE audit SET detail = '{}' WHERE seq = 2",
    ],
)
def test_a_log_that_was_touched(planned: Wherry, change: str) -> None:
    whole = planned.done("log", "--verify")
    assert whole.out.startswith("the chain is whole: ")
    with sqlite3.connect(planned.root / "project.db") as db:
        db.execute(change)
    ran = planned("log", "--verify")
    assert ran.code == 1
    assert "the chain is broken at line 2" in ran.out
    asked = planned("log", "--verify", "--json")
    assert asked.code == 1
    assert asked.document["broken_at"] == 2
    assert planned("doctor").code == 1


def test_status_of_a_new_project_says_what_to_do(tmp_path: object, planned: Wherry) -> None:
    said = planned.done("status").out
    assert "move: 3 VMs, 11.0 MiB, from tiny" in said
    refused(planned("status", "--plan"), 2)


def test_init_says_where_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "next: cd move, then wherry discover FILE.xlsx" in wherry("init", "move").err
    monkeypatch.chdir(tmp_path / "move")
    (tmp_path / "move" / "project.db").unlink()
    assert "next: wherry discover FILE.xlsx" in wherry("init").err
