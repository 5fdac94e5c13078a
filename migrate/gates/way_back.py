"""What going back costs now: which way there is, what it would undo, how long users were without a VM.

    before the go gate is passed   abort     nothing was stopped, snapshots and replicas go
    after it                       rollback  what the target wrote is kept as a checkpoint, then discarded
    once commit is passed          none      the way back is failback

Read from the record of steps; only what the target wrote is asked of the target, and None is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from migrate.run import store as runs
from migrate.run.actions import check_rollback
from migrate.run.history import Event, History, Status
from migrate.run.runbook import Phase, Step
from migrate.run.wayback import UNDONE_PHASES
from migrate.sites.ports import ChangeId
from planner.errors import Blocked, WherryError

if TYPE_CHECKING:
    from migrate.run.store import Run
    from migrate.sites.ports import FullSite
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class GoingBack:
    """The way back of a run. Times are ISO 8601 in UTC, empty where it did not come to that.

    ``verb`` is ``abort``, ``rollback`` or ``failback``. ``down_s`` is how long the VM that is or was
    down longest was so. ``written_bytes`` is what the site where it came to (``wrote``, source or
    target) wrote since ``on_since``.
    """

    verb: str
    steps: tuple[Step, ...]
    down_since: str = ""
    down_s: float | None = None
    on_since: str = ""
    written_bytes: int | None = None
    wrote: str = "target"


def going_back(
    project: Project, run: Run, history: History, now: datetime, upto: int = runs.ENDLESS
) -> GoingBack:
    """Return what going back from here costs, without asking a site: ``written_bytes`` is 0 or unknown.

    ``upto`` is the last entry of the record that counts, and ``now`` then a past moment.
    """
    times = last_times(project, run.id, upto)
    verb = way_back(history)
    on_since = min((times[step.id, Event.DONE] for step in _done(history, "start")), default="")
    down_since, down_s = _down(history, times, now)
    return GoingBack(
        verb,
        _undone(history, verb),
        down_since,
        down_s,
        on_since,
        None if on_since else 0,
        "source" if run.kind is runs.RunKind.FAILBACK else "target",
    )


def way_back(history: History) -> str:
    """Return the verb that goes back from where a run stands."""
    try:
        check_rollback(history)
    except Blocked:
        committed = any(
            step.phase is Phase.COMMIT and history.status[step.id] is not Status.PENDING
            for step in history.runbook.steps
        )
        return "failback" if committed else "abort"
    return "rollback"


def written(target: FullSite, history: History) -> int | None:
    """Return how many bytes the target wrote since the mark before its first start, by its change maps.

    None when one of its disks keeps no map; a rollback then compares it with the source.
    """
    total = 0
    for step in _done(history, "mark"):
        for volume, mark in history.results[step.id].get("changes", {}).items():
            areas = target.changed_areas(volume, ChangeId.parse(mark)) if mark else None
            if areas is None:
                return None
            total += sum(area.length for area in areas)
    return total


def ask_target(project: Project, history: History, *, homeward: bool = False) -> int | None:
    """Return ``written`` of the site that the run reaches, None when it does not answer.

    A run that goes ``homeward`` reaches the source of the plan.
    """
    from contextlib import closing

    from migrate.sites.opening import open_site
    from planner.store import settings

    role = "source" if homeward else "target"
    try:
        with closing(open_site(settings.load(project), role, project.root)) as target:
            return written(target, history)
    except WherryError:
        return None


def _done(history: History, kind: str) -> list[Step]:
    return [
        step for step in history.runbook.steps if step.kind == kind and history.status[step.id] is Status.DONE
    ]


def _undone(history: History, verb: str) -> tuple[Step, ...]:
    """Return the steps that going back would undo, in the order in which it would."""
    phases = UNDONE_PHASES.get(verb, frozenset())
    return tuple(
        step
        for step in reversed(history.runbook.steps)
        if step.phase in phases
        and step.undoable
        and history.tried(step.id)
        and history.status[step.id] is not Status.UNDONE
    )


def last_times(project: Project, run: int, upto: int = runs.ENDLESS) -> dict[tuple[str, str], str]:
    """Return the last time of each event of each step, of the entries up to that number."""
    rows = project.rows(
        "SELECT step, kind, max(at) AS at FROM step_record WHERE run = ? AND seq <= ? GROUP BY 1, 2",
        *(run, upto),
    )
    return {(row["step"], row["kind"]): row["at"] for row in rows}


def _down(history: History, times: dict[tuple[str, str], str], now: datetime) -> tuple[str, float | None]:
    """Return since when VMs are down, and how long the one that is or was down longest."""
    probed = {
        step.subject: times[step.id, Event.DONE]
        for step in history.runbook.steps
        if step.kind == "probe" and (step.id, Event.DONE) in times
    }
    since, longest = "", None
    for step in history.runbook.steps:
        stopped = times.get((step.id, Event.INTENT), "")
        if step.kind != "stop" or not stopped or not step.params.get("was_on"):
            continue
        until = datetime.fromisoformat(probed[step.subject]) if step.subject in probed else now
        lasted = (until - datetime.fromisoformat(stopped)).total_seconds()
        since = min(filter(None, (since, stopped)))
        longest = max(lasted, longest or 0.0)
    return since, longest
