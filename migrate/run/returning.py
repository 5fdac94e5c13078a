"""The way home of a committed wave, as it stands: the run that committed it and the one that goes back.

    committed ─▶ no run home   or  one under way (protected, failing back)  or  one that is over

A run home is of kind ``failback``, of the wave and plan that the committed run began with, whatever a newer
plan says; its approval is theirs. One that was taken back counts as none: the wave is committed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.run import store as runs
from migrate.run.actions import Outcome
from migrate.run.history import History
from migrate.run.store import Run, RunKind
from migrate.run.waves import find_wave, newest_home
from planner.errors import Blocked
from planner.store import plans

if TYPE_CHECKING:
    from planner.plan import Wave
    from planner.store.plans import StoredPlan
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class Returning:
    """A committed wave. ``run`` is its newest run home that was not taken back, None for none."""

    stored: StoredPlan
    wave: Wave
    forward: History
    run: Run | None = None
    history: History | None = None

    @property
    def under_way(self) -> bool:
        """True while a run home has begun and is not over."""
        return self.history is not None and runs.outcome(self.history) is None

    @property
    def is_home(self) -> bool:
        """True when the wave runs at its source again and the target is fenced."""
        return self.history is not None and runs.outcome(self.history) is Outcome.COMMITTED


def find_returning(project: Project, name: str) -> Returning | None:
    """Return how a wave that was committed goes or went home, case ignored; None for any other wave."""
    rows = project.rows("SELECT DISTINCT wave FROM run WHERE kind = ?", RunKind.WAVE.value)
    names = [str(row["wave"]) for row in rows]
    known = name if name in names else next((one for one in names if one.casefold() == name.casefold()), None)
    run = runs.latest(project, known) if known is not None else None
    if run is None:
        return None
    forward = runs.history(project, run)
    if runs.outcome(forward) is not Outcome.COMMITTED:
        return None
    stored = plans.get(project, run.plan)
    back = newest_home(project, run) or (None, None)
    return Returning(stored, stored.plan.wave(run.wave), forward, *back)


def need_returning(project: Project, name: str) -> Returning:
    """Return a committed wave that is not home yet; raises NotFound, Blocked with what to do instead."""
    found = find_returning(project, name)
    if found is None:
        wave = find_wave(project, name).wave.name
        raise Blocked(
            f"{wave} is not committed, so there is nothing to come back from",
            "before commit the way back is 'wherry rollback'",
        )
    if found.is_home:
        raise Blocked(f"{found.wave.name} came back already", "see 'wherry status'")
    return found
