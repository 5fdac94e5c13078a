"""What users feel of a run: which groups are up where, and since when others are down.

Read from the record: a VM is down from the moment it is told to stop until it was probed at the other side;
where nothing probes it, until it was started there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from migrate.run.history import SETTLED, Event, History, Status
from migrate.run.runbook import Step

if TYPE_CHECKING:
    from planner.plan import Wave

Times = Mapping[tuple[str, str], str]  # the last time of each event of each step


class Where(StrEnum):
    """Where users find a group; ``HERE`` is where the run begins, ``THERE`` where it leads."""

    HERE = "here"
    DOWN = "down"
    THERE = "there"
    BACK = "back"  # here again
    OFF = "off"  # it was not running before


@dataclass(frozen=True, slots=True)
class Felt:
    """One group. ``since`` is ISO 8601 in UTC, empty where nothing happened yet.

    ``down`` of its ``vms`` are down now. ``down_s`` is how long the VM that is or was down longest was so.
    """

    group: str
    vms: int
    where: Where
    since: str = ""
    down: int = 0
    down_s: float | None = None


def felt(wave: Wave, history: History, times: Times, now: datetime) -> tuple[Felt, ...]:
    """Return what users feel of each group of a wave, in its order."""
    by_subject: dict[str, dict[str, Step]] = {}
    for step in history.runbook.steps:
        if step.kind in ("stop", "start", "probe"):
            by_subject.setdefault(step.subject, {}).setdefault(step.kind, step)
    return tuple(
        _group(
            group.name,
            len(group.vms),
            [_vm(by_subject.get(vm, {}), history, times, now) for vm in group.vms],
        )
        for group in wave.groups
    )


def _group(name: str, vms: int, found: Sequence[tuple[Where, str, float | None]]) -> Felt:
    lasted = max((one[2] for one in found if one[2] is not None), default=None)
    for where in (Where.DOWN, Where.BACK, Where.THERE, Where.HERE):
        since = [one[1] for one in found if one[0] is where]
        if since:  # one that is down counts for all; else the last that came up
            at = min(since) if where is Where.DOWN else max(since)
            return Felt(name, vms, where, at, len(since) if where is Where.DOWN else 0, lasted)
    return Felt(name, vms, Where.OFF)


def _vm(
    steps: Mapping[str, Step], history: History, times: Times, now: datetime
) -> tuple[Where, str, float | None]:
    stop = steps.get("stop")
    if stop is None or not stop.params.get("was_on"):
        return Where.OFF, "", None
    stopped = times.get((stop.id, Event.INTENT), "")
    if not stopped:
        return Where.HERE, "", None
    if history.status[stop.id] is Status.UNDONE:
        back = times.get((stop.id, Event.UNDONE), "")
        return Where.BACK, back, _between(stopped, back)
    up = steps.get("probe") or steps.get("start")
    if up is not None and history.status[up.id] in SETTLED and not _is_taken_back(steps, history):
        at = times.get((up.id, Event.DONE), "") or times.get((up.id, Event.SKIPPED), "")
        return Where.THERE, at, _between(stopped, at)
    return Where.DOWN, stopped, (now - datetime.fromisoformat(stopped)).total_seconds()


def _is_taken_back(steps: Mapping[str, Step], history: History) -> bool:
    """Return whether the start at the other side is being undone: it runs there no more."""
    start = steps.get("start")
    return start is not None and history.status[start.id] not in SETTLED


def _between(begun: str, ended: str) -> float | None:
    if not ended:
        return None
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds()
