"""When the copies of a wave that got too old are within their target again.

    a round under way   ends as its disks say, or as the last ones took: then they are as old as its snapshot
    none under way      one that begins now and takes as long, where an engine is there to begin it
    in its way          nobody knows when, and the reason is said

A round that takes longer than the target makes them no younger than it took: then that is said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import TYPE_CHECKING

from migrate.run import cycles
from migrate.run.history import Status
from planner.names import visible
from planner.units import show_duration

if TYPE_CHECKING:
    from migrate.run.history import History
    from migrate.run.store import Run
    from migrate.wave_status import WaveStatus
    from planner.store.project import Project

_LAST = 5  # rounds that are looked at
_LONGER = 2  # times as long as the longest of them: then they say nothing of the one under way


@dataclass(frozen=True, slots=True)
class Rounds:
    """The rounds of a wave that is late. ``begun_at`` is the instant of the one under way, ISO 8601 in UTC.

    ``waiting`` of its passes have not begun. ``took_s`` is how long the last whole ones took, median and
    longest in seconds, None before the first. ``blocked`` is what keeps a round from going on, empty for
    nothing.
    """

    begun_at: str
    waiting: int
    took_s: tuple[float, float] | None
    blocked: str


@dataclass(frozen=True, slots=True)
class Again:
    """When the copies are within their target again, P50 and P95; None where it is not by this round.

    ``why`` is the reason then, else on what it rests.
    """

    p50: datetime | None
    p95: datetime | None
    why: str

    def as_json(self) -> dict[str, str | None]:
        """Return it for ``--json``; times are ISO 8601 in UTC."""
        p50, p95 = (at.isoformat() if at is not None else None for at in (self.p50, self.p95))
        return {"p50": p50, "p95": p95, "why": self.why}


def rounds_of(
    project: Project, run: Run, history: History, times: Mapping[tuple[int, str], str], blocked: str
) -> Rounds:
    """Return the rounds of a run; ``times`` is ``cycles.times_of``."""
    taken = [
        step
        for step in history.runbook.steps
        if step.kind == "snapshot"
        and history.status[step.id] is Status.DONE
        and step.id not in history.given_up
        and not cycles.is_whole(history, step)
    ]
    passes = [history.runbook.step(user) for step in taken for user in history.runbook.dependents[step.id]]
    waiting = sum(one.kind == "transfer" and history.status[one.id] is Status.PENDING for one in passes)
    whole = [one for one in cycles.cycles_of(project, run, history) if one.number and one.ended_at]
    lengths = [
        (datetime.fromisoformat(one.ended_at) - datetime.fromisoformat(one.instant)).total_seconds()
        for one in whole[-_LAST:]
        if one.instant
    ]
    begun = min((times.get((run.id, step.id), "") for step in taken), default="")
    return Rounds(begun, waiting, (median(lengths), max(lengths)) if lengths else None, blocked)


def within_again(status: WaveStatus, lefts: Mapping[str, tuple[float, float]], now: datetime) -> Again | None:
    """Return when a wave's copies are within their target again, None for one that is not late.

    ``lefts`` is how long disks under way say that they take, P50 and P95 in seconds, by volume.
    """
    rounds = status.rounds
    if rounds is None:
        return None
    if rounds.blocked:
        return Again(None, None, rounds.blocked)
    says = bool(rounds.begun_at and lefts) and not rounds.waiting
    if not says and rounds.took_s is None:
        return Again(None, None, "no round of it is whole yet, so nobody knows how long one takes")
    instant = datetime.fromisoformat(rounds.begun_at) if rounds.begun_at else now
    if not says and rounds.begun_at and rounds.took_s is not None:
        usual_s = max(_LONGER * rounds.took_s[1], 60.0)
        if (now - instant).total_seconds() > usual_s:
            return Again(
                None, None, "this round takes longer than the last ones, and not all its disks say how long"
            )
    ends: list[datetime] = []
    for case in (0, 1):
        by_disks = now + timedelta(seconds=max((left[case] for left in lefts.values()), default=0.0))
        by_rounds = instant + timedelta(seconds=rounds.took_s[case]) if rounds.took_s is not None else now
        ends.append(by_disks if says else max(by_disks, by_rounds))
    target = timedelta(seconds=status.rpo_s)
    p50, p95 = (end if end - instant <= target else None for end in ends)
    if p50 is None:
        old = show_duration(round((ends[0] - instant).total_seconds()))
        return Again(None, None, f"the round takes {old}, longer than the target")
    return Again(p50, p95, "as its disks say" if says else "as its last rounds took")


def words(again: Again) -> str:
    """Return it as a clause, to the minute."""
    if again.p50 is None:
        return f"it cannot be said when: {visible(again.why, 200)}"
    late = f"{again.p95:%H:%M} UTC by P95" if again.p95 is not None else "by P95 not with this round"
    return f"at {again.p50:%H:%M} UTC, {late}, {again.why}"
