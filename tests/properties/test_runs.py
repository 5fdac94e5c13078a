"""Any legal sequence of entries: the incremental history equals a plain fold, and rules hold throughout."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrate.run.actions import Ask, Decide, Do, Finish, Skip, Undo, Wait, next_actions
from migrate.run.compose import another_round, compose
from migrate.run.history import RUN_EVENTS, SETTLED, Entry, Event, History, IllegalEntry, Mode, Status
from migrate.run.runbook import COMMIT, DROP, GO, Phase, Runbook, dump_step
from tests.migrate.estate import pair_wave, small_wave

WAVES = [small_wave(), pair_wave()]
FAILURES = [{"at_s": 1.0, "again_s": 2.0}, {"at_s": 1.0}]


def plain_fold(runbook: Runbook, entries: list[Entry]) -> tuple[dict[str, Status], list[int], set[str], Mode]:
    """The same thing said slowly: last event wins, readiness looked up from nothing."""
    says = {
        Event.INTENT: Status.STARTED,
        Event.DONE: Status.DONE,
        Event.FAILED: Status.FAILED,
        Event.NOT_DONE: Status.PENDING,
        Event.UNKNOWN: Status.STARTED,
        Event.SKIPPED: Status.SKIPPED,
        Event.APPROVED: Status.DONE,
        Event.UNDO_INTENT: Status.UNDOING,
        Event.UNDONE: Status.UNDONE,
        Event.UNDO_FAILED: Status.UNDO_FAILED,
    }
    status = {step.id: Status.PENDING for step in runbook.steps}
    mode = Mode.FORWARD
    going: set[str] = set()  # snapshots that were given up and are not certainly gone
    for entry in entries:
        reads = "" if not entry.step else str(runbook.step(entry.step).params.get("snapshot", ""))
        removes = bool(reads) and runbook.step(entry.step).kind == DROP
        if entry.event in (Event.ROLLBACK, Event.ABORT):
            mode = Mode(entry.event.value)
            going.clear()
        elif entry.event is Event.GIVEN_UP:
            going.add(entry.step)
            for step in runbook.steps:
                is_reader = step.params.get("snapshot") == entry.step and step.kind != DROP
                if is_reader and status[step.id] is not Status.STARTED:
                    status[step.id] = Status.SKIPPED
        elif entry.event is Event.RETRY:
            after = {Status.UNDO_FAILED: Status.UNDOING, Status.FAILED: Status.PENDING}
            status[entry.step] = after.get(status[entry.step], status[entry.step])
        elif entry.event not in (Event.CYCLE, Event.HELD):
            status[entry.step] = says[entry.event]
        if reads in going and removes and entry.event is Event.DONE:
            going.remove(reads)
            for step in runbook.steps:
                if step.id == reads or step.params.get("snapshot") == reads:
                    status[step.id] = Status.PENDING
        elif reads in going and not removes and status[entry.step] is not Status.STARTED:
            status[entry.step] = Status.SKIPPED
    ready = [
        position
        for position, step in enumerate(runbook.steps)
        if status[step.id] is Status.PENDING and all(status[need] in SETTLED for need in step.needs)
    ]
    unsettled = {name for name, state in status.items() if state in (Status.STARTED, Status.FAILED)}
    return status, ready, unsettled, mode


def readable(history: History) -> Iterator[str]:
    """Yield the snapshots that may be given up."""
    for step in history.runbook.steps:
        if step.kind == "snapshot":
            with contextlib.suppress(IllegalEntry):
                history.check(Entry(step.id, Event.GIVEN_UP))
                yield step.id


def walk(data: st.DataObject, number: int) -> History:
    """Take a random legal walk of a run: what a driver, the world and people might do."""
    wave = WAVES[number]
    history = History(compose(wave))
    rounds = 2
    for _ in range(data.draw(st.integers(0, 150), "length")):
        actions = next_actions(history.runbook, history)
        action = actions[data.draw(st.integers(0, len(actions) - 1))]
        luck = data.draw(st.integers(0, 19))
        if luck == 0 and history.mode is Mode.FORWARD:
            way = data.draw(st.sampled_from([Event.ROLLBACK, Event.ABORT]))
            history.append(Entry("", way))
            continue
        if luck in (7, 8) and (snapshots := list(readable(history))):
            one = data.draw(st.sampled_from(snapshots))
            history.append(Entry(one, Event.GIVEN_UP, history.attempts[one], {"why": "no room"}))
            continue
        match action:
            case Do(step, attempt):
                if luck % 4 == 0:
                    history.append(Entry(step.id, Event.HELD, attempt, {"why": "a backup"}))
                history.append(Entry(step.id, Event.INTENT, attempt))
                if luck > 5:
                    history.append(Entry(step.id, Event.DONE, attempt, {"id": "x"}))
                elif luck > 2:
                    history.append(Entry(step.id, Event.FAILED, attempt, FAILURES[luck % 2]))
            case Ask(step, attempt):
                event = [Event.DONE, Event.NOT_DONE, Event.FAILED, Event.UNKNOWN][luck % 4]
                history.append(Entry(step.id, event, attempt, FAILURES[luck % 2]))
            case Wait(step):
                if step.id == GO and luck == 1:
                    steps = [dump_step(item) for item in another_round(wave, rounds)]
                    history.append(Entry("", Event.CYCLE, detail={"gate": GO, "steps": steps}))
                    rounds += 1
                else:
                    history.append(Entry(step.id, Event.APPROVED))
            case Decide(step):
                forward = history.mode is Mode.FORWARD
                failed = history.status[step.id] is Status.FAILED
                event = Event.SKIPPED if forward and failed and luck % 2 else Event.RETRY
                history.append(Entry(step.id, event))
            case Skip(step, why):
                history.append(Entry(step.id, Event.SKIPPED, detail=why))
            case Undo(step, attempt):
                history.append(Entry(step.id, Event.UNDO_INTENT, attempt))
                if luck > 4:
                    history.append(Entry(step.id, Event.UNDONE, attempt))
                elif luck > 2:
                    history.append(Entry(step.id, Event.UNDO_FAILED, attempt, FAILURES[luck % 2]))
            case Finish():
                break
    return history


def of_rounds(history: History) -> Iterator[str]:
    """Yield what is wrong about the order of snapshots, of those that read them, and of removals."""
    there: set[str] = set()
    going: set[str] = set()
    for entry in history.entries:
        if entry.event in RUN_EVENTS:
            continue
        step = history.runbook.step(entry.step)
        reads = str(step.params.get("snapshot", ""))
        if step.kind == "snapshot" and entry.event is Event.INTENT and step.id in there:
            yield f"{step.id} is taken although it was not removed"
        elif step.kind == "snapshot" and entry.event is Event.DONE:
            there.add(step.id)
        elif entry.event is Event.GIVEN_UP:
            going.add(step.id)
        elif step.kind == DROP and entry.event is Event.DONE:
            there.discard(reads)
            going.discard(reads)
        elif reads in going and step.kind != DROP and entry.event is Event.INTENT:
            yield f"{step.id} begins to read what is given up"


quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(st.data(), st.integers(0, 1))
def test_the_incremental_history_is_the_plain_fold(data: st.DataObject, number: int) -> None:
    history = walk(data, number)
    again = History(compose(WAVES[number]), history.entries)
    for found in (history, again):
        status, ready, unsettled, mode = plain_fold(found.runbook, history.entries)
        assert found.status == status
        assert found.mode is mode
        assert set(found.unsettled) == unsettled
        if mode is Mode.FORWARD:
            assert found.ready == ready
    assert {key: value for key, value in vars(again).items() if key != "runbook"} == {
        key: value for key, value in vars(history).items() if key != "runbook"
    }
    assert again.runbook == history.runbook


@quick
@given(st.data(), st.integers(0, 1))
def test_gates_hold_and_undoing_respects_its_users(data: st.DataObject, number: int) -> None:
    history = walk(data, number)
    runbook = history.runbook
    approved = {entry.step for entry in history.entries if entry.event is Event.APPROVED}
    for entry in history.entries:
        if entry.event is Event.INTENT:
            phase = runbook.step(entry.step).phase
            assert phase is Phase.REPLICATE or GO in approved
            assert phase is not Phase.COMMIT or COMMIT in approved
    gone = (Status.UNDONE, Status.UNDOING, Status.UNDO_FAILED)
    for step in runbook.steps:
        if history.status[step.id] not in gone:
            continue
        for user in runbook.dependents[step.id]:
            known = runbook.step(user)
            left = known.undoable and known.phase is step.phase and history.tried(user)
            assert not left or history.status[user] is Status.UNDONE


@quick
@given(st.data(), st.integers(0, 1))
def test_what_is_given_up_is_removed_before_it_is_taken_anew(data: st.DataObject, number: int) -> None:
    assert list(of_rounds(walk(data, number))) == []


@quick
@given(st.data(), st.integers(0, 1))
def test_every_run_comes_to_an_end(data: st.DataObject, number: int) -> None:
    history = walk(data, number)
    for _ in range(2000):
        action = next_actions(history.runbook, history)[0]
        match action:
            case Do(step, attempt):
                history.append(Entry(step.id, Event.INTENT, attempt))
                history.append(Entry(step.id, Event.DONE, attempt))
            case Ask(step, attempt):
                history.append(Entry(step.id, Event.DONE, attempt))
            case Wait(step):
                history.append(Entry(step.id, Event.APPROVED))
            case Decide(step):
                history.append(Entry(step.id, Event.RETRY))
            case Skip(step, why):
                history.append(Entry(step.id, Event.SKIPPED, detail=why))
            case Undo(step, attempt):
                history.append(Entry(step.id, Event.UNDO_INTENT, attempt))
                history.append(Entry(step.id, Event.UNDONE, attempt))
            case Finish():
                break
    else:
        raise AssertionError("the run does not end")
    if history.mode is Mode.FORWARD:
        assert set(history.status.values()) <= SETTLED


@quick
@given(
    st.lists(st.tuples(st.integers(0, 12), st.sampled_from(list(Event))), max_size=30),
)
def test_what_is_refused_changes_nothing(lines: list[tuple[int, Event]]) -> None:
    history = History(compose(WAVES[0]))
    for position, event in lines:
        name = (
            "" if event in (Event.CYCLE, Event.ROLLBACK, Event.ABORT) else history.runbook.steps[position].id
        )
        entry = Entry(name, event, 1, FAILURES[0])
        before = (dict(history.status), list(history.ready), dict(history.spent), history.mode)
        count = len(history.entries)
        try:
            history.append(entry)
        except IllegalEntry:
            assert (history.status, history.ready, history.spent, history.mode) == before
            assert len(history.entries) == count
        else:
            assert len(history.entries) == count + 1
