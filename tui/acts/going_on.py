"""Going on with the run of a wave that is under way: which run, by which verb, and how a person says it.

The verbs and the screens ask the same functions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.run.execute import Purpose
    from migrate.run.history import History
    from migrate.run.store import Run
    from planner.store.project import Project


def opened(project: Project, wave: str) -> tuple[Run, History]:
    """Return the run of a wave that is under way, of its remedies when it has none itself; raises Blocked."""
    from migrate.gates.seeing import under_way
    from migrate.run.waves import find_wave, remedies_under_way

    return remedies_under_way(project, find_wave(project, wave).wave.name) or under_way(project, wave)


def way_on(project: Project, wave: str) -> tuple[str, Purpose]:
    """Return a wave's name and the verb that goes on with its run; raises Blocked also for remedies."""
    from migrate.run.resuming import goes_on
    from migrate.run.store import RunKind
    from planner.errors import Blocked

    run, history = opened(project, wave)
    if run.kind is RunKind.REMEDY:
        raise Blocked(
            f"what is under way of {run.wave} are its remedies, and outages are agreed to in their verb",
            f"go on with '{how_on(project, run)}'",
        )
    return run.wave, goes_on(project, run, history)


def how_on(project: Project, run: Run) -> str:
    """Return the command that goes on with a run; that of remedies is where outages are agreed to."""
    from migrate.run.store import RunKind
    from migrate.run.waves import half_remedied

    own = half_remedied(project, run.wave) if run.kind is RunKind.REMEDY else ""
    return own or f"wherry run resume {run.wave} --live"
