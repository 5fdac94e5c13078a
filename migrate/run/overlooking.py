"""Snapshots of others beside which a person has a run go on: those that stand there now, by their ids.

A run waits for every snapshot that it did not take. One that stays, somebody's checkpoint or what a backup
job left behind, is overlooked with a reason; one that comes later is waited for like any. Who drives the
run takes the request up where it waits, and puts it into the record.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.run import controls
from migrate.run import store as runs
from migrate.run.history import History, Mode
from migrate.run.levers import kept_reason
from migrate.run.store import RunKind
from migrate.steps.foreign import CHECK, foreign, is_overlooked
from planner.errors import Blocked
from planner.names import visible
from planner.store import settings as settings_store

if TYPE_CHECKING:
    from migrate.run.store import Run
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class Foreign:
    """A snapshot of somebody else; names are harmless to print. ``overlooked``: a run goes on beside it."""

    vm: str
    vm_name: str
    snapshot: str
    name: str
    overlooked: bool


def foreign_now(project: Project, run: Run, history: History) -> tuple[Foreign, ...]:
    """Return what others have at the site that a run leaves, by its VMs; raises Unreachable, Blocked.

    Only looks.
    """
    from migrate.sites.opening import open_site

    role = "target" if run.kind is RunKind.FAILBACK else "source"
    asked = controls.overlooked(project, run.wave, run.id)
    names = {vm: visible(name, 80) for vm, name, *_ in history.runbook.step(CHECK).params["vms"]}
    with closing(open_site(settings_store.load(project), role, project.root)) as site:
        return tuple(
            Foreign(vm, names[vm], item.id, visible(item.name, 80), is_overlooked(asked, vm, item.id))
            for vm, item in foreign(site, names, runs.key_of(project, run))
        )


def check(run: Run, history: History, found: tuple[Foreign, ...], reason: str) -> str:
    """Return the reason as it is kept; raises Blocked when a run waits for none of ``found``, BadInput."""
    if history.mode is not Mode.FORWARD:
        raise Blocked(
            f"{run.wave} is on its way back, where no snapshot is waited for", "see 'wherry status'"
        )
    if all(one.overlooked for one in found):
        why = "those there are were overlooked before" if found else "nobody else has one"
        raise Blocked(f"{run.wave} waits for no foreign snapshot: {why}", "see 'wherry status'")
    return kept_reason(f"the foreign snapshots of {run.wave} are not overlooked", reason)


def overlook(
    project: Project, run: Run, history: History, found: tuple[Foreign, ...], reason: str
) -> tuple[Foreign, ...]:
    """Have a run go on beside those of ``found`` that it waits for, and return them; raises as ``check``."""
    reason = check(run, history, found, reason)
    wanted = tuple(one for one in found if not one.overlooked)
    snapshots: dict[str, list[str]] = {}
    for one in wanted:
        snapshots.setdefault(one.vm, []).append(one.snapshot)
    controls.ask_to_overlook(project, run.wave, run.id, snapshots, reason)
    return wanted
