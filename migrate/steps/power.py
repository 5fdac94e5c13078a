"""quiesce, stop, start: who runs where. A VM never runs at both sites.

Before anything is powered on the other side is asked, and only a certain "off" will do.
"""

from __future__ import annotations

from migrate.run.runbook import Step
from migrate.sites.ports import FullSite
from migrate.steps.foreign import held_by
from migrate.steps.kind import Context, Repeatable, Result
from migrate.steps.larger import may_be_larger, must_still_fit
from migrate.steps.standstill import moved
from planner.errors import StepFailed
from planner.model import Power
from planner.units import show_duration

_STOP_S = 60.0  # on the way back of runs begun before the policy counted there


class Quiesce(Repeatable):
    """Bring a group to a consistent point just before it stops."""

    def plan(self, step: Step) -> str:
        """Describe the freeze."""
        return f"quiesce {len(step.params['vms'])} VMs together"

    def held(self, ctx: Context, step: Step) -> Result | None:
        """Wait for a foreign snapshot here, where nothing is stopped yet."""
        return held_by(ctx, step)

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Freeze; the result says what consistency was really reached.

        Raises PastEnd, with nothing stopped, for a disk that does not fit where it comes home to.
        """
        must_still_fit(ctx, step.params["vms"])
        return {"consistency": ctx.source.quiesce(tuple(step.params["vms"]), op).value}

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Let those write again that still run."""
        running = tuple(vm for vm in step.params["vms"] if _power(ctx.source, vm) is Power.ON)
        ctx.source.thaw(running, op)
        return {"thawed": len(running)}


class Stop:
    """Stop a VM at the source: gracefully, forced after a limit."""

    def plan(self, step: Step) -> str:
        """Describe the stop."""
        return f"shut down, forced after {show_duration(step.params['timeout_s'])}"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Stop it; raises StepFailed when it runs against the plan: it would stay off at the target."""
        vm = step.params["vm"]
        _must_be_as_planned(ctx, step)
        before = _power(ctx.source, vm)
        if before is Power.OFF:
            # A try before this one that failed may have stopped it: then going back starts it again.
            return {"graceful": True, "ran": False} if op.endswith("/do1") else {"graceful": None}
        if not step.params["was_on"]:
            raise StepFailed(
                f"{step.title}: it runs, and the plan knows it as off",
                "shut it down there and run the verb again, or roll back and plan anew",
            )
        graceful = ctx.source.shut_down(vm, op, step.params["timeout_s"])
        if not graceful:
            ctx.source.power_off(vm, op)
        if _power(ctx.source, vm) is not Power.OFF:
            raise StepFailed(f"{step.title}: the VM still runs", "look at it in the source site, then retry")
        return {"graceful": graceful, "ran": True}

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Ask whether it is off."""
        return {"graceful": None} if _power(ctx.source, step.params["vm"]) is Power.OFF else None

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Start it again at the source, if it ran and is certainly off at the target."""
        vm = step.params["vm"]
        if _power(ctx.source, vm) is Power.ON:
            return {"started": False, "by_hand": step.id in ctx.history.results}
        if not step.params["was_on"]:
            return {"started": False}
        there = ctx.target.observe(vm)
        moved_by_another = (
            there is not None
            and there.power is Power.ON
            and not step.params.get("home")  # on the way home it was there before
            and not there.op.startswith(f"{ctx.run}/")
        )
        if moved_by_another:
            return {"started": False, "elsewhere": ctx.target.name}
        if ctx.result(step.id).get("ran") is False:
            return {"started": False}  # somebody had stopped it before the cutover
        _must_be_off(ctx.target, vm, step)
        ctx.source.power_on(vm, op)
        return {"started": True, "health": ctx.source.probe(vm).detail}


class Start:
    """Power a VM on at the target."""

    def plan(self, step: Step) -> str:
        """Describe the start."""
        return "power on, if it is certainly off at the source"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Start it; raises StepFailed when the source wrote something that was not copied."""
        vm = step.params["vm"]
        _must_be_off(ctx.source, vm, step)
        if moved(ctx, step):
            raise StepFailed(
                f"{step.title}: a disk was written at site {ctx.source.name} after its last delta",
                "roll back, then replicate again; nothing of it is lost there",
            )
        ctx.target.power_on(vm, op)
        return {}

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Ask whether this attempt started it, even if it stopped again since."""
        found = ctx.target.observe(step.params["vm"])
        started = found is not None and (found.power is Power.ON or found.last_power_op == op)
        return {} if started else None

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Stop it at the target."""
        vm = step.params["vm"]
        if _power(ctx.target, vm) is not Power.ON:
            return {"stopped": False}
        if not ctx.target.shut_down(vm, op, step.params.get("stop_timeout_s", _STOP_S)):
            ctx.target.power_off(vm, op)
        return {"stopped": True}


def _power(site: FullSite, vm: str) -> Power | None:
    found = site.observe(vm)
    return found.power if found else None


def _must_be_as_planned(ctx: Context, step: Step) -> None:
    """Raise StepFailed when the VM has other disks at the source than those that were replicated.

    On the way home they may be larger, which passes and proofs look at.
    """
    found = ctx.source.observe(step.params["vm"])
    there = {disk.volume: disk.size_bytes for disk in found.disks} if found else {}
    planned = dict(step.params["disks"])
    if may_be_larger(step):
        there = {volume: min(size, planned.get(volume, size)) for volume, size in there.items()}
    if there != planned:
        raise StepFailed(
            f"{step.title}: its disks at site {ctx.source.name} are not those of the plan",
            "roll back, discover again, plan anew and approve the wave",
        )


def _must_be_off(site: FullSite, vm: str, step: Step) -> None:
    """Raise StepFailed unless ``vm`` certainly does not run at ``site``."""
    if _power(site, vm) not in (None, Power.OFF):
        raise StepFailed(
            f"{step.title}: the VM is not off at site {site.name}", "stop it there first, then retry"
        )
