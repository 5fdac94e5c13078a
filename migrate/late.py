"""Why the copies of a wave are older than its plan allows: one clause for people, read from the record."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from migrate.run import cycles
from migrate.run.actions import Decide, next_actions
from migrate.run.history import Mode, Status
from migrate.run.runbook import GO
from migrate.waiting import clause, held_up, waiting
from planner.names import visible

if TYPE_CHECKING:
    from migrate.run.history import History
    from migrate.run.store import Run
    from planner.store.project import Project


def is_late(run: Run, history: History, copied_at: str, now: datetime) -> bool:
    """Return whether the copies of a wave that waits for its go, out or home, are older than was approved."""
    if not copied_at or not cycles.has_cycles(run, history) or history.mode is not Mode.FORWARD:
        return False
    target_s = cycles.target_s(history)
    age_s = (now - datetime.fromisoformat(copied_at)).total_seconds()
    return history.status[GO] is Status.PENDING and 0 < target_s < age_s


def why_late(project: Project, run: Run, history: History, running: bool) -> str:
    """Return the reason; ``running`` says that a process drives the run now."""
    from migrate.engine.presence import may_run

    if cycles.is_paused(project, run):
        return "it is paused"
    for action in next_actions(history.runbook, history):
        if isinstance(action, Decide):
            said = history.failures.get(action.step.id, {}).get("message", "")
            return f"the last delta failed: {visible(str(said), 200)}"
    if held := held_up(history):
        return f"a delta {clause(held)}"
    for one in waiting(history) if running else ():
        return f"its delta waits: {one.said}"
    if running:
        return "a delta is under way"
    if cycles.every(history) is None:
        return "the plan wants no deltas while it waits"
    if not may_run(project.run_dir):
        return "no engine is at work"
    return "the next delta has not begun"
