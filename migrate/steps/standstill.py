"""Standstill: how a stopped source was found when its last pass began, and whether it is so still.

What a source writes after its last pass is not at the target. A VM that somebody starts by hand
between stop and start (and stops again) must not be lost sight of: the change map of its disks and
its last power operation are noted before the pass and looked at before the target is started.
"""

from __future__ import annotations

from typing import Any

from migrate.run.runbook import Step
from migrate.sites.ports import ChangeId
from migrate.steps.kind import Context
from planner.errors import StepFailed
from planner.model import Power


def stand(ctx: Context, step: Step) -> dict[str, Any]:
    """Return how the source of a last pass stands; raises StepFailed when a VM on the disk is not off."""
    powers = {}
    for vm in step.params["vms"]:
        found = ctx.source.observe(vm)
        if found is not None and found.power is not Power.OFF:
            raise StepFailed(
                f"{step.title}: a VM on the disk is not off at site {ctx.source.name}",
                "stop it there first, then retry",
            )
        powers[vm] = found.last_power_op if found else ""
    change = ctx.source.change_id(step.params["volume"])
    return {"change": str(change) if change else "", "powers": powers}


def moved(ctx: Context, step: Step) -> bool:
    """Return whether the source of one of the step's ``finals`` may have been written since."""
    for final in step.params["finals"]:
        stood = ctx.result(final).get("stood")
        if stood and _differs(ctx, ctx.history.runbook.step(final).params["volume"], stood):
            return True
    return False


def _differs(ctx: Context, volume: str, stood: dict[str, Any]) -> bool:
    if stood["change"]:
        return ctx.source.changed_areas(volume, ChangeId.parse(stood["change"])) != ()
    return any(
        found is not None and found.last_power_op != op
        for vm, op in stood["powers"].items()
        for found in (ctx.source.observe(vm),)
    )
