"""look: a VM's configuration before anything of it is changed, for the way back."""

from __future__ import annotations

from dataclasses import asdict

from migrate.run.runbook import Step
from migrate.sites.configuration import Configuration, Drive
from migrate.steps.kind import Context, Result
from planner.errors import StepFailed
from planner.model import Power


class Look:
    """Write down how a VM is configured and whether it runs."""

    def plan(self, step: Step) -> str:
        """Describe the look."""
        return "write down its configuration and whether it runs"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Return the configuration; raises StepFailed when the VM is not at the source."""
        vm = step.params["vm"]
        return {
            "configuration": asdict(seen(ctx, step)),
            "ran": _runs(ctx, vm),
            "site": ctx.source.identity,
        }

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Look again: nothing was changed before the first look was recorded."""
        return self.act(ctx, step, op)

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Do nothing: a look leaves nothing behind."""
        return {}


def seen(ctx: Context, step: Step) -> Configuration:
    """Return the configuration of a step's VM now; raises StepFailed when it is not there."""
    found = ctx.source.configuration(step.params["vm"])
    if found is None:
        raise StepFailed(
            f"{step.title}: the VM is not at site {ctx.source.name}", "discover again and plan anew"
        )
    return found


def looked(ctx: Context, step: Step) -> Configuration:
    """Return what the look at a step's VM wrote down; raises StepFailed when it was passed over."""
    body = ctx.need(step.params["look"])["configuration"]
    drives = tuple(Drive(**drive) for drive in body["drives"])
    return Configuration(**{**body, "modes": tuple(map(tuple, body["modes"])), "drives": drives})


def _runs(ctx: Context, vm: str) -> bool:
    found = ctx.source.observe(vm)
    return found is not None and found.power is Power.ON
