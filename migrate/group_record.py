"""What the record of a run knows of one group: what its rounds found changed, which of them were proven.

Rounds that were put away are told too; which of those were proven is not known of an older wherry's.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from migrate.run.cycles import away_of, proven_by
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


def proven_cycles(project: Project, run: Run, history: History, part: str) -> frozenset[str]:
    """Return how the cycles end whose copies were compared with their snapshot, byte for byte."""
    found = [one.proven for one in away_of(project, run) if one.part == part]
    found += [
        proven_by(history, step)
        for step in history.runbook.steps
        if step.kind == "snapshot" and part_of(step.id) == part
    ]
    return frozenset(f"{part}/{snapshot}" for snapshot in found if snapshot)


def proven_of(project: Project, title: str) -> frozenset[str]:
    """Return the same of the group WAVE/GROUP, by the run that copies it now; raises NotFound."""
    from migrate.run.returning import find_returning
    from migrate.run.wave_groups import one_named
    from migrate.run.waves import find_wave

    group = one_named(project, title)
    wave = group.title.partition("/")[0]
    standing = find_returning(project, wave) if group.side == "source" else find_wave(project, wave)
    if standing is None or standing.run is None or standing.history is None:
        return frozenset()
    return proven_cycles(project, standing.run, standing.history, group.part)


def is_proven(cycle: str, proven: AbstractSet[str]) -> bool:
    """Return whether a checkpoint's cycle is one of those."""
    return any(cycle.endswith(f"/{one}") for one in proven)
