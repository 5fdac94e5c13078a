"""Whatever may happen in a run: every change of a state that can be seen stands in the one table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.run.actions import Ask, Decide, Do, Finish, Undo, Wait, next_actions
from migrate.run.compose import another_round, compose
from migrate.run.compose_failback import another_reverse_round, compose_failback
from migrate.run.history import Entry, Event, History, Mode, Status
from migrate.run.runbook import COMMIT, GO, dump_step
from migrate.states import TRANSITIONS, State, at_go, least, state_of, steps_by_vm
from tests.migrate.estate import left_out_wave, pair_wave, small_wave
from tests.properties.test_runs import FAILURES, quick

WAVES = [small_wave(), pair_wave(), left_out_wave()]
BEGIN = {False: State.PLANNED, True: State.COMMITTED}


def legal_walk(data: st.DataObject, number: int, home: bool) -> Iterator[History]:
    """Yield a run after each entry of a walk that a driver, the world and people with verbs might take."""
    wave = WAVES[number]
    history = History(compose_failback(wave, {}) if home else compose(wave))
    more = another_reverse_round if home else another_round
    rounds = 3
    for _ in range(data.draw(st.integers(0, 160), "length")):
        actions = next_actions(history.runbook, history)
        action = actions[data.draw(st.integers(0, len(actions) - 1))]
        luck = data.draw(st.integers(0, 29))
        entries: list[Entry] = []
        if luck == 0 and history.mode is Mode.FORWARD and history.status[COMMIT] is not Status.DONE:
            going = history.status[GO] is Status.DONE
            entries = [Entry("", Event.ROLLBACK if going else Event.ABORT)]
        else:
            match action:
                case Do(step, attempt):
                    ends = [Event.DONE] if luck > 3 else [Event.FAILED] if luck > 1 else []
                    detail = {"id": "x"} if luck > 3 else FAILURES[luck % 2]
                    entries = [Entry(step.id, Event.INTENT, attempt)]
                    entries += [Entry(step.id, end, attempt, detail) for end in ends]
                case Ask(step, attempt):
                    end = [Event.DONE, Event.NOT_DONE, Event.FAILED][luck % 3]
                    entries = [Entry(step.id, end, attempt, FAILURES[0])]
                case Wait(step) if step.id == GO and luck < 8:
                    steps = [dump_step(item) for item in more(wave, rounds)]
                    entries = [Entry("", Event.CYCLE, detail={"gate": GO, "steps": steps})]
                    rounds += 1
                case Wait(step):
                    entries = [Entry(step.id, Event.APPROVED)]
                case Decide(step):
                    skip = history.mode is Mode.FORWARD and luck % 2
                    entries = [Entry(step.id, Event.SKIPPED if skip else Event.RETRY)]
                case Undo(step, attempt):
                    entries = [Entry(step.id, Event.UNDO_INTENT, attempt)]
                    entries += [Entry(step.id, Event.UNDONE, attempt)] if luck > 4 else []
                case Finish():
                    return
        for entry in entries:
            history.append(entry)
            yield history


def seen(history: History, home: bool) -> dict[str, State]:
    """Return the state of the wave and of each VM."""
    of_vms = steps_by_vm(history.runbook)
    return {"": state_of(history, home=home)} | {
        vm: state_of(history, steps, home=home) for vm, steps in of_vms.items()
    }


@quick
@given(st.data(), st.integers(0, len(WAVES) - 1), st.booleans())
def test_every_change_that_is_seen_is_in_the_table(data: st.DataObject, number: int, home: bool) -> None:
    before: dict[str, State] = {}
    for history in legal_walk(data, number, home):
        now = seen(history, home)
        assert set(now) - {""} == {vm.id for vm in WAVES[number].vms}
        for what, state in now.items():
            old = before.get(what, BEGIN[home])
            assert state is old or state in TRANSITIONS[old], f"{what or 'the wave'}: {old} to {state}"
        before = now
        if history.mode is Mode.FORWARD:
            least_far = least(state for vm, state in now.items() if vm)
            assert now[""] in (least_far, State.SEEDING, State.CUTTING_OVER, State.COMMITTED)


@pytest.mark.parametrize("home", [False, True])
@pytest.mark.parametrize("wave", WAVES)
def test_an_undisturbed_run_passes_the_states_in_order(wave: object, home: bool) -> None:
    planned = WAVES[WAVES.index(wave)]  # type: ignore[arg-type]
    history = History(compose_failback(planned, {}) if home else compose(planned))
    passed = {vm.id: [BEGIN[home]] for vm in planned.vms}
    for step in history.runbook.steps:
        events = [Event.APPROVED] if step.is_gate else [Event.INTENT, Event.DONE]
        for event in events:
            history.append(Entry(step.id, event))
            for vm, state in seen(history, home).items():
                if vm and passed[vm][-1] is not state:
                    passed[vm].append(state)
    out = [State.PLANNED, State.SEEDING, State.IN_SYNC, State.CUTTING_OVER, State.BEFORE_COMMIT,
           State.COMMITTING, State.COMMITTED]  # fmt: skip
    back = [State.COMMITTED, State.REVERSE_PROTECTED, State.FAILING_BACK, State.FAILED_BACK]
    assert all(states == (back if home else out) for states in passed.values()), passed


def test_the_table_knows_every_state_and_reaches_it() -> None:
    assert set(TRANSITIONS) == set(State)
    assert set().union(*TRANSITIONS.values()) == set(State)


@pytest.mark.parametrize(
    ("rehearsed", "is_open", "wanted"),
    [
        (False, False, State.IN_SYNC),
        (False, True, State.IN_SYNC),
        (True, False, State.REHEARSED),
        (True, True, State.READY),
    ],
)
def test_in_sync_is_not_yet_ready(rehearsed: bool, is_open: bool, wanted: State) -> None:
    assert at_go(State.IN_SYNC, rehearsed=rehearsed, is_open=is_open) is wanted
    assert at_go(State.SEEDING, rehearsed=rehearsed, is_open=is_open) is State.SEEDING
