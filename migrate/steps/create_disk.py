"""create-disk: the target volume, full of zeros; undone only if this run made it."""

from __future__ import annotations

from migrate.run.runbook import Step
from migrate.sites.ports import NewDisk
from migrate.steps.kind import Context, Result
from planner.model import Backing
from planner.units import show_bytes


class CreateDisk:
    """A VMDK of the source's size, or a mapping of a LUN."""

    def plan(self, step: Step) -> str:
        """Describe the disk."""
        lun = f" on LUN {step.params['lun']}" if step.params["lun"] else ""
        return f"create a {step.params['backing']} of {show_bytes(step.params['size_bytes'])}{lun}"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Create it; one of the same shape that is there already is used."""
        ctx.target.create_disk(_disk(step), op)
        return self._result(ctx, step)

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Look for it."""
        return self._result(ctx, step) if ctx.target.volume(step.params["volume"]) else None

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Delete it unless it was there before the run."""
        volume = step.params["volume"]
        if _was_there(ctx, step) or ctx.target.volume(volume) is None:
            return {"deleted": False}
        ctx.target.delete_disk(volume, op)
        return {"deleted": True}

    def _result(self, ctx: Context, step: Step) -> Result:
        return {"created": not _was_there(ctx, step)}


def _was_there(ctx: Context, step: Step) -> bool:
    """Return whether the volume was there before the run; without a check it may have been."""
    existing = ctx.result("check").get("existing")
    return existing is None or step.params["volume"] in existing


def _disk(step: Step) -> NewDisk:
    return NewDisk(
        volume=step.params["volume"],
        size_bytes=step.params["size_bytes"],
        backing=Backing(step.params["backing"]),
        lun=step.params["lun"],
    )
