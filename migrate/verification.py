"""Verify: hash the replicas of a wave again and hold them against what the record says.

A replica is compared with the newest checkpoint (or the cutover's comparison). One that its own VM
has been writing since is not compared, and the answer says so.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum

from migrate.replication.hashing import hash_disk
from migrate.run import store as runs
from migrate.run.history import History, Mode, Status
from migrate.sites.ports import FullSite
from planner.errors import NotFound
from planner.plan import PlannedDisk, Wave
from planner.store.project import Project


class Verdict(StrEnum):
    """What a second look at a replica says."""

    EQUAL = "equal"
    DIFFERS = "differs"
    WRITTEN = "written by its VM since"
    NO_DIGEST = "no digest yet"
    MISSING = "is not there"


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


def verify_wave(
    project: Project, wave: Wave, target: FullSite, report: Callable[[str, int, int], None]
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
    return tuple(_look(wave, disk, history, launched, target, report) for disk in wave.disks)


def _look(
    wave: Wave,
    disk: PlannedDisk,
    history: History,
    launched: set[str],
    target: FullSite,
    report: Callable[[str, int, int], None],
) -> Verified:
    holder = disk.attachments[0]
    name = f"{wave.vm(holder.vm).name} {holder.label}"
    recorded, by = _recorded(history, disk.volume)
    if not recorded:
        return Verified(name, disk.volume, Verdict.NO_DIGEST, "", "", "", disk.size_bytes)
    if any(item.vm in launched for item in disk.attachments):
        return Verified(name, disk.volume, Verdict.WRITTEN, recorded, "", by, disk.size_bytes)
    if target.volume(disk.volume) is None:
        return Verified(name, disk.volume, Verdict.MISSING, recorded, "", by, disk.size_bytes)
    with closing(target.open_read(disk.volume)) as replica:
        found = hash_disk(
            replica,
            size_bytes=disk.size_bytes,
            progress=lambda done: report(name, done, disk.size_bytes),
        )
    # Data behind the end of its source would be read by whoever gets the disk.
    same = found.digest == recorded and found.tail_zero
    verdict = Verdict.EQUAL if same else Verdict.DIFFERS
    return Verified(name, disk.volume, verdict, recorded, found.digest, by, disk.size_bytes)


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
