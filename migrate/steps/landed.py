"""landed: a last look before the commit gate: every VM that was started runs there and is well.

A VM that passed its probe may have gone down while the others were started.
"""

from __future__ import annotations

from migrate.run.runbook import Step
from migrate.sites.ports import FullSite
from migrate.steps.kind import Context, Repeatable, Result
from planner.errors import StepFailed
from planner.model import Power


class Landed(Repeatable):
    """Look at all VMs of the wave at once."""

    def plan(self, step: Step) -> str:
        """Describe the look."""
        return f"look again whether all {len(step.params['vms'])} VMs run and are well"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Raise StepFailed that names the first VM which is not."""
        for vm in step.params["vms"]:
            if said := unwell(ctx.target, vm):
                raise StepFailed(
                    f"{step.title}: {said}", "start it there and run the verb again, or roll back"
                )
        return {"vms": len(step.params["vms"])}


def unwell(target: FullSite, vm: str) -> str:
    """Return what is wrong with a VM at the target, empty when it runs and is well."""
    found = target.observe(vm)
    if found is None or found.power is not Power.ON:
        return f"{found.name if found else vm} does not run at site {target.name}"
    health = target.probe(vm)
    return "" if health.ok else f"{found.name} is not well: {health.detail}"
