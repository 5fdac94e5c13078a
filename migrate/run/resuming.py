"""Going on: which verb takes a run further from where it stands, forward to its next gate or back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.run.execute import HOMEWARD, Purpose
from migrate.run.history import History, Mode, Status
from migrate.run.runbook import COMMIT, GO
from migrate.run.store import RunKind

if TYPE_CHECKING:
    from migrate.run.store import Run
    from planner.store.project import Project


def goes_on(project: Project, run: Run, history: History) -> Purpose:
    """Return the verb that goes on with a run; before its go gate the last one that was ordered counts."""
    if history.mode is not Mode.FORWARD:
        return Purpose(history.mode.value)
    if history.status[COMMIT] is Status.DONE:
        return Purpose.COMMIT
    home = run.kind is RunKind.FAILBACK
    if history.status[GO] is Status.DONE:
        return Purpose.FAILBACK if home else Purpose.CUTOVER
    ordered = project.rows(
        "SELECT purpose FROM work_order WHERE wave = ? AND at >= ? ORDER BY id DESC LIMIT 1", run.wave, run.at
    )
    forward = HOMEWARD if home else {Purpose.REPLICATE, Purpose.CUTOVER}
    if ordered and ordered[0]["purpose"] in forward:  # it may be another one, of remedies that were refused
        return Purpose(ordered[0]["purpose"])
    return Purpose.REVERSE if home else Purpose.REPLICATE
