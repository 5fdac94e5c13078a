"""check: are both sites, the VMs and the room for them as the plan expects, right now."""

from __future__ import annotations

from migrate.run.ahead_steps import UNFROZEN
from migrate.run.runbook import Step
from migrate.sites.ports import Capability, NewDisk, VMState
from migrate.steps.foreign import SNAPSHOTS, standing
from migrate.steps.kind import Context, Repeatable, Result
from migrate.steps.larger import LARGER, look
from planner.errors import Blocked, PastEnd
from planner.freezing import forbids_snapshots
from planner.model import Backing, Power
from planner.names import visible
from planner.units import show_bytes

SOURCE_NEEDS = frozenset({Capability.POWER, Capability.READ_DISKS, Capability.SNAPSHOT})
TARGET_NEEDS = frozenset({Capability.POWER, Capability.WRITE_DISKS, Capability.CREATE_VM})
_ANEW = "discover again, plan anew and approve the wave"
_HOME = "make it as it was at the commit, or move the VM back as a wave of its own"


class Check(Repeatable):
    """Look at both sites; the result names the target volumes and source snapshots from before the run.

    With ``home`` in the params the VMs come back: at the target they are there, fenced, with their disks.
    """

    def plan(self, step: Step) -> str:
        """Describe the look."""
        return f"look for {len(step.params['vms'])} VMs at the source, networks and room at the target"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Raise Blocked that names the first thing which is not as planned."""
        _capable(ctx)
        _networks(ctx, step)
        sizes = _vms(ctx, step)
        existing, wanted_bytes = _volumes(ctx, step, sizes)
        free = ctx.target.free_bytes()
        if wanted_bytes > free:
            raise Blocked(
                f"site {ctx.target.name} has {show_bytes(free)} free, {ctx.wave} needs "
                f"{show_bytes(wanted_bytes)}",
                "free space there, or plan smaller waves",
            )
        larger = _larger(ctx, step, sizes)
        return {
            "existing": existing,
            "wanted_bytes": wanted_bytes,
            "free_bytes": free,
            SNAPSHOTS: standing(ctx.source, (vm for vm, *_ in step.params["vms"])),
            **({LARGER: larger} if larger else {}),
            "sites": {"source": ctx.source.identity, "target": ctx.target.identity},
        }


def _capable(ctx: Context) -> None:
    for site, needs in ((ctx.source, SOURCE_NEEDS), (ctx.target, TARGET_NEEDS)):
        if missing := needs - site.capabilities:
            raise Blocked(f"site {site.name} cannot do {', '.join(sorted(missing))}", "choose another site")


def _networks(ctx: Context, step: Step) -> None:
    known = ctx.target.networks()
    if known is not None and (unknown := set(step.params["networks"]) - known):
        raise Blocked(
            f"network {visible(min(unknown))} does not exist at site {ctx.target.name}",
            "make it there, or correct [networks] in the settings and plan anew",
        )


def _vms(ctx: Context, step: Step) -> dict[str, int]:
    """Return the size of each volume of the wave's VMs, all of which are as planned."""
    planned = {volume for volume, *_ in step.params["volumes"]}
    anew = _ANEW if step.params.get("home") is None else _HOME
    sizes: dict[str, int] = {}
    for vm, name, runs in step.params["vms"]:
        found = ctx.source.observe(vm)
        if found is None:
            raise Blocked(f"{visible(name)} is not at site {ctx.source.name}", anew)
        if step.params.get("home") is not None:
            _must_be_fenced(ctx, vm, name)
        elif ctx.target.observe(vm) is not None:
            raise Blocked(
                f"{visible(name)} is at site {ctx.target.name} already",
                "remove it there, or leave it out of the wave",
            )
        if (found.power is Power.ON) != runs:
            is_, was, do = ("does not run", "running", "start")
            if not runs:
                is_, was, do = ("runs", "off", "stop")
            raise Blocked(
                f"{visible(name)} {is_} at site {ctx.source.name}, the plan knows it as {was}",
                f"{do} it there, or {anew}",
            )
        if any(disk.volume not in planned for disk in found.disks):
            raise Blocked(
                f"{visible(name)} has a disk at site {ctx.source.name} that the plan does not know", anew
            )
        _must_be_frozen(ctx, step, found)
        sizes |= {disk.volume: disk.size_bytes for disk in found.disks}
    return sizes


def _must_be_frozen(ctx: Context, step: Step, found: VMState) -> None:
    """Raise Blocked for a VM of which no snapshot can be taken, and the plan does not know that."""
    if Capability.GROUP_SNAPSHOT in ctx.source.capabilities:
        return
    bare = step.params.get(UNFROZEN, ())
    if any(forbids_snapshots(disk) and disk.volume not in bare for disk in found.disks):
        raise Blocked(
            f"{visible(found.name)} shares disks, so site {ctx.source.name} takes no snapshot of it, which "
            "the plan does not know",
            _ANEW if step.params.get("home") is None else _HOME,
        )


def _must_be_fenced(ctx: Context, vm: str, name: str) -> None:
    """Raise Blocked unless the VM that comes back to is there, and certainly off."""
    found = ctx.target.observe(vm)
    if found is None:
        raise Blocked(
            f"{visible(name)} is not at site {ctx.target.name} any more, so it cannot come back to it",
            "move it back as a wave of its own",
        )
    if found.power is not Power.OFF:
        raise Blocked(
            f"{visible(found.name)} is not off at site {ctx.target.name}, where its disks are to be written",
            "it moved away and is fenced: shut it down there",
        )


def _volumes(ctx: Context, step: Step, sizes: dict[str, int]) -> tuple[list[str], int]:
    """Return the target volumes that are there already, and the bytes that new ones take."""
    home = step.params.get("home") is not None
    existing: list[str] = []
    wanted_bytes = 0
    for volume, size_bytes, backing, lun in step.params["volumes"]:
        if not (sizes.get(volume) == size_bytes or (home and sizes.get(volume, 0) > size_bytes)):
            raise Blocked(
                f"a disk of {ctx.wave} has {show_bytes(sizes.get(volume, 0))} at the source, "
                f"the plan says {show_bytes(size_bytes)}",
                _HOME if home else _ANEW,
            )
        there = ctx.target.volume(volume)
        if there is None and home:
            raise Blocked(
                f"a disk of {ctx.wave} is not at site {ctx.target.name} any more, so it cannot come back",
                "move its VM back as a wave of its own",
            )
        if there is None:
            wanted_bytes += 0 if Backing(backing).is_rdm else size_bytes
        elif _fits(there, size_bytes, backing, lun):
            existing.append(volume)
        else:
            raise Blocked(
                f"a disk of {ctx.wave} exists at site {ctx.target.name} with another shape",
                "remove it there first",
            )
    return existing, wanted_bytes


def _larger(ctx: Context, step: Step, sizes: dict[str, int]) -> dict[str, str]:
    """Return how it looks past what comes home of larger disks; raises Blocked for one that does not fit."""
    found = {}
    for volume, size_bytes, *_ in step.params["volumes"]:
        if sizes[volume] == size_bytes:
            continue
        try:
            found[volume] = look(ctx, volume, size_bytes)
        except PastEnd as error:
            raise Blocked(error.message, error.hint) from error
    return found


def _fits(there: NewDisk, size_bytes: int, backing: str, lun: str) -> bool:
    """Return whether a volume that is there can be the replica; a LUN may be larger than its source."""
    right = there.size_bytes >= size_bytes if there.backing.is_rdm else there.size_bytes == size_bytes
    return right and (there.backing.value, there.lun) == (backing, lun)
