"""What is the matter with a run beside its state, read from its record, its settings and requests."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.run.actions import Decide, Finish, Wait, next_actions
from migrate.run.history import History
from migrate.states import Flag
from planner.store import settings as settings_store
from planner.store.project import Project


def lacks_a_site(project: Project) -> bool:
    """Return whether the settings do not name a source and a target."""
    sites = settings_store.glance(project, "sites", {})
    return not {"source", "target"} <= {str(site.get("role", "")) for site in sites.values()}


def breach(late: bool, short: str) -> tuple[Flag, ...]:
    """Return the flags of copies that are older than was approved, and of a history that is shorter."""
    return (*((Flag.RPO_BREACH,) if late else ()), *((Flag.HISTORY_BREACH,) if short else ()))


def flags_of(history: History, running: bool, paused: bool) -> Iterator[Flag]:
    """Yield what is the matter with a run beside its state."""
    actions = next_actions(history.runbook, history)
    if any(isinstance(action, Finish) for action in actions):
        return
    if paused:
        yield Flag.PAUSED
    elif not running and any(not isinstance(action, Wait | Decide) for action in actions):
        yield Flag.STALLED
    if any(isinstance(action, Decide) for action in actions):
        yield Flag.FAILED
