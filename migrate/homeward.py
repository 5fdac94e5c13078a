"""What a failback would take, from what is on record: how much is copied before it, how long it is down.

    committed ── everything is compared, what differs comes back ──┐
    reverse protected ── what the last round found ────────────────┴──▶ stop, last delta, compare, start

A guess from the record and the plan; no site is asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.gates.way_back import going_back
from migrate.run import store as runs
from migrate.run.history import History, Status
from migrate.run.returning import find_returning
from planner.estimate import CASES, COMPARE_BYTES_S, goodput_bytes_s
from planner.store import settings as settings_store

if TYPE_CHECKING:
    from datetime import datetime

    from migrate.run.store import Run
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class WayHome:
    """A failback as it would go now. Pairs are P50 and P95 in seconds.

    ``before_s`` is what is done while the VMs still run at the target, ``down_s`` what the plan expected of
    the way out, ``took_s`` how long its longest outage then was, None where no VM was on. ``round_bytes`` is
    what the last whole reverse round brought back, None before the first. ``fenced`` of ``sources`` VMs
    are fenced at the source.
    """

    size_bytes: int
    protected: bool
    round_bytes: int | None
    before_s: tuple[float, float]
    down_s: tuple[float, float]
    took_s: float | None
    fenced: int
    sources: int


def way_home(project: Project, wave: str, now: datetime) -> WayHome | None:
    """Return what a failback of a committed wave would take, None for one that is not, or is home again.

    Before it all disks are read at both sites and compared (``planner.estimate.COMPARE_BYTES_S``) unless
    reverse rounds did so; then what a round brings goes over the line.
    """
    found = find_returning(project, wave)
    if found is None or found.is_home:
        return None
    forward = found.forward
    link = settings_store.load(project).link
    size = sum(disk.size_bytes for disk in found.wave.disks)
    last = _last_round(found.history) if found.history is not None else None
    to_compare = 0 if last is not None else size
    rate = goodput_bytes_s(link)
    before = tuple(
        to_compare / COMPARE_BYTES_S[at] + (last or 0) * more / (rate * slow)
        for at, (slow, more) in enumerate(CASES)
    )
    fences = [step for step in forward.runbook.steps if step.kind == "fence"]
    took = going_back(project, _run_of(project, found.wave.name), forward, now).down_s
    down = found.wave.estimate.downtime_min
    return WayHome(
        size,
        last is not None,
        last,
        (before[0], before[1]),
        (down.p50 * 60, down.p95 * 60),
        took,
        sum(forward.status[step.id] is Status.DONE for step in fences),
        len(fences),
    )


def _run_of(project: Project, wave: str) -> Run:
    run = runs.latest(project, wave)
    assert run is not None, "a wave that was committed had a run"
    return run


def _last_round(history: History) -> int | None:
    """Return the bytes of the newest delta of each disk that has one, None before the first."""
    newest: dict[str, int] = {}
    for step in history.runbook.steps:  # in order: later rounds replace earlier ones
        if step.kind == "transfer" and step.id in history.results:
            newest[step.params["volume"]] = int(history.results[step.id].get("data_bytes", 0))
    return sum(newest.values()) if newest else None
