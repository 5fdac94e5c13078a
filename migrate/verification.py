"""Verify: hash the replicas of a wave again and hold them against what the record says.

A replica is compared with the newest checkpoint (or the cutover's comparison), one that is sent once
with its seed. One that its own VM has been writing since is not compared, nor one that is never sent,
and the answer says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from migrate.run import store as runs
from migrate.run.history import Event, History, Mode, Status
from migrate.run.store import Run
from migrate.transfers.newest import hash_newest
from planner.errors import NotFound
from planner.model import LeftOut, Sending
from planner.plan import PlannedDisk, Wave
from planner.store.project import Project

if TYPE_CHECKING:
    from migrate.sites.reached import Reached


class Verdict(StrEnum):
    """What a second look at a replica says."""

    EQUAL = "equal"
    DIFFERS = "differs"
    WRITTEN = "written by its VM since"
    NO_DIGEST = "no digest yet"
    MISSING = "is not there"
    LEFT_OUT = "left out by decision"
    SEEDED = "as its seed, left out since by decision"


@dataclass(frozen=True, slots=True)
class Verified:
    """One replica, looked at again."""

    disk: str
    volume: str
    verdict: Verdict
    recorded: str
    found: str
    recorded_by: str
    size_bytes: int
    left_out: LeftOut | None = None
    seeded_at: str = ""  # of a disk that is sent once: the instant its seed is of


def verify_wave(
    project: Project, wave: Wave, target: Reached, report: Callable[[str, int, int], None]
) -> tuple[Verified, ...]:
    """Look again at every replica of a wave; raises NotFound when it has no run."""
    run = runs.latest(project, wave.name)
    if run is None:
        raise NotFound(f"{wave.name} has no run, so there are no replicas", "run 'wherry replicate' first")
    history = runs.history(project, run)
    if history.mode is Mode.ABORT:
        raise NotFound(f"{wave.name} was aborted, so there are no replicas", "run 'wherry replicate' again")
    launched = {
        step.subject
        for step in history.runbook.steps
        if step.kind == "start" and history.status[step.id] is not Status.PENDING
    }
    found = (_look(wave, disk, history, launched, target, report) for disk in wave.disks)
    return tuple(
        replace(one, seeded_at=_seeded_at(project, run, history, one.volume)) if one.left_out else one
        for one in found
    )


def _look(
    wave: Wave,
    disk: PlannedDisk,
    history: History,
    launched: set[str],
    target: Reached,
    report: Callable[[str, int, int], None],
) -> Verified:
    holder = disk.attachments[0]
    name = f"{wave.vm(holder.vm).name} {holder.label}"
    recorded, by = _recorded(history, disk.volume)
    looked = Verified(name, disk.volume, Verdict.NO_DIGEST, recorded, "", by, disk.size_bytes, disk.decision)
    if disk.send is Sending.NEVER:
        return replace(looked, verdict=Verdict.LEFT_OUT)
    if not recorded:
        return looked
    if any(item.vm in launched for item in disk.attachments):
        return replace(looked, verdict=Verdict.WRITTEN)
    if target.volume(disk.volume) is None:
        return replace(looked, verdict=Verdict.MISSING)
    found = hash_newest(
        target,
        history,
        disk.volume,
        disk.size_bytes,
        lambda done: report(name, done, disk.size_bytes),
    )
    # Data behind the end of its source would be read by whoever gets the disk.
    same = found.digest == recorded and found.tail_zero
    good = Verdict.SEEDED if disk.left_out else Verdict.EQUAL
    return replace(looked, verdict=good if same else Verdict.DIFFERS, found=found.digest)


def _recorded(history: History, volume: str) -> tuple[str, str]:
    """Return the newest recorded digest of a volume and the step that proved it."""
    newest = ("", "")
    for step in history.runbook.steps:
        result = history.results.get(step.id, {})
        if step.kind == "checkpoint" and volume in result.get("digests", {}):
            newest = (result["digests"][volume], step.title)
        elif step.kind == "verify" and step.subject == volume and result:
            newest = (result["target"], step.title)
        elif step.kind == "transfer" and step.subject == volume and result and newest[0]:
            newest = ("", "")  # written since: the older digest no longer holds
    return newest


def _seeded_at(project: Project, run: Run, history: History, volume: str) -> str:
    """Return when the snapshot was taken that a volume was seeded from, empty when it was not."""
    seed = next(
        (step for step in history.runbook.steps if step.kind == "transfer" and step.subject == volume), None
    )
    if seed is None or seed.id not in history.results:
        return ""
    rows = project.rows(
        "SELECT at FROM step_record WHERE run = ? AND step = ? AND kind = ? ORDER BY seq DESC LIMIT 1",
        run.id,
        seed.params["snapshot"],
        Event.DONE,
    )
    return str(rows[0]["at"]) if rows else ""
