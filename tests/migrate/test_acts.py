"""All that was done in one order: audit chain and record of steps, an act at a site counted once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate import audit
from migrate.acts import Act, Acts, newest
from migrate.gates import words
from migrate.gates.words import Verdict
from migrate.run import levers, orders
from migrate.run.history import Entry, Event
from migrate.run.record import StepRecord
from planner.effects import Effect
from planner.errors import NotFound
from tests.migrate.gates.standing import Standing, planned, stored


@pytest.fixture
def standing(tmp_path: Path) -> Iterator[Standing]:
    with stored(tmp_path / "p", planned()) as run:
        yield run


def record(run: Standing, *entries: Entry, who: str = "ada", about: str = "") -> None:
    """Put entries into the record as a driver does, with their lines of the chain."""
    written = StepRecord(run.project, run.run.id, run.history, who, about)
    for entry in entries:
        written.append(entry)


def first_live(run: Standing) -> str:
    return next(step.id for step in run.history.runbook.steps if step.effect.touches_sites and not step.needs)


def test_what_stands_in_chain_and_record_is_one_act(standing: Standing) -> None:
    looks = next(s.id for s in standing.history.runbook.steps if not s.needs and not s.effect.touches_sites)
    record(standing, Entry(looks, Event.INTENT), Entry(looks, Event.DONE, 1, standing.results[looks]))
    after = [s.id for s in standing.history.runbook.steps if s.needs == (looks,) and s.effect.touches_sites]
    step = after[0]
    record(standing, Entry(step, Event.INTENT), Entry(step, Event.FAILED, 1, {"message": "no", "hint": "x"}))
    acts = Acts(standing.project)
    acts.refresh()
    mine = [(act.act, act.step, act.who, bool(act.line)) for act in acts.all if act.run]
    assert mine == [
        ("intent", looks, "", False),
        ("done", looks, "", False),
        ("intent", step, "ada", True),
        ("failed", step, "ada", True),
    ]
    lines = len(audit.lines(standing.project))
    assert len(acts.all) == lines + 2, "two looks have no line; nothing else is counted twice"
    assert acts.all[-1].what == standing.history.runbook.step(step).title
    assert {act.kind for act in acts.all if act.step} == {"step"}


def test_more_is_added_and_the_newest_are_known_without_the_rest(standing: Standing) -> None:
    acts = Acts(standing.project)
    before = acts.refresh()
    assert acts.refresh() == 0
    standing.go_to("go")
    words.say(standing.project, standing.run, "go", Verdict.HOLD, reason="backup still runs")
    orders.place(standing.project, "W01", "cutover", who="bob")
    added = acts.refresh()
    assert added == len(standing.history.entries) + 2
    assert len(acts.all) == before + added
    assert len({act.key for act in acts.all}) == len(acts.all)
    for many in (1, 7, 500):
        assert newest(standing.project, many) == acts.all[-many:]
    held, ordered = acts.all[-2:]
    assert (held.kind, held.act, held.what) == ("gate", "hold", "gate hold go: W01: go for cutover")
    assert (ordered.kind, ordered.act, ordered.who, ordered.wave) == ("run", "order", "bob", "W01")
    assert "reason" in acts.on_record(held)["line"]["detail"]
    assert acts.on_record(ordered)["order"]["purpose"] == "cutover"


def test_a_retry_that_a_person_asked_for_is_one_act(standing: Standing) -> None:
    standing.go_to("go")
    standing.do("go")
    standing.go_to("g0/v1/probe")
    standing.append("g0/v1/probe", Event.INTENT)
    standing.append("g0/v1/probe", Event.FAILED, message="silent", hint="look")
    run, history = standing.run, standing.history
    levers.retry(standing.project, run, history, history.runbook.step("g0/v1/probe"))
    acts = Acts(standing.project)
    acts.refresh()
    (retry,) = [act for act in acts.all if act.act == "retry"]
    assert (retry.who, bool(retry.line), bool(retry.entry)) == (audit.person(), True, True)


def test_what_was_done_before_a_run_and_beside_it_has_its_kind(standing: Standing) -> None:
    audit.note(standing.project, Effect.DRY_RUN, "rehearse", "W01", {"runs": 5})
    audit.note(standing.project, Effect.EDIT_PLAN, "settings set", "caps.vms")
    time.sleep(0.002)  # of one millisecond, entries of the record come first
    record(standing, Entry("", Event.ABORT, detail={"who": "ada"}), about="remedy")
    acts = Acts(standing.project)
    acts.refresh()
    assert [(act.kind, act.act) for act in acts.all[-3:]] == [
        ("rehearsal", "rehearse"),
        ("plan", "settings"),
        ("run", "abort"),
    ]
    found = acts.on_record(acts.all[-1])
    assert found["of_run"]["entries"] == 1
    assert found["line"]["act"] == "remedy abort"


@pytest.mark.parametrize(
    ("act", "subject", "detail", "wave", "what"),
    [
        ("export", "plan.xlsx, W01.md", {"waves": []}, "", "export: plan.xlsx, W01.md"),
        ("export", "W02.md", {"waves": ["W01"]}, "W01", "export: W02.md"),
        ("export", "plan.csv", {"waves": ["W01", "W02"]}, "", "export: plan.csv"),
        ("settings set", "caps.vms", {"value": 3}, "", "settings set: caps.vms"),
        ("approve", "W01", {}, "W01", "approve"),
        ("note a rehearsal", "W01", {}, "W01", "note a rehearsal"),
        ("schedule cutover", "W01", {}, "W01", "schedule cutover"),
        ("pause", "W01", {}, "W01", "pause"),
    ],
)
def test_only_a_wave_stands_as_wave_and_what_else_it_was_done_to_is_told(
    standing: Standing, act: str, subject: str, detail: dict[str, object], wave: str, what: str
) -> None:
    audit.note(standing.project, Effect.VIEW, act, subject, detail)
    acts = Acts(standing.project)
    acts.refresh()
    assert (acts.all[-1].wave, acts.all[-1].what) == (wave, what)


def test_what_was_put_away_is_said_to_be(standing: Standing) -> None:
    standing.do(standing.history.runbook.steps[0].id)
    acts = Acts(standing.project)
    acts.refresh()
    gone = next(act for act in acts.all if act.entry)
    with standing.project.write() as db:
        db.conn.execute("DELETE FROM step_record WHERE seq = ?", (gone.entry,))
    with pytest.raises(NotFound, match="no longer on record"):
        acts.on_record(gone)


def test_an_act_is_known_by_its_number() -> None:
    act = Act("2027-01-09T22:00:00.000Z", "W01", "ada", "run", "order", "x", order=7)
    assert act.key == "o7"
    assert act._replace(line=3).key == "a3"
    assert act._replace(line=3, entry=9).key == "s9"
