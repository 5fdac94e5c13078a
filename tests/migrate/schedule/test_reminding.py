"""What status says of the calendar: what comes near, what will not hold, what was missed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from migrate.gates.due import GRACE, next_due, sound
from migrate.needs import Need
from migrate.rehearsals import book
from migrate.rehearsals.book import Depth, Verdict
from migrate.run.history import Event
from migrate.run.runbook import GO
from migrate.schedule import calendar
from migrate.schedule.calendar import Appointed
from migrate.status import project_status
from tests.migrate.gates.standing import Standing, planned, stored

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
SOON = NOW + 3 * HOUR


def told(run: Standing, at: datetime = NOW) -> list[Need]:
    needs = project_status(run.project, at).needs
    return [need for need in needs if "cutover of" in need.text or "rehears" in need.text]


def rehearse(run: Standing, fingerprint: str = "") -> None:
    book.write(run.project, "W01", fingerprint or run.wave.fingerprint, 1, Depth.TWIN, Verdict.CLEAN, {})


@pytest.fixture(autouse=True)
def _an_engine_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("migrate.engine.presence.running", lambda run_dir: 1)


def test_one_that_comes_near_is_told_and_a_far_one_is_not(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        run.go_to(GO)
        rehearse(run)
        made = calendar.add(run.project, run.wave, Appointed.CUTOVER, SOON)
        (need,) = told(run)
        assert (need.severity, need.wave) == ("info", "W01")
        assert need.text.startswith("the cutover of W01 begins in 3 h, at ")
        assert need.hint == f"wherry schedule remove {made.id} takes it back"
        assert told(run, SOON - 25 * HOUR) == []
        assert told(run, SOON + timedelta(seconds=1))[0].text.startswith("the cutover of W01 begins now")


def test_nobody_who_looks_at_the_calendar_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrate.engine.presence.running", lambda run_dir: None)
    with stored(tmp_path / "move", planned()) as run:
        rehearse(run)
        calendar.add(run.project, run.wave, Appointed.CUTOVER, SOON)
        (need,) = told(run)
        assert need.severity == "warning"
        assert need.text.endswith("but no engine looks at the calendar")
        assert need.hint.startswith("wherry engine start")


def test_a_rehearsal_that_is_owed_is_told_before_an_appointment(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        calendar.add(run.project, run.wave, Appointed.CUTOVER, SOON)
        assert told(run)[1].text == "W01 was never rehearsed"
        rehearse(run, "another plan")
        assert "changed in the plan since it was rehearsed" in told(run)[1].text
        rehearse(run)
        assert len(told(run)) == 1


def test_a_missed_one_is_told_until_it_is_made_up_for(tmp_path: Path) -> None:
    late = SOON + GRACE * 2
    with stored(tmp_path / "move", planned()) as run:
        run.go_to(GO)
        calendar.add(run.project, run.wave, Appointed.CUTOVER, SOON)
        (will,) = told(run, late)
        assert will.text.startswith("the cutover of W01 will not begin: appointment 1 of ")
        (due,) = (one for one in next_due(run.project, late) if one.cause == "appointment")
        sound(run.project, due)
        (did,) = told(run, late)
        assert did.severity == "warning"
        assert did.text.startswith("the cutover of W01 did not begin: appointment 1 of ")
        assert "was missed" in did.text
        calendar.add(run.project, run.wave, Appointed.CUTOVER, late + 48 * HOUR)
        assert told(run, late) == []
        calendar.end(run.project, 2, "taken back by ada")
        assert told(run, late) == [], "whoever took the newer one back knows"


def test_a_missed_one_is_forgotten_when_the_wave_went_on_by_hand(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        run.go_to(GO)
        calendar.add(run.project, run.wave, Appointed.CUTOVER, SOON)
        (due,) = (one for one in next_due(run.project, SOON + GRACE * 2) if one.cause == "appointment")
        sound(run.project, due)
        run.append(GO, Event.APPROVED, who="ada")
        assert told(run, SOON + GRACE * 3) == []


def test_one_for_another_plan_will_not_hold(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        calendar.add(run.project, planned(commit_window_h=2.0), Appointed.CUTOVER, SOON + 48 * HOUR)
        (need,) = told(run)
        assert "will not begin" in need.text
        assert "was for another plan" in need.text
