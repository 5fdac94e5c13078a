"""The runbook of remedies, what is chosen for it, and when it may begin, go on or be taken back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.run import store as runs
from migrate.run.actions import Decide, Outcome, Skip, next_actions
from migrate.run.compose import compose
from migrate.run.history import Entry, Event, History
from migrate.run.patience import Patience
from migrate.run.record import StepRecord
from migrate.run.remedy import compose_remedies, fixable
from migrate.run.remedy_intents import check_outage_back, intend_remedies, intend_take_back
from migrate.run.runbook import GO, Phase, Runbook, dump_runbook, load_runbook
from migrate.run.store import RunKind
from migrate.run.waves import check_remedied, find_wave
from migrate.status import project_status
from migrate.tasks import TaskState, task_states, wave_tasks
from planner.errors import Blocked
from planner.fixes import FIXES, NEED_OFF
from planner.model import VM, Inventory
from planner.plan import Wave
from planner.remedies import task_id
from planner.settings import Remedies
from planner.store import inventories, ticks
from planner.store.project import Project
from tests.migrate.estate import pair_wave
from tests.migrate.stored import store_plan
from tests.migrate.troubled import with_tasks

WANTED = {"id-a": FIXES, "id-c": ("upgrade-hardware", "by-hand")}  # id-c is off
FAILED = {"message": "it said no", "hint": "ask", "retryable": False}


def wave() -> Wave:
    return with_tasks(pair_wave(), WANTED)


def runbook(with_outage: bool = True) -> Runbook:
    planned = wave()
    return compose_remedies(planned, fixable(planned, "", with_outage), Remedies(), with_outage)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with Project.create(tmp_path) as project:
        inventories.save(project, Inventory("test", "2026-10-01T00:00:00Z", (VM("a", "a"),)))
        yield project


def begin(project: Project, book: Runbook, kind: RunKind = RunKind.REMEDY) -> tuple[History, StepRecord]:
    run = runs.begin(project, store_plan(project, wave()), book, kind)
    history = runs.history(project, run)
    return history, StepRecord(project, run.id, history, "me")


def play(book: Runbook, record: StepRecord, until: str = "") -> None:
    """Do every step before ``until``."""
    for step in book.steps:
        if step.id == until:
            return
        record.append(Entry(step.id, Event.INTENT))
        record.append(Entry(step.id, Event.DONE, detail={"changed": True, "ran": True}))


def take_all_back(history: History, record: StepRecord) -> None:
    record.append(Entry("", Event.ROLLBACK))
    while runs.outcome(history) is None:
        step = next_actions(history.runbook, history)[0].step  # type: ignore[union-attr]
        record.append(Entry(step.id, Event.UNDO_INTENT, 2))
        record.append(Entry(step.id, Event.UNDONE, 2))


# choosing and composing


def test_only_what_wherry_can_do_and_may_is_chosen() -> None:
    planned = wave()
    without = [(task.vm, task.fix) for task in fixable(planned)]
    assert without == [
        *(("id-a", fix) for fix in FIXES if fix not in NEED_OFF),
        ("id-c", "upgrade-hardware"),  # it is off anyway
    ]
    assert len(fixable(planned, with_outage=True)) == len(FIXES) + 1
    assert [task.vm for task in fixable(planned, "upgrade-hardware", True)] == ["id-a", "id-c"]
    assert fixable(planned, "disk-mode") == ()
    live = planned.tasks[0].model_copy(update={"outage": True})  # as its check says
    assert fixable(planned.model_copy(update={"tasks": (live,)})) == ()


def test_a_vm_is_down_only_around_what_needs_it_off() -> None:
    steps = [step.id for step in runbook().steps if step.subject == "id-a"]
    assert steps == [
        f"v0/{kind}"
        for kind in ("look", "consolidate", "disconnect-media", "enable-cbt", "halt", "upgrade-hardware",
                     "disk-mode", "resume")
    ]  # fmt: skip
    assert not [step for step in runbook(False).steps if step.kind == "halt" and step.params["outage"]]
    assert [step.id for step in runbook().steps if not step.optional] == ["v0/resume", "v2/resume"]
    assert all(step.phase is Phase.REMEDY for step in runbook().steps)


def test_two_tasks_with_one_fix_are_one_step() -> None:
    planned = wave()
    twin = planned.tasks[0].model_copy(update={"id": "ffffffff", "check": "own.other"})
    book = compose_remedies(planned, (planned.tasks[0], twin), Remedies(), False)
    (step,) = [step for step in book.steps if "tasks" in step.params]
    assert step.params["tasks"] == [planned.tasks[0].id, "ffffffff"]


def test_a_runbook_is_the_same_when_it_was_stored() -> None:
    book = runbook()
    old, params = json.loads(json.dumps(dump_runbook(book)))
    assert load_runbook(old, json.dumps(params)) == book
    at = old["fields"].index("optional")
    old["fields"] = [name for name in old["fields"] if name != "optional"]
    for step in old["steps"]:
        del step[at]  # as runbooks were stored before
    assert not any(step.optional for step in load_runbook(old).steps)


# what happens next


def test_what_fails_for_good_is_passed_over_but_a_vm_that_is_down_waits_for_a_person() -> None:
    history = History(runbook())
    for step in history.runbook.steps:
        if step.subject != "id-a":
            history.append(Entry(step.id, Event.INTENT))
            history.append(Entry(step.id, Event.DONE))
            continue
        history.append(Entry(step.id, Event.INTENT))
        history.append(Entry(step.id, Event.FAILED, detail=FAILED))
        mine = [item for item in next_actions(history.runbook, history) if item.step == step]  # type: ignore[union-attr]
        if step.kind == "resume":
            assert mine == [Decide(step)]
            break
        assert mine == [Skip(step, FAILED)]
        history.append(Entry(step.id, Event.SKIPPED, detail=FAILED))
    assert runs.outcome(history) is None


def test_a_retryable_failure_is_tried_again_before_it_is_passed_over() -> None:
    history = History(runbook())
    first = history.runbook.steps[0]
    for attempt in range(1, 10):
        history.append(Entry(first.id, Event.INTENT, attempt))
        spent = Patience().spend(first.kind, history.spent.get(first.id), 30.0 * attempt)
        history.append(Entry(first.id, Event.FAILED, attempt, {**FAILED, **spent.as_json()}))
        skipped = any(isinstance(item, Skip) for item in next_actions(history.runbook, history))
        assert skipped is (spent.again_s is None)
        if skipped:
            break
    assert attempt == 8, "90 seconds are over"


def test_the_way_back_undoes_what_was_tried_in_reverse() -> None:
    history = History(runbook())
    for step in history.runbook.steps:
        history.append(Entry(step.id, Event.INTENT))
        history.append(Entry(step.id, Event.DONE))
    history.append(Entry("", Event.ROLLBACK))
    order = []
    while runs.outcome(history) is None:
        step = next_actions(history.runbook, history)[0].step  # type: ignore[union-attr]
        order.append(step.id)
        history.append(Entry(step.id, Event.UNDO_INTENT, 2))
        history.append(Entry(step.id, Event.UNDONE, 2))
    assert runs.outcome(history) is Outcome.ROLLED_BACK
    wanted = [step.id for step in reversed(history.runbook.steps) if step.undoable]
    assert order == wanted
    assert not any(step.endswith(("look", "consolidate")) for step in order)


# beside the wave's own run


def test_a_run_of_remedies_is_no_run_of_the_wave(project: Project) -> None:
    _, record = begin(project, runbook())
    play(runbook(), record)
    assert find_wave(project, "W02").run is None
    assert runs.latest(project, "W02") is None
    status = project_status(project)
    assert [item.state for item in status.waves] == ["planned"]
    assert not any("remedies" in need.text for need in status.needs)


def test_the_wave_does_not_begin_while_its_remedies_are_half_done(project: Project) -> None:
    history, record = begin(project, runbook())
    play(runbook(), record, until="v0/upgrade-hardware")
    with pytest.raises(Blocked, match="half done") as caught:
        check_remedied(project, wave())
    assert "wherry remedy W02 --live" in caught.value.hint
    assert any("remedies of W02 were interrupted" in need.text for need in project_status(project).needs)
    take_all_back(history, record)
    check_remedied(project, wave())


def test_remedies_do_not_begin_while_the_wave_is_under_way_or_over(project: Project) -> None:
    book = compose(wave())
    history, record = begin(project, book, RunKind.WAVE)
    for name in ("remedies", "back"):
        with pytest.raises(Blocked, match="run under way"):
            intend_remedies(project, "W02") if name == "remedies" else intend_take_back(project, "W02")
    for step in book.steps:
        if step.is_gate:
            record.append(Entry(step.id, Event.APPROVED))
        else:
            record.append(Entry(step.id, Event.INTENT))
            record.append(Entry(step.id, Event.DONE))
    assert GO in history.results
    with pytest.raises(Blocked, match="is committed"):
        intend_remedies(project, "W02")


def test_what_is_under_way_goes_on_only_as_it_was_agreed_to(project: Project) -> None:
    book = runbook()
    history, record = begin(project, book)
    play(book, record, until="v0/enable-cbt")
    with pytest.raises(Blocked, match="need an outage") as caught:
        intend_remedies(project, "W02")
    assert "--with-outage" in caught.value.hint
    with pytest.raises(Blocked, match="not only disk-mode"):
        intend_remedies(project, "W02", only="disk-mode", with_outage=True)
    going = intend_remedies(project, "W02", with_outage=True)
    assert going is not None
    assert going.run is not None
    record.append(Entry("", Event.ROLLBACK))
    with pytest.raises(Blocked, match="being taken back"):
        intend_remedies(project, "W02", with_outage=True)
    assert [run.id for run, _ in intend_take_back(project, "W02")] == [going.run.id]
    assert history.attempts


def test_the_way_back_asks_for_consent_only_while_a_vm_would_go_down(project: Project) -> None:
    book = runbook()
    _, record = begin(project, book)
    play(book, record, until="v0/resume")
    check_outage_back(intend_take_back(project, "W02"), with_outage=False)  # it is down already
    record.append(Entry("v0/resume", Event.INTENT))
    record.append(Entry("v0/resume", Event.DONE, detail={"started": True}))
    going = intend_take_back(project, "W02")
    with pytest.raises(Blocked, match="needs an outage"):
        check_outage_back(going, with_outage=False)
    check_outage_back(going, with_outage=True)


# where the tasks stand


def test_a_task_stands_where_its_newest_word_says(project: Project) -> None:
    book = runbook()
    history, record = begin(project, book)
    play(book, record, until="v0/disk-mode")
    record.append(Entry("v0/disk-mode", Event.INTENT))
    mode = task_id("own.disk-mode", "id-a")
    assert task_states(project)[mode].state is TaskState.BEGUN
    record.append(Entry("v0/disk-mode", Event.FAILED, detail=FAILED))
    record.append(Entry("v0/disk-mode", Event.SKIPPED, detail=FAILED))
    found = task_states(project)
    assert found[mode].words == "not done: it said no"
    assert found[task_id("own.enable-cbt", "id-a")].state is TaskState.DONE
    assert found[task_id("own.by-hand", "id-c")].state is TaskState.OPEN
    ticks.tick(project, "W02", next(t for t in wave().tasks if t.id == mode), "ann", "by hand")
    assert task_states(project)[mode].state is TaskState.TICKED
    take_all_back(history, record)
    after = {item.task.id: item.state for item in wave_tasks(project, find_wave(project, "W02").wave)}
    assert after[task_id("own.enable-cbt", "id-a")] is TaskState.OPEN
    assert after[task_id("own.consolidate", "id-a")] is TaskState.DONE, "there is no way back from that"
    assert after[mode] is TaskState.TICKED


def test_done_tasks_are_left_out_of_the_next_run(project: Project) -> None:
    book = runbook(False)
    _, record = begin(project, book)
    play(book, record)
    assert intend_remedies(project, "W02") is None
    more = intend_remedies(project, "W02", with_outage=True)
    assert more is not None
    assert more.run is None
    assert {step.kind for step in more.history.runbook.steps if "tasks" in step.params} == NEED_OFF
