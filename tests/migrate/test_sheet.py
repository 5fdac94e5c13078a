"""One run as people watch it: now, and at any moment of its past by the same functions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from migrate.felt import Where
from migrate.gates import seeing, words
from migrate.gates.words import Verdict
from migrate.run.history import Entry, Event
from migrate.sheet import Sheet, marks, now_of, past_of
from planner.conduct import GateRule
from planner.errors import NotFound
from tests.migrate.gates.standing import Standing, planned, stored, with_rules
from tui.screens.cutover_words import describe_step

PROBE = "g0/v1/probe"


@pytest.fixture
def standing(tmp_path: Path) -> Iterator[Standing]:
    wave = planned(commit_window_h=4.0)
    rule = GateRule(persons=2)
    with stored(tmp_path / "p", wave, lambda book: with_rules(book, wave, go=rule, commit=rule)) as run:
        yield run


def now(run: Standing, driven: bool = False) -> Sheet:
    return now_of(run.project, run.run, datetime.now(UTC), driven)


def statuses(sheet: Sheet) -> dict[str, str]:
    return {step.id: step.status for step in sheet.steps}


def test_a_run_at_its_go_gate(standing: Standing) -> None:
    standing.go_to("go")
    sheet = now(standing)
    assert (sheet.state, sheet.outcome, sheet.entry) == ("in sync", "", sheet.entries)
    assert sheet.current is not None
    assert (sheet.current.id, sheet.current.status) == ("go", "waits")
    assert {one.where for one in sheet.felt} == {Where.HERE}
    assert sheet.gates.back.verb == "abort"
    assert sheet.commit_by is None
    assert all(step.said for step in sheet.steps if step.kind in ("transfer", "checkpoint") and step.at)


def test_users_feel_the_stop_until_the_probe(standing: Standing) -> None:
    standing.go_to("go")
    standing.do("go")
    standing.go_to("g0/v0/start")
    sheet = now(standing)
    (group,) = sheet.felt
    assert (group.where, group.down, group.vms) == (Where.DOWN, 2, 2)
    assert group.since
    assert group.down_s is not None
    standing.go_to("commit")
    sheet = now(standing)
    (group,) = sheet.felt
    assert (group.where, group.down) == (Where.THERE, 0)
    assert sheet.commit_by is not None
    last = datetime.fromisoformat(sheet.steps[[s.id for s in sheet.steps].index("landed")].at)
    assert sheet.commit_by - last == timedelta(hours=4)


def test_what_failed_may_be_tried_again_or_passed_over(standing: Standing) -> None:
    standing.go_to("go")
    standing.do("go")
    standing.go_to(PROBE)
    standing.append(PROBE, Event.INTENT)
    standing.append(PROBE, Event.FAILED, message="silent \x1b[2J", hint="look")
    sheet = now(standing)
    assert sheet.state == "failed"
    step = sheet.current
    assert step is not None
    assert (step.id, step.status, step.may_retry, step.may_skip) == (PROBE, "failed", True, True)
    assert "silent" in step.said
    assert "\x1b" not in step.said
    landed = sheet.step("landed")
    assert landed is not None
    assert not landed.may_skip


def test_a_run_on_its_way_back(standing: Standing) -> None:
    standing.go_to("go")
    standing.do("go")
    standing.go_to("commit")
    standing.write([Entry("", Event.ROLLBACK, detail={"who": "ada"})])
    sheet = now(standing)
    assert sheet.state == "rolling back"
    assert "due" in statuses(sheet).values()
    assert sheet.last == "the whole run: rollback"
    due = next(step.id for step in reversed(sheet.steps) if step.status == "due")
    standing.write([Entry(due, Event.UNDO_INTENT, 2), Entry(due, Event.UNDONE, 2, {})])
    assert statuses(now(standing))[due] == "undone"


def test_the_past_is_told_as_the_present_was(standing: Standing) -> None:
    """What is read of a moment later is what was read then."""
    seen: list[tuple[int, Sheet]] = []
    for stop in ("g0/d0/seed", "go", "g0/v0/start", "commit"):
        standing.go_to(stop)
        if stop == "go":
            words.say(standing.project, standing.run, "go", Verdict.APPROVE)
        last = datetime.fromisoformat(
            standing.project.rows(
                "SELECT max(at) AS at FROM (SELECT at FROM step_record UNION SELECT at FROM gate_word)"
            )[0]["at"]
        )
        seen.append((len(standing.history.entries), now_of(standing.project, standing.run, last, False)))
        if stop == "go":
            standing.do("go")
    words.say(standing.project, standing.run, "commit", Verdict.REFUSE, reason="later")
    for entry, then in seen:
        past = past_of(standing.project, standing.run, entry)
        assert past.entry == entry
        assert past.entries == len(standing.history.entries)
        assert statuses(past) == statuses(then)
        assert [step.at for step in past.steps] == [step.at for step in then.steps]
        assert [
            (seen.gate.id, seen.state, seen.missing) for seen in past.gates.gates if seen.gate.id != "go"
        ] == [(seen.gate.id, seen.state, seen.missing) for seen in then.gates.gates if seen.gate.id != "go"]
        assert [(one.where, one.since, one.down) for one in past.felt] == [
            (one.where, one.since, one.down) for one in then.felt
        ]
        assert past.commit_by == then.commit_by
    assert past_of(standing.project, standing.run, len(standing.history.entries)).gates.gates[-1].words == ()
    assert now(standing).gates.gates[-1].words[0].reason == "later"


def test_a_moment_that_never_was_is_refused(standing: Standing) -> None:
    standing.go_to("go")
    many = len(standing.history.entries)
    assert past_of(standing.project, standing.run, 0).done == 0
    for entry in (-1, many + 1):
        with pytest.raises(NotFound, match=f"it has {many}|has no entry"):
            past_of(standing.project, standing.run, entry)


def test_marks_are_where_something_ended_and_where_the_run_turned(standing: Standing) -> None:
    standing.go_to("go")
    standing.do("go")
    standing.go_to("commit")
    standing.write([Entry("", Event.ROLLBACK, detail={"who": "ada"})])
    ended, turns = marks(standing.project, standing.run)
    entries = standing.history.entries
    assert {entries[at - 1].event for at in turns} == {Event.APPROVED, Event.ROLLBACK}
    assert all(entries[at - 1].event is not Event.INTENT for at in ended)
    assert set(turns) <= set(ended)


def test_gates_of_the_past_do_not_know_later_words(standing: Standing) -> None:
    standing.go_to("go")
    entry = standing.project.rows("SELECT max(seq) AS seq FROM step_record")[0]["seq"]
    at = datetime.fromisoformat(standing.project.rows("SELECT max(at) AS at FROM step_record")[0]["at"])
    words.say(standing.project, standing.run, "go", Verdict.APPROVE)
    with standing.project.write() as db:
        db.conn.execute("UPDATE gate_word SET at = '2999-01-01T00:00:00.000Z'")
    then = seeing.see(standing.project, standing.run, standing.history, at, entry).gate("go")
    later = seeing.see(standing.project, standing.run, standing.history, datetime.now(UTC)).gate("go")
    assert (then.words, len(later.words)) == ((), 1)
    assert then.missing == ("the approval of 2 persons",)
    assert later.missing == ("the approval of another person",)


def test_where_a_pass_changed_its_disk_is_told_from_the_entry_on_that_says_so(standing: Standing) -> None:
    run = standing
    step = next(one for one in run.history.runbook.steps if one.kind == "transfer")
    before = run.history.runbook.steps[: run.history.runbook.index[step.id]]
    run.do(*(one.id for one in before))
    run.append(step.id, Event.INTENT)
    entry = len(run.history.entries)
    run.append(step.id, Event.DONE, mode="seed", data_bytes=9, wire_bytes=9, seconds=1.0, moved="09", areas=1)
    earlier, later = (past_of(run.project, run.run, at).step(step.id) for at in (entry, entry + 1))
    assert earlier is not None
    assert earlier.where is None
    assert later is not None
    assert later.where is not None
    assert (later.where.moved, later.where.areas) == ("09", 1)
    told = describe_step(past_of(run.project, run.run, entry + 1), later).plain
    assert "1 area, the longest" in told
