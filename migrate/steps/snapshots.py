"""snapshot and drop-snapshot: one instant of a group at the source, and its removal.

The order between two rounds is fixed: the change ids of the old snapshot are in the record before it
is removed, and it is gone before the next one is taken.
"""

from __future__ import annotations

from migrate.run.runbook import Step
from migrate.sites.ports import Consistency, Snapshot, Watched
from migrate.steps.foreign import held_by
from migrate.steps.kind import Context, Repeatable, Result
from planner.names import visible
from planner.units import show_count


class TakeSnapshot:
    """Freeze a group's volumes at one instant."""

    def plan(self, step: Step) -> str:
        """Describe the snapshot."""
        without = step.params.get("without", ())
        said = f", without {show_count(len(without), 'VM')} of which none can be taken" if without else ""
        return f"snapshot {len(step.params['vms'])} VMs at one instant, with change ids{said}"

    def held(self, ctx: Context, step: Step) -> Result | None:
        """Wait until nobody else has one, and there is room for what it keeps.

        A wait for room says of what was given up for it, as it was then: what it is now changes all the time.
        """
        if (found := held_by(ctx, step)) is not None:
            return found
        found = _short_of_room(ctx, step)
        before = ctx.history.given_up.get(step.id)
        if found is not None and before is not None:
            found["why"] += f" ({before['why']}, so {visible(step.title)} was given up)"
        return found

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Take it."""
        at_s = round(ctx.clock.epoch_s(), 3)
        return {**_result(step, ctx.source.take_snapshot(tuple(step.params["vms"]), op)), "at_s": at_s}

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Look for the snapshot of this very attempt."""
        found = ctx.source.find_snapshot(op)
        return _result(step, found) if found else None

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Remove it if it is still there."""
        left = _left(ctx, step.id)
        for snapshot in left:
            ctx.source.drop_snapshot(snapshot, op)
        return {"dropped": len(left)}


class DropSnapshot(Repeatable):
    """Remove a snapshot; it being gone is what is wanted."""

    def plan(self, step: Step) -> str:
        """Describe the removal."""
        return "remove the snapshot"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Remove it."""
        taken = step.params["snapshot"]
        known = ctx.result(taken).get("id", "")
        # Where taking it was passed over, nobody knows whether anything came of that.
        for snapshot in [known] if known else _left(ctx, taken):
            ctx.source.drop_snapshot(snapshot, op)
        return {"id": known}


def _short_of_room(ctx: Context, step: Step) -> Result | None:
    if isinstance(ctx.source, Watched):
        for vm in step.params["vms"]:
            if why := ctx.source.snapshot_waits(vm):
                return {"why": visible(why, 120), "vm": vm}
    return None


def _left(ctx: Context, step: str) -> list[str]:
    """Return what is there of the snapshots that a step took, in whichever attempt."""
    taken, prefix = ctx.result(step).get("id"), f"{ctx.run}/{step}/do"
    return [item.id for item in ctx.source.list_snapshots() if item.id == taken or item.op.startswith(prefix)]


def _result(step: Step, snapshot: Snapshot) -> Result:
    """Return what was frozen; an instant of a part of its group is worth no more than a crash."""
    without = step.params.get("without", ())
    label = Consistency.CRASH if without else snapshot.label
    return {
        "id": snapshot.id,
        "label": label.value,
        **({"without": len(without)} if without else {}),
        "changes": {volume: str(change) for volume, change in snapshot.changes.items()},
        **({"parts": snapshot.parts} if snapshot.parts else {}),
    }


def frozen_as(taken: Result, volume: str) -> str | None:
    """Return by which name to open a volume at a snapshot that is on record, None where there is none.

    Where its VM has a part of its own that is the id of that: a late duplicate bears the same name.
    """
    return taken.get("parts", {}).get(volume) or taken.get("id")
