"""How long a run still takes to its commit gate: the same record says the same, and a slip is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest

from migrate.expected import Expected, expect
from migrate.run.compose import another_cycle, compose
from migrate.run.history import Entry, Event, Status
from migrate.run.runbook import COMMIT, GO, dump_step
from migrate.run.store import Run
from migrate.sheet import now_of, past_of
from migrate.to_go import ToGo, to_go
from planner.settings import Link
from tests.migrate.gates.standing import Standing, planned, stored

BEGUN = datetime(2026, 10, 1, 20, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Standing]:
    """A run at its go gate; every step before it took no time at all."""
    with stored(tmp_path / "move", planned()) as made:
        made.go_to(GO)
        set_time(made, BEGUN)
        yield made


@pytest.fixture(scope="module")
def expected() -> Expected:
    """How long the steps of such a run take: the same for every test."""
    wave = planned()
    return expect(Run(0, wave.name, "", 0, "", "", compose(wave)), wave, Link())


def set_time(run: Standing, at: datetime, *steps: str, kind: str = "%") -> None:
    """Have entries be of a time: of all steps, or of these."""
    said = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    with run.project.write() as db:
        for step in steps or ("%",):
            db.conn.execute(
                "UPDATE step_record SET at = ? WHERE run = ? AND step LIKE ? AND kind LIKE ?",
                (said, run.run.id, step, kind),
            )


def after_go(run: Standing) -> list[str]:
    book = run.history.runbook
    return [step.id for step in book.steps[book.index[GO] + 1 : book.index[COMMIT]]]


def told(run: Standing, expected: Expected, at: datetime, **lefts: tuple[float, float]) -> ToGo:
    found = to_go(now_of(run.project, run.run, at, driven=True), expected, lefts)
    assert found is not None
    return found


def test_before_go_it_is_told_from_go_on_and_nobody_is_late(run: Standing, expected: Expected) -> None:
    now = told(run, expected, BEGUN)
    assert 0 < now.p50_s <= now.p95_s
    assert (now.late_s, now.over) == (None, "")
    assert told(run, expected, BEGUN + 60 * MINUTE) == now, "waiting for go takes nothing off it"
    assert expect(run.run, run.wave, Link()) == expected, "everybody is told the same"


def test_it_falls_with_every_step_and_nothing_is_told_at_the_commit_gate(
    run: Standing, expected: Expected
) -> None:
    run.do(GO)
    set_time(run, BEGUN)
    first = told(run, expected, BEGUN)
    assert first.late_s == 0.0
    before, moment = first, BEGUN
    for step in after_go(run):
        moment += timedelta(seconds=median(one.steps.get(step, 0.0) for one in expected.runs))
        run.do(step)
        set_time(run, BEGUN, step, kind="intent")
        set_time(run, BEGUN, step, kind="done")
        sheet = now_of(run.project, run.run, moment, driven=True)
        if run.history.status[step] is Status.DONE and sheet.steps[-1].status == "waits":
            break
        now = to_go(sheet, expected, {})
        if now is None:
            break
        assert now.p50_s <= before.p50_s + 1e-6
        before = now
    assert before.p50_s < first.p50_s
    assert to_go(now_of(run.project, run.run, moment, driven=True), expected, {}) is None
    go_entry = next(n for n, one in enumerate(run.history.entries, 1) if one.event is Event.APPROVED)
    assert to_go(past_of(run.project, run.run, go_entry), expected, {}) == first, (
        "a replay says what was said"
    )


def test_a_step_that_goes_on_for_too_long_is_named_and_makes_it_late(
    run: Standing, expected: Expected
) -> None:
    run.do(GO)
    first = after_go(run)[0]
    run.append(first, Event.INTENT)
    set_time(run, BEGUN)
    longest_s = max(one.steps.get(first, 0.0) for one in expected.runs)
    moment = BEGUN + timedelta(seconds=longest_s + 600)
    now, later = told(run, expected, moment), told(run, expected, moment + 10 * MINUTE)
    assert now.over == run.history.runbook.step(first).title
    assert now.late_s is not None
    assert now.late_s >= 599
    assert later.late_s is not None
    assert later.late_s - now.late_s == pytest.approx(600)
    assert later.p50_s == now.p50_s, "what comes after it takes as long as before"


def test_steps_of_a_sort_are_believed_to_go_on_as_they_went(run: Standing, expected: Expected) -> None:
    run.do(GO)
    steps = after_go(run)
    stops = [one for one in steps if run.history.runbook.step(one).kind == "stop"]
    before = steps[: steps.index(stops[0])]
    run.do(*before)
    set_time(run, BEGUN)
    as_told = told(run, expected, BEGUN)
    usual_s = median(one.steps[stops[0]] for one in expected.runs)
    run.do(stops[0])
    set_time(run, BEGUN, stops[0], kind="intent")
    set_time(run, BEGUN + timedelta(seconds=5 * usual_s), stops[0], kind="done")
    slower = told(run, expected, BEGUN + timedelta(seconds=5 * usual_s))
    other_s = median(one.steps[stops[1]] for one in expected.runs)
    assert usual_s > 0
    assert slower.p50_s > as_told.p50_s - usual_s + other_s, "the other one is to take five times as long too"


def test_a_disk_under_way_says_how_long_it_takes(run: Standing, expected: Expected) -> None:
    run.do(GO)
    book = run.history.runbook
    final = next(one for one in after_go(run) if book.step(one).kind == "transfer")
    run.do(*(one for one in after_go(run)[: after_go(run).index(final)]))
    run.append(final, Event.INTENT)
    set_time(run, BEGUN)
    volume = book.step(final).params["volume"]
    now = to_go(now_of(run.project, run.run, BEGUN, driven=True), expected, {volume: (7200.0, 9000.0)})
    assert now is not None
    assert 7200.0 < now.p50_s < 9000.0 < now.p95_s
    assert now.late_s is not None
    assert now.late_s > 6000
    long_after = now_of(run.project, run.run, BEGUN + 600 * MINUTE, driven=True)
    said = to_go(long_after, expected, {volume: (7200.0, 9000.0)})
    assert said is not None
    assert said.over == "", "it says itself how long it takes"


def test_rounds_that_came_later_are_in_no_way_of_it(run: Standing, expected: Expected) -> None:
    before = told(run, expected, BEGUN)
    steps = [dump_step(step) for step in another_cycle(run.wave, 2)]
    run.write([Entry("", Event.CYCLE, detail={"gate": GO, "steps": steps})])
    assert told(run, expected, BEGUN) == before, "they end before its go"
