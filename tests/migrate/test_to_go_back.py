"""How long a run still takes back to its source, out of its failback, and what going back would take."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import median

import pytest

from migrate.expected import Expected, expect
from migrate.rehearsal import Spread
from migrate.run import store as runs
from migrate.run.compose import compose
from migrate.run.compose_failback import compose_failback
from migrate.run.history import Entry, Event, Mode
from migrate.run.runbook import COMMIT, GO
from migrate.run.store import Run, RunKind
from migrate.sheet import Sheet, now_of
from migrate.to_go import ToGo, latest_back, price, slack_s, to_go, ways_of
from planner.settings import Link, Window
from planner.store import plans
from tests.migrate.gates.standing import Standing, planned, stored
from tests.migrate.test_to_go import BEGUN, set_time

SECOND = timedelta(seconds=1)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Standing]:
    """A run at its commit gate, all of which took no time."""
    with stored(tmp_path / "move", planned()) as made:
        made.go_to(COMMIT)
        set_time(made, BEGUN)
        yield made


@pytest.fixture(scope="module")
def back() -> Expected:
    """How long taking the steps of such a run back takes: the same for every test."""
    wave = planned()
    return expect(Run(0, wave.name, "", 0, "", "", compose(wave)), wave, Link(), Mode.ROLLBACK)


def sheet(run: Standing, at: datetime) -> Sheet:
    return now_of(run.project, run.run, at, driven=True)


def turned(run: Standing, event: Event = Event.ROLLBACK, at: datetime = BEGUN) -> None:
    run.write([Entry("", event, detail={"who": "ada"})])
    set_time(run, at, "")


def undo(run: Standing, step: str, begun: datetime, ended: datetime | None = None) -> None:
    run.write([Entry(step, Event.UNDO_INTENT)])
    set_time(run, begun, step, kind="undo-intent")
    if ended is not None:
        run.write([Entry(step, Event.UNDONE)])
        set_time(run, ended, step, kind="undone")


def due(run: Standing) -> list[str]:
    assert run.history.back is not None
    return [run.history.runbook.steps[at].id for at in reversed(run.history.back.due)]


def told(run: Standing, expected: Expected, at: datetime) -> ToGo:
    found = to_go(sheet(run, at), expected, {})
    assert found is not None
    return found


def test_what_going_back_would_take_is_what_it_takes_when_it_turns(run: Standing, back: Expected) -> None:
    assert ways_of(sheet(run, BEGUN)) == (Mode.ROLLBACK,), "it waits for commit: no way leads on"
    said = price(sheet(run, BEGUN), back)
    assert said is not None
    assert 0 < said.p50 <= said.p95
    turned(run)
    assert price(sheet(run, BEGUN), back) is None, "it goes back"
    now = told(run, back, BEGUN)
    assert (now.p50_s, now.p95_s, now.late_s, now.paced) == (said.p50, said.p95, 0.0, 0)
    assert to_go(sheet(run, BEGUN), replace(back, way=Mode.FORWARD), {}) is None, "that is another way"


def test_going_back_falls_step_by_step_to_nothing(run: Standing, back: Expected) -> None:
    turned(run)
    before, moment = told(run, back, BEGUN), BEGUN
    while steps := due(run):
        took = median(one.steps[steps[0]] for one in back.runs)
        undo(run, steps[0], moment, moment + took * SECOND)
        moment += took * SECOND
        found = to_go(sheet(run, moment), back, {})
        if found is None:
            break
        assert found.p50_s <= before.p50_s + 0.01
        before = found
    assert sheet(run, moment).outcome == "rolled back"
    assert to_go(sheet(run, moment), back, {}) is None


def test_a_slow_step_makes_its_like_slow_and_one_under_way_too_long_is_named(
    run: Standing, back: Expected
) -> None:
    turned(run)
    first = due(run)[0]
    kind = run.history.runbook.step(first).kind
    before = told(run, back, BEGUN)
    longest = max(one.steps[first] for one in back.runs)
    undo(run, first, BEGUN)
    late = told(run, back, BEGUN + (longest + 600) * SECOND)
    assert late.over == run.history.runbook.step(first).title
    assert late.late_s is not None
    assert late.late_s >= 599
    run.write([Entry(first, Event.UNDONE)])
    ended = BEGUN + 5 * max(longest, 1.0) * SECOND
    set_time(run, ended, first, kind="undone")
    assert any(run.history.runbook.step(one).kind == kind for one in run.history.back.left)  # type: ignore[union-attr]
    slower = told(run, back, ended)
    assert slower.paced == 1
    assert slower.p50_s > before.p50_s - longest, "its like are to take five times as long too"


def test_the_longer_vms_ran_at_the_target_the_longer_it_takes_to_keep_what_they_wrote(
    run: Standing, back: Expected
) -> None:
    soon, late, never = (
        price(sheet(run, BEGUN + hours * 3600 * SECOND), back) for hours in (0, 10, 1_000_000_000 / 3600)
    )
    assert soon is not None
    assert late is not None
    assert never is not None
    assert soon.p50 < late.p50 < never.p50
    assert never.p50 - soon.p50 <= sum(back.whole_s.values()) + 0.001, "no more than all of it is kept"


def test_what_is_left_of_the_window_and_until_when_going_back_ends_in_it(tmp_path: Path) -> None:
    window = Window(start=BEGUN, hours=2)
    said, cost = ToGo(600.0, 1800.0, 0.0), Spread(300.0, 900.0)
    with stored(tmp_path / "move", planned(window=window)) as run:
        run.go_to(GO)
        set_time(run, BEGUN)
        assert latest_back(sheet(run, BEGUN), cost) is None, "nothing was stopped yet"
        run.do(GO)
        set_time(run, BEGUN)
        now = sheet(run, BEGUN + timedelta(hours=1))
        assert slack_s(now, said) == 1800.0
        assert slack_s(now, replace(said, late_s=None)) is None
        assert slack_s(sheet(run, BEGUN + timedelta(hours=2)), said) == -1800.0
        assert latest_back(now, cost) == BEGUN + timedelta(minutes=105)
        turned(run)
        assert slack_s(sheet(run, BEGUN), said) is None, "it goes back"


def test_a_run_that_is_given_up_before_its_go_says_how_long_that_takes(tmp_path: Path) -> None:
    with stored(tmp_path / "other", planned()) as run:
        run.go_to(GO)
        set_time(run, BEGUN)
        abort = expect(run.run, run.wave, Link(), Mode.ABORT)
        assert ways_of(sheet(run, BEGUN)) == (Mode.FORWARD, Mode.ABORT)
        said = price(sheet(run, BEGUN), abort)
        turned(run, Event.ABORT)
        now = told(run, abort, BEGUN)
        assert said is not None
        assert 0 < now.p50_s == said.p50


def test_a_failback_and_its_way_back_are_told_like_the_way_out(tmp_path: Path) -> None:
    names = {"id-web": "web-moved-20261001"}
    with stored(tmp_path / "home", planned()) as run:
        run.go_to(COMMIT)
        home = begin_home(run, names)
        forward = expect(home.run, home.wave, Link())
        assert forward.runs, "the twin goes home too"
        home.go_to(GO)
        set_time(home, BEGUN)
        before = told(home, forward, BEGUN)
        assert before.late_s is None
        assert 0 < before.p50_s <= before.p95_s
        home.do(GO)
        home.go_to(COMMIT)
        set_time(home, BEGUN)
        assert to_go(sheet(home, BEGUN), forward, {}) is None
        back = expect(home.run, home.wave, Link(), Mode.ROLLBACK)
        said = price(sheet(home, BEGUN), back)
        turned(home)
        assert said is not None
        assert told(home, back, BEGUN).p50_s == said.p50 > 0


def begin_home(run: Standing, names: dict[str, str]) -> Standing:
    """Return a run home of the wave, of which nothing is done."""
    kept = plans.get(run.project, run.run.plan)
    begun = runs.begin(run.project, kept, compose_failback(run.wave, names), RunKind.FAILBACK)
    return Standing(run.project, run.wave, begun, runs.history(run.project, begun), run.results)
