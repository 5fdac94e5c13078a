"""When copies that got too old are within their target again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from migrate.freshness import Again, Rounds, within_again, words
from migrate.run import controls, cycles
from migrate.run.history import Event
from migrate.run.runbook import GO
from migrate.status import project_status
from migrate.wave_status import WaveStatus
from tests.migrate.gates.standing import Standing
from tests.migrate.run.test_cycles import begin_cycle, first, one_cycle, read_anew, waiting

NOW = datetime(2026, 11, 28, 14, 0, tzinfo=UTC)


def status(target_s: float = 900.0, **rounds: Any) -> WaveStatus:
    made = Rounds(**({"begun_at": "", "waiting": 0, "took_s": None, "blocked": ""} | rounds))
    return WaveStatus("W01", "", 1, 1, 1, "", "", "in sync", rpo_s=target_s, rounds=made)


def ago(seconds: float) -> str:
    return (NOW - timedelta(seconds=seconds)).isoformat()


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("rounds", "lefts", "p50_s", "p95_s"),
    [
        (
            {"begun_at": ago(60)},
            {"a": (120.0, 240.0), "b": (60.0, 300.0)},
            120,
            300,
        ),  # the slowest disk counts
        ({"begun_at": ago(60)}, {"a": (120.0, 1000.0)}, 120, None),  # by P95 it takes longer than the target
        ({"begun_at": ago(60), "waiting": 1, "took_s": (600.0, 800.0)}, {"a": (10.0, 10.0)}, 540, 740),
        ({"begun_at": ago(60), "waiting": 1, "took_s": (90.0, 90.0)}, {"a": (100.0, 200.0)}, 100, 200),
        ({"begun_at": ago(150), "took_s": (90.0, 95.0)}, {}, 0, 0),  # it should be over
        ({"took_s": (90.0, 95.0)}, {}, 90, 95),  # begins now
    ],
)
def test_a_round_ends_as_its_disks_say_or_as_the_last_ones_took(
    rounds: dict[str, Any], lefts: dict[str, tuple[float, float]], p50_s: float, p95_s: float | None
) -> None:
    found = within_again(status(**rounds), lefts, NOW)
    assert found is not None
    assert found.p50 == later(p50_s)
    assert found.p95 == (later(p95_s) if p95_s is not None else None)


def test_what_nobody_can_say_is_said_with_its_reason() -> None:
    assert within_again(replace(status(), rounds=None), {}, NOW) is None
    blocked = within_again(status(blocked="it is \x1b[2J paused", took_s=(1.0, 1.0)), {"a": (1.0, 1.0)}, NOW)
    assert blocked is not None
    assert blocked.p50 is None
    assert "\x1b" not in words(blocked)
    never = within_again(status(begun_at=ago(10), waiting=2), {"a": (1.0, 2.0)}, NOW)
    assert never == Again(None, None, "no round of it is whole yet, so nobody knows how long one takes")
    for over_s, known in ((180, True), (200, False)):
        overdue = within_again(status(begun_at=ago(over_s), waiting=1, took_s=(90.0, 95.0)), {}, NOW)
        assert overdue is not None
        assert (overdue.p50 is not None) is known
        assert known or "takes longer than the last ones" in overdue.why
    brief = within_again(status(begun_at=ago(50), waiting=1, took_s=(2.0, 2.0)), {}, NOW)
    assert brief is not None
    assert brief.p50 == NOW, "a minute more is no news"
    slow = within_again(status(60.0, took_s=(300.0, 400.0)), {}, NOW)
    assert slow is not None
    assert words(slow) == "it cannot be said when: the round takes 5 m, longer than the target"
    half = Again(later(540), None, "as its disks say")
    assert words(half) == "at 14:09 UTC, by P95 not with this round, as its disks say"
    assert half.as_json() == {"p50": "2026-11-28T14:09:00+00:00", "p95": None, "why": "as its disks say"}


def late(run: Standing) -> Rounds | None:
    """Have the target be a second, wait, and return the rounds as the status tells them."""
    (one,) = project_status(run.project, datetime.now(UTC) + timedelta(hours=2)).waves
    return one.rounds


def test_the_record_says_which_round_is_under_way_and_how_long_the_last_took(tmp_path: Path) -> None:
    with waiting(tmp_path / "move") as run:
        run.go_to(GO)
        one_cycle(run, first(run))
        read_anew(run)
        found = late(run)
        assert found is not None
        assert not found.begun_at
        assert found.took_s is not None
        assert found.blocked == "no engine is at work"
        number = first(run) + 1
        snapshot, *_ = begin_cycle(run, number)
        run.do(snapshot)
        found = late(run)
        assert found is not None
        assert found.begun_at == cycles.times_of(run.project, run.run.id)[run.run.id, snapshot]
        assert found.waiting == sum(one.endswith(f"/delta/{number}") for one in run.history.added) > 0
        controls.ask_to_pause(run.project, "W01")
        found = late(run)
        assert found is not None
        assert found.blocked == "it is paused"
        run.append("", Event.ABORT, who="ada")
        assert late(run) is None
