"""Where the tasks of a plan stand: by the runs of remedies, by people's ticks, by the newest inventory.

A run or a tick counts until an inventory that was taken after it has the same finding again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from migrate.run import store as runs
from migrate.run.history import Event, History, Status
from migrate.run.store import Run, RunKind
from planner.checks.estate import moment
from planner.plan import PlannedTask, Wave
from planner.store import inventories, plans, ticks
from planner.store.project import Project


class TaskState(StrEnum):
    """Where a task stands."""

    OPEN = "open"
    BEGUN = "begun"  # a run is in the middle of it
    FAILED = "not done"  # a run passed it over
    DONE = "done"
    TICKED = "ticked off"

    @property
    def is_over(self) -> bool:
        """True when nothing is left to do."""
        return self in (TaskState.DONE, TaskState.TICKED)


@dataclass(frozen=True, slots=True)
class TaskStatus:
    """A task and where it stands. ``said`` is who and when, or why not; it may hold people's text."""

    wave: str
    task: PlannedTask
    state: TaskState = TaskState.OPEN
    said: str = ""

    @property
    def words(self) -> str:
        """The state with what is to be said of it."""
        return f"{self.state.value}: {self.said}" if self.said else self.state.value


@dataclass(frozen=True, slots=True)
class _Word:
    """What a run or a person said of a task, and when."""

    state: TaskState
    said: str
    at: str


def task_states(project: Project) -> dict[str, TaskStatus]:
    """Return every task of the newest plan by id; costs one read of each run of remedies."""
    words = _words(project)
    stored = plans.latest(project)
    seen_at = _seen_at(inventories.find_fingerprint(project, stored.plan.inventory))
    return {
        task.id: _status(wave, task, words.get(task.id), seen_at)
        for wave in stored.plan.waves
        for task in wave.tasks
    }


def wave_tasks(project: Project, wave: Wave) -> tuple[TaskStatus, ...]:
    """Return the tasks of a wave and where they stand, in the plan's order."""
    states = task_states(project)
    return tuple(states.get(task.id, TaskStatus(wave.name, task)) for task in wave.tasks)


def _seen_at(head: inventories.Summary | None) -> datetime:
    """Return when an estate was seen: when it says so, but not after it was stored."""
    if head is None:
        return datetime.min.replace(tzinfo=UTC)
    stored_at = datetime.fromisoformat(head.stored_at)
    return min(moment(head.taken_at) or stored_at, stored_at)


def _status(wave: Wave, task: PlannedTask, word: _Word | None, seen_at: datetime) -> TaskStatus:
    if word is None:
        return TaskStatus(wave.name, task)
    if word.state.is_over and datetime.fromisoformat(word.at) <= seen_at:
        return TaskStatus(wave.name, task, TaskState.OPEN, f"found again after it was {word.state.value}")
    return TaskStatus(wave.name, task, word.state, word.said)


def _words(project: Project) -> dict[str, _Word]:
    """Return the newest word on each task."""
    words: dict[str, _Word] = {}
    for run in runs.every(project, RunKind.REMEDY):
        history = runs.history(project, run)
        for task, word in _of_run(run, history, _times(project, run)):
            if word is None:
                words.pop(task, None)
            else:
                words[task] = word
    for task, item in ticks.newest(project).items():
        known = words.get(task)
        if known is None or not known.state.is_over or known.at < item.at:
            note = f": {item.note}" if item.note else ""
            words[task] = _Word(TaskState.TICKED, f"{item.who}, {item.at[:16]}{note}", item.at)
    return words


def _of_run(run: Run, history: History, times: dict[str, str]) -> Iterator[tuple[str, _Word | None]]:
    """Yield what a run says of each of its tasks; None when it took it back or never began it."""
    for step in history.runbook.steps:
        at = times.get(step.id, run.at)
        word: _Word | None
        match history.status[step.id]:
            case Status.DONE:
                word = _Word(TaskState.DONE, f"by {run.who}, {at[:16]}", at)
            case Status.SKIPPED | Status.FAILED:
                why = history.failures.get(step.id, {})
                word = _Word(TaskState.FAILED, str(why.get("message", "")), at)
            case Status.STARTED | Status.UNDOING | Status.UNDO_FAILED:
                word = _Word(TaskState.BEGUN, f"by {run.who}, {at[:16]}", at)
            case Status.PENDING:
                continue
            case Status.UNDONE:
                kept = history.undone.get(step.id, {}).get("why")
                word = _Word(TaskState.DONE, f"not taken back: {kept}", at) if kept else None
        for task in step.params.get("tasks", ()):
            yield task, word


def _times(project: Project, run: Run) -> dict[str, str]:
    """Return when each step of a run was done, or else last heard of."""
    rows = project.rows("SELECT step, kind, at FROM step_record WHERE run = ? ORDER BY seq", run.id)
    times: dict[str, str] = {}
    done: dict[str, str] = {}
    for row in rows:
        (done if row["kind"] == Event.DONE else times)[row["step"]] = row["at"]
    return times | done
