"""A step that rests: what people are told of it, by every verb that tells of a run, and how they end it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from migrate.run import controls
from migrate.run import store as runs
from migrate.run.driver import Told
from migrate.run.history import Event
from migrate.run.patience import Spent
from migrate.waiting import rests, waiting, when
from tests.migrate.gates.standing import Standing, planned, stored
from tests.tui.cli.command import Wherry, refused
from tui.cli.acting import onlooker
from tui.cli.progress import Bar

STEP = "g0/d0/seed"
SAID = "the receiver \x1b[2Jwent away in a transfer"


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Standing]:
    """A run whose first copy failed just now, and is tried again in an hour."""
    with stored(tmp_path / "move", planned()) as standing:
        standing.go_to(STEP)
        standing.append(STEP, Event.INTENT)
        now_s = time.time()
        spent = Spent(now_s, 20.0, 7200.0, now_s + 3600.0)
        standing.append(STEP, Event.FAILED, message=SAID, hint="wait", **spent.as_json())
        yield standing


def test_a_wave_that_is_driven_says_what_it_waits_for_and_until_when(run: Standing) -> None:
    cli = Wherry(run.project.root)
    with runs.held(run.project, "W01"):
        wave = cli.state("W01")
        out = cli.done("status").out
    (one,) = waiting(run.history)
    assert wave["again_at"] == f"{one.again_at:%Y-%m-%dT%H:%M:%SZ}"
    assert wave["gives_up_at"] == f"{one.gives_up_at:%Y-%m-%dT%H:%M:%SZ}"
    assert 7100 < (one.gives_up_at - datetime.now(UTC)).total_seconds() < 7181
    assert wave["flags"] == ["needs configuration"]
    assert "went away in a transfer; tries again in " in wave["waits"]
    assert "gives up at " in wave["waits"]
    assert f"▲ W01 waits at {wave['waits'][:30]}" in out
    assert "→ wherry run retry W01 tries at once, wherry pause W01 ends the wait" in out
    assert "\x1b" not in out
    row = next(row for row in cli.done("run", "show", "W01", "--json").document if row["id"] == STEP)
    assert (row["again_at"], row["gives_up_at"]) == (wave["again_at"], wave["gives_up_at"])
    assert "in a transfer; tries again in " in cli.done("run", "show", "W01").out
    assert next(row for row in cli.done("status", "W01", "--json").document["members"])["flags"] == []


def test_a_wave_that_nobody_drives_waits_for_nothing_by_itself(run: Standing) -> None:
    wave = Wherry(run.project.root).state("W01")
    assert (wave["waits"], wave["again_at"], wave["flags"]) == ("", "", ["stalled", "needs configuration"])


def test_a_retry_asks_the_process_at_work_and_is_noted_where_there_is_none(run: Standing) -> None:
    cli = Wherry(run.project.root)
    with runs.held(run.project, "W01"):
        asked = cli.done("run", "retry", "W01", "--json").document
        assert asked["retry"] == [STEP]
        refused(cli("run", "retry", "W01", "check"), 3, "does not rest, and a process is at work on W01")
        watch = controls.hurry_watch(run.project, "W01")
        assert watch()
        assert not watch(), "asking answers it"
        assert controls.asked_by(run.project, "W01") is None, "it is no pause"
    assert len(runs.history(run.project, run.run).entries) == len(run.history.entries)
    assert "wherry run resume W01 --live goes on" in cli.done("run", "retry", "W01").err
    assert waiting(runs.history(run.project, run.run)) == ()


def test_whoever_follows_is_told_that_it_is_tried_again(
    run: Standing, capsys: pytest.CaptureFixture[str]
) -> None:
    step = run.history.runbook.step(STEP)
    detail = {"message": "gone", "hint": "wait", **Spent(1e9, 0.0, 900.0, 1e9 + 4).as_json()}
    with Bar() as bar:
        tell = onlooker(bar).tell
        tell(Told(step, Event.FAILED, detail))
        tell(Told(step, Event.FAILED, {**detail, "again_s": None}))
    said = capsys.readouterr()
    lines = [line for line in (said.out + said.err).splitlines() if "gone (wait)" in line]
    assert lines[0].startswith("  …")
    assert lines[0].endswith("gone (wait); tries again in 4.0 s, gives up at 02:01 UTC")
    assert lines[1].startswith("  ✖")
    assert lines[1].endswith("gone (wait)")


def test_the_words_of_another_day_have_its_date() -> None:
    detail = Spent(1e9, 0.0, 86400.0, 1e9 + 40).as_json()
    assert rests(detail) == "tries again in 40 s, gives up at 2001-09-10 01:46 UTC"
    assert rests(Spent(1e9).as_json()) == rests({}) == ""


def test_what_is_due_is_tried_now(run: Standing) -> None:
    (one,) = waiting(run.history)
    assert when(one, one.again_at).startswith("tries again now, gives up at ")
