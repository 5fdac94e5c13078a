"""The transition table, entry by entry, and what else a record may not contain."""

from __future__ import annotations

import itertools

import pytest

from migrate.run.compose import another_round, compose
from migrate.run.history import RUN_EVENTS, TRANSITIONS, Entry, Event, History, IllegalEntry, Mode, Status
from migrate.run.patience import Spent
from migrate.run.runbook import COMMIT, GATE, GO, Phase, Runbook, Step, dump_step
from planner.effects import Effect
from tests.migrate.estate import small_wave

EXPECTED = {
    ("pending", "intent"): "started",
    ("pending", "approved"): "done",
    ("pending", "skipped"): "skipped",
    ("pending", "undo-intent"): "undoing",
    ("started", "done"): "done",
    ("started", "failed"): "failed",
    ("started", "not-done"): "pending",
    ("pending", "held"): "pending",
    ("failed", "held"): "failed",
    ("failed", "intent"): "started",
    ("failed", "retry"): "pending",
    ("failed", "skipped"): "skipped",
    ("failed", "undo-intent"): "undoing",
    ("skipped", "undo-intent"): "undoing",
    ("done", "undo-intent"): "undoing",
    ("done", "watched"): "done",
    ("done", "given-up"): "done",
    ("undoing", "undone"): "undone",
    ("undoing", "undo-failed"): "undo-failed",
    ("undoing", "undo-intent"): "undoing",
    ("undo-failed", "undo-intent"): "undoing",
    ("undo-failed", "retry"): "undoing",
    ("started", "unknown"): "started",
    ("started", "retry"): "started",
    ("pending", "retry"): "pending",
    ("undoing", "retry"): "undoing",
}
STEP_EVENTS = [event for event in Event if event not in RUN_EVENTS]


def step(name: str, *needs: str, gate: bool = False, undoable: bool = True) -> Step:
    return Step(
        name, GATE if gate else "stop", name, name, Phase.CUTOVER, Effect.LIVE, needs, undoable=undoable
    )


def runbook() -> Runbook:
    return Runbook("W", "f", (step("a"), step("gate", "a", gate=True), step("b", "gate"), step("c")))


TO = {  # the shortest way to a status, for step c (needs nothing)
    Status.PENDING: [],
    Status.STARTED: [Event.INTENT],
    Status.DONE: [Event.INTENT, Event.DONE],
    Status.FAILED: [Event.INTENT, Event.FAILED],
    Status.SKIPPED: [Event.INTENT, Event.FAILED, Event.SKIPPED],
    Status.UNDOING: [Event.INTENT, Event.DONE, Event.ROLLBACK, Event.UNDO_INTENT],
    Status.UNDO_FAILED: [Event.INTENT, Event.DONE, Event.ROLLBACK, Event.UNDO_INTENT, Event.UNDO_FAILED],
    Status.UNDONE: [Event.INTENT, Event.DONE, Event.ROLLBACK, Event.UNDO_INTENT, Event.UNDONE],
}


def entry(event: Event, name: str = "c") -> Entry:
    return Entry("" if event in RUN_EVENTS else name, event)


def at(status: Status, *, back: bool = False) -> History:
    history = History(runbook(), map(entry, TO[status]))
    if back and history.mode is Mode.FORWARD:
        history.append(entry(Event.ROLLBACK))
    assert history.status["c"] is status
    return history


def test_the_table_is_the_one_that_was_agreed() -> None:
    assert {(old.value, event.value): new.value for (old, event), new in TRANSITIONS.items()} == EXPECTED


@pytest.mark.parametrize(("status", "event"), list(itertools.product(Status, STEP_EVENTS)))
def test_each_transition_does_what_the_table_says_and_nothing_else_is_taken(
    status: Status, event: Event
) -> None:
    # an intent to undo is only for the way back, and a c that is pending was not tried yet; nothing reads it
    history = at(status, back=event is Event.UNDO_INTENT)
    legal = EXPECTED.get((status.value, event.value))
    untold = (Status.PENDING, Event.UNDO_INTENT), (Status.DONE, Event.GIVEN_UP)
    if event is Event.APPROVED or (status, event) in untold:
        legal = None
    before = (dict(history.status), list(history.entries), list(history.ready), dict(history.unsettled))
    if legal is None:
        with pytest.raises(IllegalEntry):
            history.check(entry(event))
        with pytest.raises(IllegalEntry):
            history.append(entry(event))
        assert (history.status, history.entries, history.ready, history.unsettled) == before
    else:
        history.check(entry(event))
        assert (history.status, history.entries, history.ready, history.unsettled) == before
        history.append(entry(event))
        assert history.status["c"].value == legal


def test_a_pending_step_that_was_tried_can_be_undone() -> None:
    events = [Event.INTENT, Event.NOT_DONE, Event.ROLLBACK, Event.UNDO_INTENT, Event.UNDONE]
    assert History(runbook(), map(entry, events)).status["c"] is Status.UNDONE


def test_gates_take_approval_and_nothing_else() -> None:
    done = [entry(Event.INTENT, "a"), entry(Event.DONE, "a")]
    for event in (Event.INTENT, Event.SKIPPED, Event.DONE):
        with pytest.raises(IllegalEntry):
            History(runbook(), [*done, entry(event, "gate")])
    assert History(runbook(), [*done, entry(Event.APPROVED, "gate")]).status["gate"] is Status.DONE


def test_a_step_that_is_no_gate_is_not_done_by_approval() -> None:
    with pytest.raises(IllegalEntry):
        History(runbook(), [entry(Event.APPROVED, "a")])


@pytest.mark.parametrize("name", ["gate", "b", "nobody"])
def test_nothing_begins_before_what_it_needs_and_unknown_steps_are_refused(name: str) -> None:
    with pytest.raises(IllegalEntry):
        History(runbook(), [entry(Event.APPROVED if name == "gate" else Event.INTENT, name)])


@pytest.mark.parametrize(
    "event", [Event.INTENT, Event.HELD, Event.SKIPPED, Event.CYCLE, Event.ROLLBACK, Event.ABORT]
)
@pytest.mark.parametrize("way", [Event.ROLLBACK, Event.ABORT])
def test_nothing_goes_forward_on_the_way_back(way: Event, event: Event) -> None:
    with pytest.raises(IllegalEntry):
        History(runbook(), [entry(way), entry(event)])


def test_what_a_step_waits_for_is_known_until_it_begins_or_the_run_turns_round() -> None:
    held = Entry("c", Event.HELD, 1, {"why": "a backup"})
    for after in (Event.INTENT, Event.SKIPPED, Event.ROLLBACK):
        history = History(runbook(), [held])
        assert (history.held, history.tried("c")) == ({"c": {"why": "a backup"}}, False)
        history.append(entry(after))
        assert history.held == {}


def test_nothing_is_undone_on_the_way_forward() -> None:
    with pytest.raises(IllegalEntry):
        at(Status.DONE).append(entry(Event.UNDO_INTENT))


def test_patience_is_spent_until_a_person_asks_or_it_is_done() -> None:
    history = History(runbook())
    for attempt in (1, 2):
        history.append(Entry("c", Event.INTENT, attempt))
        history.append(Entry("c", Event.FAILED, attempt, {"at_s": 10.0 * attempt, "used_s": 5.0}))
    assert (history.spent["c"], history.attempts["c"]) == (Spent(20.0, 5.0), 2)
    history.append(Entry("c", Event.INTENT, 3))
    history.append(Entry("c", Event.NOT_DONE, 3))
    assert history.spent["c"] == Spent(20.0, 5.0), "a death in between gives none of it back"
    history.append(entry(Event.RETRY))
    assert (history.spent, history.attempts["c"]) == ({}, 3)
    for event in (Event.INTENT, Event.UNKNOWN, Event.RETRY, Event.UNKNOWN):
        history.append(Entry("c", event, 4, {"at_s": 30.0} if event is Event.UNKNOWN else {}))
    assert (history.status["c"], history.spent["c"]) == (Status.STARTED, Spent(30.0))
    history.append(Entry("c", Event.DONE, 4))
    assert (history.spent, history.failures) == ({}, {})


def cycle(gate: str = GO, number: int = 2) -> Entry:
    steps = another_round(small_wave(), number)
    return Entry("", Event.CYCLE, detail={"gate": gate, "steps": [dump_step(item) for item in steps]})


def before_the_gate() -> History:
    history = History(compose(small_wave()))
    for item in history.runbook.steps:
        if item.id == GO:
            return history
        history.append(Entry(item.id, Event.INTENT))
        history.append(Entry(item.id, Event.DONE))
    raise AssertionError("no gate")


def test_another_round_closes_the_gate_again() -> None:
    history = before_the_gate()
    gate = history.runbook.index[GO]
    assert history.ready == [gate]
    history.append(cycle())
    ids = [history.runbook.steps[position].id for position in history.ready]
    assert ids == ["g0/snapshot/2"]
    with pytest.raises(IllegalEntry):
        history.append(Entry(GO, Event.APPROVED))
    for item in another_round(small_wave(), 2):
        history.append(Entry(item.id, Event.INTENT))
        history.append(Entry(item.id, Event.DONE))
    assert [history.runbook.steps[position].id for position in history.ready] == [GO]
    history.append(cycle(number=3))
    assert history.status["g0/snapshot/3"] is Status.PENDING


@pytest.mark.parametrize(
    "bad",
    [
        cycle("nowhere"),
        cycle("check"),
        cycle(number=1),  # those steps stand in the runbook already
        cycle()._replace(detail={"gate": GO}),
        cycle()._replace(detail={}),
    ],
)
def test_a_round_that_does_not_fit_is_refused_and_changes_nothing(bad: Entry) -> None:
    history = before_the_gate()
    known = history.runbook
    with pytest.raises(IllegalEntry):
        history.append(bad)
    assert history.runbook is known


def test_no_round_is_put_before_a_gate_that_is_open() -> None:
    history = before_the_gate()
    history.append(Entry(GO, Event.APPROVED))
    with pytest.raises(IllegalEntry):
        history.append(cycle())
    assert history.status[COMMIT] is Status.PENDING
