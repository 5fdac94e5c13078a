"""rules: the rules of the source's clusters that concern a wave stand again once all their VMs are there.

Rules say where VMs run, not whether: what cannot be built is told, and the cutover goes on without it. A
rule with VMs of several waves is built with the last of them. Going back removes what this step built.
"""

from __future__ import annotations

from typing import Any, cast

from migrate.run.runbook import Step
from migrate.sites.ports import Capability
from migrate.sites.rules import NewRule, Rules
from migrate.steps.kind import Context, Repeatable, Result
from planner.errors import SiteRefused
from planner.model import RuleKind
from planner.names import visible

_SHOWN = 5


class BuildRules(Repeatable):
    """Build the rules whose VMs have all landed, and say of the others why not."""

    def plan(self, step: Step) -> str:
        """Name the rules."""
        return f"build once all their VMs are there: {_some([one['name'] for one in step.params['rules']])}"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Build what can be built; returns the names of ``built`` and, of those ``left``, why."""
        if Capability.RULES not in ctx.target.capabilities:
            why = f"site {ctx.target.name} keeps no rules"
            return {"built": [], "left": [[one["name"], why] for one in step.params["rules"]]}
        site, done, left = cast(Rules, ctx.target), [], []
        for said in step.params["rules"]:
            missing = [name for vm, name in said["vms"].items() if ctx.target.observe(vm) is None]
            if missing:
                why = f"waits for {_some(missing)}"
            else:
                try:
                    why = site.build_rule(new_rule(said), op)
                except SiteRefused as error:
                    why = error.message
            if why:
                left.append([said["name"], why])
            else:
                done.append(said["name"])
        return {"built": done, "left": left}

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Remove the rules that this step built, whatever is recorded of that."""
        if Capability.RULES in ctx.target.capabilities:
            for said in step.params["rules"]:
                cast(Rules, ctx.target).drop_rule(new_rule(said), op)
        return {}


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(visible(name, 60) for name in names[:_SHOWN]) + more


def new_rule(said: dict[str, Any]) -> NewRule:
    """Return the rule that a step's parameters tell."""
    return NewRule(**{**said, "kind": RuleKind(said["kind"]), "vms": tuple(said["vms"])})
