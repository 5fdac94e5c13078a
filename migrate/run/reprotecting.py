"""The first round of a wave's protection at its source: when it is tried again by itself after it failed.

Later rounds are cycles, which come again anyway. The first one has nothing that could get old, so what it
waits for is read from the record: a minute after it failed, then later and later, up to a quarter of an
hour. A pause by a person holds it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from migrate.run import controls, cycles, orders
from migrate.run import store as runs
from migrate.run.actions import Decide, next_actions
from migrate.run.history import Event, History, Mode, Status
from migrate.run.orders import REVERSE
from migrate.run.runbook import GO
from migrate.run.store import RunKind
from planner.store import plans

if TYPE_CHECKING:
    from migrate.run.orders import Order
    from migrate.run.store import Run
    from planner.store.project import Project

_FIRST, _LONGEST = timedelta(minutes=1), timedelta(minutes=15)
_COMMIT = "commit"


def again_at(project: Project, run: Run, history: History) -> datetime | None:
    """Return when a run home whose first round failed is tried again; None when it is not by itself."""
    if run.kind is not RunKind.FAILBACK or history.mode is not Mode.FORWARD:
        return None
    if history.status[GO] is not Status.PENDING or not cycles.has_cycles(run, history):
        return None
    actions = next_actions(history.runbook, history)
    failed = [action.step.id for action in actions if isinstance(action, Decide)]
    if not failed or not history.added.isdisjoint(failed) or cycles.is_paused(project, run):
        return None
    return datetime.fromisoformat(runs.last_at(project, run)) + _wait(history, failed[0])


def begins_at(project: Project, run: Run) -> datetime | None:
    """Return when protection that never began is ordered again for a committed run; None when it is not.

    The order that was to begin it failed, or an engine died before it was placed. One that a person gave
    up began, and is not begun again.
    """
    order = orders.newest(project, run.wave)
    if order is None or order.result is None or order.at < run.at or not _was_to_begin(order):
        return None
    home = runs.latest(project, run.wave, RunKind.FAILBACK)
    if home is not None and home.id > run.id:
        return None
    if controls.paused_since(project, run.wave) >= order.ended_at:
        return None
    if not plans.is_reversed(project, run.plan, run.wave):
        return None
    return datetime.fromisoformat(order.ended_at) + _FIRST


def is_first_failure(history: History, step: str) -> bool:
    """Return whether a step failed and nobody had it tried again yet."""
    return not _tries(history, step)


def _was_to_begin(order: Order) -> bool:
    is_refused = "error" in (order.result or {})
    return order.purpose == (REVERSE if is_refused else _COMMIT)


def _wait(history: History, step: str) -> timedelta:
    return min(_FIRST * (1 << min(_tries(history, step), 8)), _LONGEST)


def _tries(history: History, step: str) -> int:
    """Return how often it was asked for again: whoever drives it anew says so for all that failed."""
    return sum(entry.step == step and entry.event is Event.RETRY for entry in history.entries)
