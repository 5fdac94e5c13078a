"""create-disk: the target volume, full of zeros; undone only if this run made it."""

from __future__ import annotations

from migrate.run.runbook import Step
from migrate.sites.ports import NewDisk
from migrate.steps.kind import Context, Result
from planner.model import Backing, Sending
from planner.units import show_bytes


class CreateDisk:
    """A VMDK of the source's size, or a mapping of a LUN."""

    def plan(self, step: Step) -> str:
        """Describe the disk."""
        lun = f" on LUN {step.params['lun']}" if step.params["lun"] else ""
        left = {Sending.NEVER: ", nothing is copied into it", Sending.ONCE: ", copied into once"}
        what = left.get(_sending(step), "")
        return f"create a {step.params['backing']} of {show_bytes(step.params['size_bytes'])}{lun}{what}"

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
        send = _sending(step)
        said = {} if send is Sending.ALWAYS else {"left_out": send.value}
        return {"created": not _was_there(ctx, step), **said}


def _was_there(ctx: Context, step: Step) -> bool:
    """Return whether the volume was there before the run; without a check it may have been."""
    existing = ctx.result("check").get("existing")
    return existing is None or step.params["volume"] in existing


def _sending(step: Step) -> Sending:
    return Sending(step.params.get("send", Sending.ALWAYS))  # runs begun before there was a choice have none


def _disk(step: Step) -> NewDisk:
    return NewDisk(
        volume=step.params["volume"],
        size_bytes=step.params["size_bytes"],
        backing=Backing(step.params["backing"]),
        lun=step.params["lun"],
        shared=step.params.get("shared", False),
    )
