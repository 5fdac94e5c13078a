"""enable-cbt: change tracking is asked for, then a snapshot is taken and removed so that it takes effect.

With a snapshot on the VM it would not take effect on the whole chain, so that is refused. The snapshot of
the stun carries the step's key: one that a crash left behind is known as ours and removed.
"""

from __future__ import annotations

from migrate.run.runbook import Step
from migrate.sites.configuration import Configuration
from migrate.steps.kind import Context, Result
from migrate.steps.look import looked, seen
from planner.errors import StepFailed
from planner.model import Power
from planner.units import show_count

OLDEST_HARDWARE = 7


class EnableTracking:
    """Turn change tracking on."""

    def plan(self, step: Step) -> str:
        """Describe the change."""
        return "turn change tracking on, take a snapshot and remove it so that it takes effect"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Turn it on; raises StepFailed with snapshots present or hardware too old for it."""
        before = looked(ctx, step)
        _sweep(ctx, step, op)
        found = seen(ctx, step)
        if found.hw_version < OLDEST_HARDWARE:
            raise StepFailed(
                f"{step.title}: virtual hardware {found.hw_version} knows no change tracking",
                "upgrade the virtual hardware first",
            )
        _turn(ctx, step, op, found, on=True)
        return _result(before, seen(ctx, step))

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Ask whether it is on, has taken effect where it can, and left no snapshot."""
        found = seen(ctx, step)
        if not found.cbt or (not found.tracking and _runs(ctx, step)) or _ours(ctx, step):
            return None
        return _result(looked(ctx, step), found)

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Turn it off again if it was off before; raises StepFailed with snapshots present."""
        if not ctx.result(step.params["look"]):
            return {"restored": False}
        _sweep(ctx, step, op)
        if looked(ctx, step).cbt:
            return {"restored": False}
        _turn(ctx, step, op, seen(ctx, step), on=False)
        return {"restored": True}


def _turn(ctx: Context, step: Step, op: str, found: Configuration, on: bool) -> None:
    """Set the flag and let it take effect; what is so already is not done again."""
    vm = step.params["vm"]
    stun = found.tracking is not on and _runs(ctx, step)  # a VM that is off takes it up at its start
    if found.cbt is on and not stun:
        return
    if found.snapshots:
        held = show_count(found.snapshots, "snapshot")
        raise StepFailed(
            f"{step.title}: the VM has {held}, change tracking would not take effect on all of its disks",
            "delete its snapshots, then run the verb again",
        )
    if found.cbt is not on:
        ctx.source.set_change_tracking(vm, on, op)
    if stun:
        taken = ctx.source.take_snapshot((vm,), op)
        ctx.source.drop_snapshot(taken.id, op)


def _sweep(ctx: Context, step: Step, op: str) -> None:
    for snapshot in _ours(ctx, step):
        ctx.source.drop_snapshot(snapshot, op)


def _ours(ctx: Context, step: Step) -> list[str]:
    """Return the snapshots that attempts at this step left behind."""
    return [item.id for item in ctx.source.list_snapshots() if item.op.startswith(f"{ctx.run}/{step.id}/")]


def _runs(ctx: Context, step: Step) -> bool:
    found = ctx.source.observe(step.params["vm"])
    return found is not None and found.power is Power.ON


def _result(before: Configuration, after: Configuration) -> Result:
    return {"changed": not before.cbt, "tracking": after.tracking}
