"""Snapshots of a run's VMs that somebody else took: a backup job copies there, or a person keeps a point.

Two that copy one VM get into each other's way: what frees the space of one snapshot needs the other to
stand still, and a disk with a snapshot on it is not read as it is. So a run waits until it is gone, also
when it was there before the run began; or until a person has it overlooked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from planner.names import visible

if TYPE_CHECKING:
    from migrate.run.runbook import Step
    from migrate.sites.ports import FullSite, VMSnapshot
    from migrate.steps.kind import Context, Result

CHECK = "check"  # the step that looks first
SNAPSHOTS = "snapshots"  # of its result: the ids that were there, by VM


def standing(site: FullSite, vms: Iterable[str]) -> dict[str, list[str]]:
    """Return the ids of all snapshots that VMs have now; a VM without one is left out."""
    found = ((vm, [item.id for item in site.snapshots_of(vm)]) for vm in vms)
    return {vm: ids for vm, ids in found if ids}


def foreign(site: FullSite, vms: Iterable[str], run: str) -> Iterator[tuple[str, VMSnapshot]]:
    """Yield the VM and each snapshot of it that the run with that key did not take."""
    for vm in vms:
        for item in site.snapshots_of(vm):
            if not item.op.startswith(f"{run}/"):
                yield vm, item


def is_overlooked(requests: Iterable[Mapping[str, Any]], vm: str, snapshot: str) -> bool:
    """Return whether people asked for a run to go on beside that very snapshot, known by its id."""
    return any(snapshot in one["snapshots"].get(vm, ()) for one in requests)


def held_by(ctx: Context, step: Step) -> Result | None:
    """Return the first snapshot of the step's VMs that is neither the run's nor overlooked; or None.

    A run whose first step did not look, of an older release or recovered, waits for none.
    """
    if ctx.result(CHECK).get(SNAPSHOTS) is None:
        return None
    for vm, item in foreign(ctx.source, step.params["vms"], ctx.run):
        if not is_overlooked(ctx.history.overlooked.values(), vm, item.id):
            state = ctx.source.observe(vm)
            name = visible(state.name if state else vm, 80)
            return {"why": f"a foreign snapshot of {name}", "vm": vm, "snapshot": item.name}
    return None
