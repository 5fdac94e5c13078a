"""landed: a last look before the commit gate: every VM that was started runs there and is well.

A VM that passed its probe may have gone down while the others were started. One of which the plan asks
only for its power, or whose probe a person passed over, has to run; that it is well is their word.
"""

from __future__ import annotations

from migrate.run.history import Event, History
from migrate.run.runbook import Step
from migrate.sites.ports import FullSite
from migrate.steps.kind import Context, Repeatable, Result
from planner.errors import StepFailed
from planner.model import Power

_TOOLS, _POWER = "tools", "power"  # kinds of probes, as runbooks write them


class Landed(Repeatable):
    """Look at all VMs of the wave at once."""

    def plan(self, step: Step) -> str:
        """Describe the look."""
        return f"look again whether all {len(step.params['vms'])} VMs run and are well"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Raise StepFailed that names the first VM which is not."""
        spared = unprobed(ctx.history)
        for vm in step.params["vms"]:
            if said := unwell(ctx.target, vm, probed=vm not in spared):
                raise StepFailed(
                    f"{step.title}: {said}", "start it there and run the verb again, or roll back"
                )
        return {"vms": len(step.params["vms"])}


def unprobed(history: History) -> set[str]:
    """Return the VMs whose tools are not asked: the plan asks for their power, or a person passed it over."""
    passed = {
        entry.step for entry in history.entries if entry.event is Event.SKIPPED and "who" in entry.detail
    }
    found = set()
    for step in history.runbook.steps:
        if step.kind == "probe":
            asks = step.params.get("ask", {}).get("kind", _TOOLS)
            if asks == _POWER or (asks == _TOOLS and step.id in passed):
                found.add(step.subject)
    return found


def unwell(target: FullSite, vm: str, *, probed: bool = True) -> str:
    """Return what is wrong with a VM at the target, empty when it runs and, if ``probed``, is well."""
    found = target.observe(vm)
    if found is None or found.power is not Power.ON:
        return f"{found.name if found else vm} does not run at site {target.name}"
    if not probed:
        return ""
    health = target.probe(vm)
    return "" if health.ok else f"{found.name} is not well: {health.detail}"
