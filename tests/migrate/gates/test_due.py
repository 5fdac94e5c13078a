"""What time will do: gates by the clock, the end of the commit window, appointments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from migrate.gates import words
from migrate.gates.due import GRACE, Cause, Due, next_due, sound
from migrate.gates.ending import ends_at, let_in
from migrate.gates.words import Person, Verdict
from migrate.run.history import Event
from migrate.schedule import calendar
from migrate.schedule.calendar import Appointed
from planner.conduct import Ending, GateRule
from planner.settings import Window
from tests.migrate.gates.standing import Standing, planned, stored, with_rules, with_step
from tests.migrate.stored import store_plan

NOW = datetime.now(UTC)
SOON = NOW + timedelta(hours=3)


def the_end(run: Standing) -> datetime:
    return ends_at(run.project, run.run, run.wave.policies.commit_window_h)


def only(run: Standing, at: datetime) -> Due:
    (found,) = others(run, at)
    return found


def others(run: Standing, at: datetime) -> list[Due]:
    """Return what is due beside copies that get old, which are tested on their own."""
    return [due for due in next_due(run.project, at) if due.cause not in (Cause.CYCLE, Cause.BREACH)]


def test_a_run_in_the_middle_of_its_work_waits_for_no_clock(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        assert next_due(run.project, NOW) == []
        run.go_to("go")
        assert others(run, NOW) == []
        run.append("", Event.ABORT, who="ada")
        assert next_due(run.project, NOW) == []


def test_an_open_gate_is_due_now_and_a_clock_gate_when_it_opens(tmp_path: Path) -> None:
    wave = planned(window=Window(start=SOON, hours=2))
    rules = {"go": GateRule(in_window=True)}
    with stored(tmp_path / "move", wave, lambda book: with_rules(book, wave, **rules)) as run:
        run.go_to("go")
        assert others(run, NOW) == [], "nobody said go"
        words.say(run.project, run.run, "go", Verdict.APPROVE)
        due = only(run, NOW)
        assert (due.at, due.cause, due.purpose, due.wave) == (SOON, Cause.GATE, "cutover", "W01")
        assert only(run, SOON).at == SOON
        words.say(run.project, run.run, "go", Verdict.HOLD, reason="wait")
        assert others(run, SOON) == []
        words.say(run.project, run.run, "go", Verdict.APPROVE)
        assert others(run, SOON + timedelta(hours=2)) == [], "the window is over"


def test_the_commit_window_alarms_once(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        run.go_to("commit")
        end = the_end(run)
        due = only(run, NOW)
        assert (due.at, due.cause, due.purpose) == (end, Cause.ENDING, "")
        assert due.why == "the commit window is over"
        sound(run.project, due)
        assert next_due(run.project, end + timedelta(days=3)) == []


def test_the_policy_commit_commits_unless_somebody_holds(tmp_path: Path) -> None:
    wave = planned(ending=Ending(act="commit"))
    rules = {"commit": GateRule(persons=2)}
    with stored(tmp_path / "move", wave, lambda book: with_rules(book, wave, **rules)) as run:
        run.go_to("commit")
        end = the_end(run)
        assert (only(run, NOW).at, only(run, NOW).purpose) == (end, "commit")
        assert only(run, end).purpose == "commit"
        words.say(run.project, run.run, "commit", Verdict.REFUSE, reason="it is slow")
        due = only(run, end)
        assert due.purpose == ""
        assert due.why.endswith("refuses it: it is slow")


def test_nothing_is_done_late(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned(ending=Ending(act="rollback"))) as run:
        run.go_to("commit")
        end = the_end(run)
        assert only(run, end + GRACE).purpose == "rollback"
        late = only(run, end + GRACE + timedelta(seconds=1))
        assert late.purpose == ""
        assert "that was 15 m" in late.why


@pytest.mark.parametrize(
    ("kind", "act"), [("hook", "alarm"), ("human", "alarm"), ("note", "rollback"), ("probe", "rollback")]
)
def test_the_policy_rollback_needs_that_nobody_was_let_in(tmp_path: Path, kind: str, act: str) -> None:
    wave = planned(ending=Ending(act="rollback"))
    with stored(tmp_path / "move", wave, lambda book: with_step(book, kind, "open the door")) as run:
        run.go_to("extra")
        assert let_in(run.history) == ""
        if run.history.runbook.step("extra").is_gate:
            run.do("extra")
        else:
            run.append("extra", Event.INTENT, Event.DONE)
        due = only(run, the_end(run))
        assert (due.purpose or "alarm") == act
        assert ("open the door was carried out" in due.why) is (act == "alarm")


def test_a_door_that_was_tried_may_be_open(tmp_path: Path) -> None:
    wave = planned(ending=Ending(act="rollback"))
    with stored(tmp_path / "move", wave, lambda book: with_step(book, "hook", "open the door")) as run:
        run.go_to("extra")
        run.append("extra", Event.INTENT)
        run.append("extra", Event.FAILED, message="x", hint="y")
        run.append("extra", Event.SKIPPED, reason="later")
        assert let_in(run.history)


@pytest.mark.parametrize("verdict", [Verdict.APPROVE, Verdict.HOLD])
def test_a_word_at_the_commit_gate_keeps_time_from_rolling_back(tmp_path: Path, verdict: Verdict) -> None:
    wave = planned(ending=Ending(act="rollback"))
    rules = {"commit": GateRule(persons=2)}
    with stored(tmp_path / "move", wave, lambda book: with_rules(book, wave, **rules)) as run:
        run.go_to("commit")
        words.say(run.project, run.run, "commit", verdict, reason="r", by=Person(7, "bob"))
        due = only(run, the_end(run))
        assert due.purpose == ""
        assert "bob" in due.why


def test_a_refusal_does_not_keep_time_from_rolling_back(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned(ending=Ending(act="rollback"))) as run:
        run.go_to("commit")
        words.say(run.project, run.run, "commit", Verdict.REFUSE, reason="it is broken")
        assert only(run, the_end(run)).purpose == "rollback"


def test_an_appointment_is_due_for_its_plan_and_not_late(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        made = calendar.add(run.project, run.wave, Appointed.CUTOVER, SOON)
        due = only(run, NOW)
        assert (due.cause, due.purpose, due.number) == (Cause.APPOINTMENT, "cutover", made.id)
        assert due.at == SOON.replace(microsecond=0)
        assert only(run, SOON + GRACE - timedelta(seconds=1)).purpose == "cutover"
        missed = only(run, SOON + GRACE + timedelta(seconds=1))
        assert missed.purpose == ""
        assert "was missed" in missed.why
        sound(run.project, missed)
        assert next_due(run.project, SOON + GRACE * 2) == []
        assert "was missed" in calendar.get(run.project, made.id).ended_why


def test_an_appointment_for_another_plan_is_an_alarm(tmp_path: Path) -> None:
    with stored(tmp_path / "move", planned()) as run:
        other = planned(commit_window_h=2.0)
        calendar.add(run.project, other, Appointed.CUTOVER, SOON)
        due = only(run, SOON)
        assert due.purpose == ""
        assert "was for another plan" in due.why
        run.append("", Event.ABORT, who="ada")
        store_plan(run.project, other)
        assert only(run, SOON).purpose == "cutover", "the newest plan is the one it was made for"
