"""What the disks of a committed wave hold at its source: what was committed, or what ways home left there."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from migrate.run import store as runs
from migrate.run.history import Event, History
from migrate.run.store import RunKind
from migrate.steps.untouched import COMMITTED, LEFT_BEHIND

if TYPE_CHECKING:
    from planner.store.project import Project

_WRITING = frozenset({"transfer", "fold", "promote", "unfence"})


def left_behind(project: Project, wave: str) -> str:
    """Return what the sources of a committed wave hold now, by the ways home that were begun since."""
    out = runs.latest(project, wave)
    since = out.id if out is not None else 0
    mine = (run for run in runs.every(project, RunKind.FAILBACK) if run.wave == wave and run.id > since)
    return base_of(runs.history(project, run) for run in mine)


def base_of(ways_home: Iterable[History]) -> str:
    """Return ``COMMITTED`` unless a way home may have written to the disks themselves.

    What went through a journal that was never brought into them left them as they were.
    """
    for history in ways_home:
        behind = {
            volume
            for entry in history.entries
            if entry.event is Event.DONE and entry.detail.get("kept")
            for volume in history.runbook.step(entry.step).params.get("volumes", ())
        }
        for step in history.runbook.steps:
            through = step.kind == "transfer" and step.subject in behind
            if step.kind in _WRITING and history.tried(step.id) and not through:
                return LEFT_BEHIND
    return COMMITTED
