"""What happens next: order, gates, retries, skips, both ways back; and that asking changes nothing."""

from __future__ import annotations

import copy
from collections.abc import Iterable

import pytest

from migrate.run.actions import (
    Action,
    Ask,
    Decide,
    Do,
    Finish,
    Outcome,
    Undo,
    Wait,
    check_rollback,
    next_actions,
)
from migrate.run.history import Entry, Event, History, Mode
from migrate.run.runbook import GATE, Phase, Runbook, Step
from planner.effects import Effect
from planner.errors import Blocked

I, D, F, N = Event.INTENT, Event.DONE, Event.FAILED, Event.NOT_DONE  # noqa: E741


ILL = (Event.FAILED, Event.UNDO_FAILED, Event.UNKNOWN)


def step(name: str, *needs: str, phase: Phase = Phase.CUTOVER, undoable: bool = True) -> Step:
    kind = GATE if name in ("go", "commit") else "stop"
    return Step(name, kind, name, name, phase, Effect.LIVE, needs, undoable=undoable and kind != GATE)


RUNBOOK = Runbook(
    "W01",
    "f",
    (
        step("copy", phase=Phase.REPLICATE),
        step("look", phase=Phase.REPLICATE, undoable=False),
        step("go", "copy", "look"),
        step("stop", "go"),
        step("check", "stop", undoable=False),
        step("start", "check"),
        step("commit", "start", phase=Phase.COMMIT),
        step("fence", "commit", phase=Phase.COMMIT),
    ),
)


def history(*lines: tuple[str, Event] | Event, failure: dict[str, object] | None = None) -> History:
    past = History(RUNBOOK)
    for line in lines:
        name, event = ("", line) if isinstance(line, Event) else line
        attempt = past.attempts.get(name, 0) + (event in (Event.INTENT, Event.UNDO_INTENT))
        past.append(Entry(name, event, attempt or 1, failure or {} if event in ILL else {}))
    return past


def did(*names: str) -> list[tuple[str, Event]]:
    return [
        line
        for name in names
        for line in ([(name, Event.APPROVED)] if name in ("go", "commit") else [(name, I), (name, D)])
    ]


def short(actions: Iterable[Action]) -> list[str]:
    found = []
    for action in actions:
        match action:
            case Do(item, attempt, due) | Undo(item, attempt, due) | Ask(item, attempt, due):
                found.append(f"{type(action).__name__} {item.id} {attempt}" + (f" at {due:g}" if due else ""))
            case Wait(item) | Decide(item):
                found.append(f"{type(action).__name__} {item.id}")
            case Finish(outcome):
                found.append(f"Finish {outcome.value}")
    return found


def after(*lines: tuple[str, Event] | Event, failure: dict[str, object] | None = None) -> list[str]:
    """Return the next actions, and check that asking for them changed nothing."""
    past = history(*lines, failure=failure)
    state = copy.deepcopy({key: value for key, value in vars(past).items() if key != "runbook"})
    first = next_actions(past.runbook, past)
    assert next_actions(past.runbook, past) == first
    assert {key: value for key, value in vars(past).items() if key != "runbook"} == state
    assert past.runbook is RUNBOOK
    return short(first)


def test_what_needs_nothing_comes_first_in_runbook_order() -> None:
    assert after() == ["Do copy 1", "Do look 1"]


def test_a_gate_waits_for_all_it_needs_and_nothing_passes_it() -> None:
    assert after(*did("copy")) == ["Do look 1"]
    assert after(*did("copy", "look")) == ["Wait go"]
    assert after(*did("copy", "look", "go")) == ["Do stop 1"]


def test_the_end_is_reached_only_when_every_step_is_settled() -> None:
    names = [item.id for item in RUNBOOK.steps]
    for count in range(len(names)):
        assert not any(line.startswith("Finish") for line in after(*did(*names[:count])))
    assert after(*did(*names)) == ["Finish committed"]


def test_an_intent_without_an_outcome_is_asked_not_repeated() -> None:
    assert after(("copy", I)) == ["Ask copy 1", "Do look 1"]
    assert after(("copy", I), ("copy", N)) == ["Do copy 2", "Do look 1"]


RESTS: dict[str, object] = {"at_s": 10.0, "again_s": 12.0, "limit_s": 90.0}
GAVE_UP: dict[str, object] = {"at_s": 10.0, "used_s": 90.0, "limit_s": 90.0}


def test_what_failed_rests_until_its_moment_as_long_as_there_is_patience_then_a_person_decides() -> None:
    failed = [("copy", I), ("copy", F)]
    assert after(*failed, failure=RESTS) == ["Do copy 2 at 12", "Do look 1"]
    assert after(*failed, ("copy", I), ("copy", N), failure=RESTS) == ["Do copy 3 at 12", "Do look 1"]
    assert after(*failed, failure=GAVE_UP) == ["Decide copy", "Do look 1"]
    assert after(*failed, ("copy", Event.RETRY), failure=GAVE_UP) == ["Do copy 2", "Do look 1"]


def test_a_failure_that_cannot_help_itself_is_decided_at_once() -> None:
    assert after(("copy", I), ("copy", F), failure={"retryable": False}) == ["Decide copy", "Do look 1"]


def test_what_nobody_could_be_asked_about_is_asked_again_and_never_just_done() -> None:
    unknown = [("copy", I), ("copy", Event.UNKNOWN)]
    assert after(*unknown, failure=RESTS) == ["Ask copy 1 at 12", "Do look 1"]
    assert after(*unknown, failure=GAVE_UP) == ["Decide copy", "Do look 1"]
    assert after(*unknown, ("copy", Event.RETRY), failure=GAVE_UP) == ["Ask copy 1", "Do look 1"]
    assert after(*unknown, Event.ABORT, failure=GAVE_UP) == ["Ask copy 1"]
    assert after(Event.ABORT, failure=GAVE_UP) == ["Finish aborted"]


def test_a_skipped_step_holds_nobody_up() -> None:
    lines = [("copy", I), ("copy", F), ("copy", Event.SKIPPED), *did("look")]
    assert after(*lines) == ["Wait go"]
    assert after(("copy", Event.SKIPPED), *did("look")) == ["Wait go"]


def test_what_is_in_flight_is_not_given_out_again() -> None:
    past = history(("copy", I))
    assert short(next_actions(RUNBOOK, past, {"copy"})) == ["Do look 1"]
    assert next_actions(RUNBOOK, past, {"copy", "look"}) == []
    everything = history(*did(*(item.id for item in RUNBOOK.steps)))
    assert next_actions(RUNBOOK, everything, {"fence"}) == []


CUT_OVER = did("copy", "look", "go", "stop", "check", "start")


def test_rollback_undoes_the_cutover_users_first_and_leaves_the_replicas() -> None:
    way: list[tuple[str, Event] | Event] = [*CUT_OVER, Event.ROLLBACK]
    assert after(*way) == ["Undo start 2"]
    way += [("start", Event.UNDO_INTENT)]
    assert after(*way) == ["Undo start 3"]  # after a crash
    way += [("start", Event.UNDONE)]
    assert after(*way) == ["Undo stop 2"]
    way += [("stop", Event.UNDO_INTENT), ("stop", Event.UNDONE)]
    assert after(*way) == ["Finish rolled back"]


def test_abort_undoes_everything() -> None:
    assert after(*did("copy"), Event.ABORT) == ["Undo copy 2"]
    undone: list[tuple[str, Event]] = [("copy", Event.UNDO_INTENT), ("copy", Event.UNDONE)]
    assert after(*did("copy"), Event.ABORT, *undone) == ["Finish aborted"]
    assert after(Event.ABORT) == ["Finish aborted"]


def test_on_the_way_back_the_unknown_is_asked_before_anything_is_undone() -> None:
    way: list[tuple[str, Event] | Event] = [*did("copy", "look", "go"), ("stop", I), Event.ROLLBACK]
    assert after(*way) == ["Ask stop 1"]
    assert after(*way, ("stop", D)) == ["Undo stop 2"]


@pytest.mark.parametrize(
    "tried",
    [
        [("stop", I), ("stop", N)],
        [("stop", I), ("stop", F), ("stop", Event.RETRY)],
        [("stop", I), ("stop", F), ("stop", Event.SKIPPED)],
        [("stop", I), ("stop", F)],
    ],
)
def test_whatever_was_tried_is_undone_even_if_it_is_not_known_to_have_happened(
    tried: list[tuple[str, Event]],
) -> None:
    assert after(*did("copy", "look", "go"), *tried, Event.ROLLBACK) == ["Undo stop 2"]


def test_what_was_never_begun_is_not_undone() -> None:
    assert after(*did("copy", "look", "go"), ("stop", Event.SKIPPED), Event.ROLLBACK) == [
        "Finish rolled back"
    ]


def test_an_undo_that_fails_is_retried_then_decided_and_then_tried_again() -> None:
    failed = [("start", Event.UNDO_INTENT), ("start", Event.UNDO_FAILED)]
    way: list[tuple[str, Event] | Event] = [*CUT_OVER, Event.ROLLBACK, *failed]
    assert after(*way, failure=RESTS) == ["Undo start 3 at 12"]
    assert after(*way, failure={"retryable": False}) == ["Decide start"]
    assert after(*way, failure=GAVE_UP) == ["Decide start"]
    assert after(*way, ("start", Event.RETRY), failure=GAVE_UP) == ["Undo start 3"]


def test_rollback_needs_a_go_and_no_commit() -> None:
    with pytest.raises(Blocked, match="not cut over"):
        check_rollback(history(*did("copy", "look")))
    for lines in (did("copy", "look", "go"), CUT_OVER, [*did("copy", "look", "go"), ("stop", I)]):
        check_rollback(history(*lines))
    for lines in ([*CUT_OVER, *did("commit")], [*CUT_OVER, *did("commit"), ("fence", I)]):
        with pytest.raises(Blocked) as caught:
            check_rollback(history(*lines))
        assert "failback" in caught.value.hint


def test_a_run_with_an_open_gate_and_nothing_begun_can_still_be_rolled_back() -> None:
    past = history(*did("copy", "look", "go"))
    check_rollback(past)
    past.append(Entry("", Event.ROLLBACK))
    assert next_actions(RUNBOOK, past) == [Finish(Outcome.ROLLED_BACK)]
    assert past.mode is Mode.ROLLBACK
