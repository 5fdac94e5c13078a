"""build and mark: the VM at the target, and the point from which its own writes count."""

from __future__ import annotations

from dataclasses import asdict, replace

from migrate.run.runbook import Step
from migrate.sites.ports import ChangeId, Extent, NewAttachment, NewNic, NewVM
from migrate.steps.kind import Context, Repeatable, Result
from migrate.transfers.ports import Written
from planner.errors import StepFailed
from planner.model import BusSharing, Power


class Build:
    """Create and register the VM at the target with its replicas attached."""

    def plan(self, step: Step) -> str:
        """Describe the VM."""
        disks, nics = len(step.params["disks"]), len(step.params["nics"])
        return f"create and register with {disks} disks and {nics} NICs"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Create it as its source is defined, and look at what came of it."""
        ctx.target.create_vm(_defined(ctx, step), op)
        result = self.verify(ctx, step, op)
        if result is None:
            raise StepFailed(f"{step.title}: the VM is not there", "look at the target site, then retry")
        return result

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Look for the VM and what it has otherwise; raises StepFailed when one with other disks is there."""
        found = ctx.target.observe(step.params["vm"])
        if found is None:
            return None
        if found.op and not _ours(ctx, step, found.op):
            raise StepFailed(f"{step.title}: a VM that somebody else made is there", "remove it, then retry")
        wanted = {(disk["key"], disk["volume"]) for disk in step.params["disks"]}
        if {(disk.key, disk.volume) for disk in found.disks} != wanted:
            raise StepFailed(f"{step.title}: a VM with other disks is there", "remove it, then retry")
        otherwise = [asdict(one) for one in ctx.target.differences(_defined(ctx, step))]
        return {"disks": len(found.disks), **({"otherwise": otherwise} if otherwise else {})}

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Unregister it, unless somebody else made it; the replicas stay."""
        found = ctx.target.observe(step.params["vm"])
        if found is None or not _ours(ctx, step, found.op):
            return {"deleted": False}
        if found.power is not Power.OFF:
            raise StepFailed(f"{step.title}: the VM still runs at the target", "stop it there, then retry")
        ctx.target.delete_vm(step.params["vm"], op)
        return {"deleted": True}


class Mark(Repeatable):
    """Remember from where the target's own writes count; going back keeps them as a checkpoint."""

    def plan(self, step: Step) -> str:
        """Describe the mark."""
        return f"mark {len(step.params['volumes'])} disks: what is written from here on is the target's own"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Record the change ids of the replicas; raises StepFailed when one was written since its proof."""
        for need in step.needs:
            if not (proved := ctx.result(need).get("proved")):
                continue
            volume = ctx.history.runbook.step(need).params["volume"]
            if ctx.target.changed_areas(volume, ChangeId.parse(proved)) != ():
                raise StepFailed(
                    f"{step.title}: a replica was written after it was compared",
                    "look who else writes there, roll back, then replicate again",
                )
        marks = {volume: ctx.target.change_id(volume) for volume, _ in step.params["volumes"]}
        return {"changes": {volume: str(mark) if mark else "" for volume, mark in marks.items()}}

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Have what the target wrote since kept; the sources are stopped: they are what to compare with."""
        marks = ctx.result(step.id).get("changes")
        if not marks:
            return {"bytes": 0}
        for vm in step.params["vms"]:
            found = ctx.target.observe(vm)
            if found is not None and found.power is not Power.OFF:
                raise StepFailed(f"{step.title}: a VM still runs at the target", "stop it there, then retry")
        name = f"{ctx.wave} rolled back, run {ctx.run}, {step.id.split('/')[0]}"
        volumes = [
            Written(volume, size, _areas(ctx, volume, marks[volume]))
            for volume, size in step.params["volumes"]
        ]
        return ctx.keeper.keep(name, ctx.wave, volumes, ctx.report)


def _ours(ctx: Context, step: Step, op: str) -> bool:
    return op.startswith(f"{ctx.run}/{step.id}/")


def _defined(ctx: Context, step: Step) -> NewVM:
    """Return the VM of a build step as its source is defined."""
    return replace(new_vm(step), definition=ctx.source.definition(step.params["vm"]))


def new_vm(step: Step) -> NewVM:
    """Return the VM that a build step creates."""
    params = step.params
    return NewVM(
        id=params["vm"],
        name=params["name"],
        cpus=params["cpus"],
        memory_bytes=params["memory_bytes"],
        firmware=params["firmware"],
        guest_os=params["guest_os"],
        datastore=params.get("datastore", ""),
        folder=params.get("folder", ""),
        pool=params.get("pool", ""),
        policy=params.get("policy", ""),
        disks=tuple(
            NewAttachment(**{**disk, "bus_sharing": BusSharing(disk["bus_sharing"])})
            for disk in params["disks"]
        ),
        nics=tuple(NewNic(**nic) for nic in params["nics"]),
    )


def _areas(ctx: Context, volume: str, mark: str) -> tuple[Extent, ...] | None:
    """Return what the target's change map says was written since the mark, None where there is none."""
    return ctx.target.changed_areas(volume, ChangeId.parse(mark)) if mark else None
