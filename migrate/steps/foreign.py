"""Snapshots of a run's VMs that somebody else took: a backup job copies there, or a person keeps a point.

Two that copy one VM get into each other's way: what frees the space of one snapshot needs the other to
stand still, and a disk with a snapshot on it is not read as it is. So a run waits until it is gone. One
that was there when the run's first step looked is known: the checks of the plan speak of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from planner.names import visible

if TYPE_CHECKING:
    from migrate.run.runbook import Step
    from migrate.sites.ports import FullSite
    from migrate.steps.kind import Context, Result

CHECK = "check"  # the step that looks first
SNAPSHOTS = "snapshots"  # of its result: the ids that were there, by VM


def standing(site: FullSite, vms: Iterable[str]) -> dict[str, list[str]]:
    """Return the ids of all snapshots that VMs have now; a VM without one is left out."""
    found = ((vm, [item.id for item in site.snapshots_of(vm)]) for vm in vms)
    return {vm: ids for vm, ids in found if ids}


def held_by(ctx: Context, step: Step) -> Result | None:
    """Return the first snapshot of the step's VMs that is neither the run's nor was there before; or None.

    A run whose first step did not look, of an older release or recovered, waits for none.
    """
    known = ctx.result(CHECK).get(SNAPSHOTS)
    if known is None:
        return None
    for vm in step.params["vms"]:
        for item in ctx.source.snapshots_of(vm):
            if item.id not in known.get(vm, ()) and not item.op.startswith(f"{ctx.run}/"):
                state = ctx.source.observe(vm)
                name = visible(state.name if state else vm, 80)
                return {"why": f"a foreign snapshot of {name}", "vm": vm, "snapshot": item.name}
    return None
