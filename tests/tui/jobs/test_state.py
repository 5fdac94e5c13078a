"""What each line of a job makes of its state, whatever the line is."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from planner.names import visible
from tui.jobs.state import BESTS, SAID, Failure, JobState, ended, heard

NEW = JobState("plan", datetime(2026, 11, 2, tzinfo=UTC))


def after(*events: object) -> JobState:
    state = NEW
    for at, event in enumerate(events):
        state = heard(state, event if isinstance(event, str) else json.dumps(event), float(at))
    return state


def test_a_new_phase_forgets_the_counts_of_the_one_before() -> None:
    progress = {
        "event": "progress",
        "title": "a",
        "done": 3,
        "total": 4,
        "unit": "bytes",
        "rate": 2,
        "left_s": 0.5,
    }
    state = after({"event": "begin", "title": "a"}, progress)
    assert (state.phase, state.done, state.total, state.unit) == ("a", 3, 4, "bytes")
    assert (state.rate, state.left_s, state.share) == (2.0, 0.5, 0.75)
    state = heard(state, json.dumps({"event": "begin", "title": "b"}), 9)
    assert (state.phase, state.done, state.total, state.rate, state.left_s, state.share) == ("b", *[None] * 5)


def test_what_nobody_counts_has_no_share() -> None:
    assert after({"event": "progress", "title": "a", "done": 3, "total": None}).share is None
    assert after({"event": "progress", "title": "a", "done": 3, "total": 0}).share is None


def test_bests_are_points_in_time() -> None:
    best = {"event": "best", "track": "groups", "phase": "annealing", "waves": 3, "waves_bound": 2,
            "cut_share": 0.25, "stretch_gb": 7}  # fmt: skip
    state = after({"event": "begin", "title": "a"}, best, best)
    assert [point.at_s for point in state.best] == [1.0, 2.0]
    assert (state.best[0].waves, state.best[0].cut_share, state.best[0].stretch_gb) == (3, 0.25, 7.0)


def test_an_error_is_kept_beside_what_was_said() -> None:
    error = {"event": "error", "message": "no", "hint": "try", "code": "busy", "exit_code": 5}
    state = after({"event": "said", "text": "hello"}, error, {"event": "end", "exit_code": 5})
    assert state.said == ("hello",)
    assert state.error == Failure("no", "try", "busy", 5)
    assert state.running, "only the process says that it has ended"


@pytest.mark.parametrize(
    "line", ["Fatal Python error", "[1, 2]", "17", '{"no": "event"}', "{", '"text"', "\x1b[31mred\x1b[0m"]
)
def test_what_is_no_event_is_something_said_and_harmless(line: str) -> None:
    state = after(line)
    assert len(state.said) == 1
    assert state.said[0].isprintable()


@pytest.mark.parametrize(
    "event",
    [
        {"event": "progress", "title": 5, "done": "x", "total": [], "rate": "fast", "left_s": {}},
        {"event": "best", "waves": "many"},
        {"event": "error"},
        {"event": "begin", "title": None},
        {"event": "of a newer wherry"},
        {"event": 7},
        {"event": ["begin"]},
    ],
)
def test_events_with_other_contents_break_nothing(event: dict[str, object]) -> None:
    state = after(event)
    assert state.share is None
    assert state.said == ()


def test_names_in_events_are_made_harmless() -> None:
    nasty = "x\x1b]0;y\x07\u202e[/]"
    state = after(
        {"event": "begin", "title": nasty},
        {"event": "said", "text": nasty},
        {"event": "error", "message": nasty, "hint": nasty, "exit_code": 2},
    )
    assert state.error is not None
    for text in (state.phase, *state.said, state.error.message, state.error.hint):
        assert text.isprintable()
        assert "x" in text


def test_what_is_kept_has_an_end() -> None:
    said = [{"event": "said", "text": f"line {at}"} for at in range(SAID + 5)]
    state = after(*said, *[{"event": "best", "waves": at} for at in range(BESTS + 5)])
    assert len(state.said) == SAID
    assert state.said[-1] == f"line {SAID + 4}"
    assert len(state.best) == BESTS
    assert state.best[-1].waves == BESTS + 4


def test_an_error_that_was_printed_and_not_heard_is_no_document_of_a_verb_that_was_stopped() -> None:
    printed = json.dumps(
        {"error": "unreachable", "message": "no vCenter\x1b", "hint": "look", "retryable": True}
    )
    state = ended(NEW, 130, printed, as_json=True)
    assert state.error == Failure(visible("no vCenter\x1b"), "look", "unreachable", 130)
    assert ended(NEW, 130, "[1]", as_json=True).error is None
