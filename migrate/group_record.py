"""What the record of a run knows of one group: what its rounds found changed, which of them were proven.

Of rounds that were put away it knows how much they found, and not which were proven.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from migrate.run.cycles import away_of
from migrate.run.history import Event
from migrate.run.runbook import part_of

if TYPE_CHECKING:
    from migrate.run.history import History
    from migrate.run.store import Run
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a group: when its snapshot was taken, what was read of it, and what went over the line."""

    at: datetime
    data_bytes: int
    wire_bytes: int


def rounds_told(project: Project, run: Run, history: History, part: str) -> tuple[Round, ...]:
    """Return the rounds of the group ``part`` (g0, g1 ...), oldest first, seeds and those put away too."""
    rows = project.rows(
        "SELECT step, max(at) AS at FROM step_record WHERE run = ? AND kind = ? GROUP BY 1",
        *(run.id, Event.DONE.value),
    )
    times = {row["step"]: datetime.fromisoformat(row["at"]) for row in rows}
    found = {
        datetime.fromisoformat(one.instant): [one.data_bytes, one.wire_bytes]
        for one in away_of(project, run)
        if one.part == part and one.instant
    }
    for step in history.runbook.steps:
        told = history.results.get(step.id, {})
        if step.kind != "transfer" or part_of(step.id) != part or "data_bytes" not in told:
            continue
        at = times.get(step.params.get("snapshot") or step.id) or times.get(step.id)
        if at is not None:
            sums = found.setdefault(at, [0, 0])
            sums[0] += int(told["data_bytes"])
            sums[1] += int(told.get("wire_bytes", 0))
    return tuple(Round(at, *sums) for at, sums in sorted(found.items()))


def proven_cycles(history: History, part: str) -> frozenset[str]:
    """Return how the cycles end whose copies were compared with their snapshot, byte for byte."""
    found = (
        history.results.get(step.params["snapshot"], {}).get("id", "")
        for step in history.runbook.steps
        if step.kind == "checkpoint" and part_of(step.id) == part and step.id in history.results
    )
    return frozenset(f"{part}/{snapshot}" for snapshot in found if snapshot)
