"""readdress: the guest starts with the addresses that it has where it goes. It is off; its site sets them.

The result keeps what the guest was set to before, as far as its old site knows: that is its way home.
Asking again for the same is harmless, and nothing is undone: going back removes the VM.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from migrate.run.runbook import Step
from migrate.sites.networking import GuestNic, load_nic
from migrate.sites.ports import Capability
from migrate.steps.kind import Context, Repeatable, Result
from planner.errors import StepFailed
from planner.names import visible


class Readdress(Repeatable):
    """Have a guest start with other addresses."""

    def plan(self, step: Step) -> str:
        """Name the adapters and what each gets."""
        return "; ".join(words(nic) for nic in _wanted(step))

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Ask the site for it and look at what came of it; raises StepFailed."""
        vm = step.params["vm"]
        if Capability.CUSTOMISE not in ctx.target.capabilities:
            raise StepFailed(
                f"{step.title}: site {ctx.target.name} sets no addresses in guests",
                "set them by hand, then pass it over: wherry run skip",
            )
        ctx.target.customise(vm, _wanted(step), op)
        result = self.verify(ctx, step, op)
        if result is None:
            raise StepFailed(
                f"{step.title}: the guest has other addresses", "look at the VM there, then retry"
            )
        return result

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Ask the site what the guest is set to; None when that is not what it shall be."""
        found = {nic.label: nic for nic in ctx.target.networking(step.params["vm"]) or ()}
        wanted = _wanted(step)
        if any(found.get(nic.label) != nic for nic in wanted):
            return None
        before = ctx.source.networking(step.params["vm"]) or ()
        return {"nics": as_json(wanted), "before": as_json(before)}


def as_json(nics: Iterable[GuestNic]) -> list[dict[str, Any]]:
    """Return adapters as plain data."""
    return [{**nic.as_json(), **{name: list(getattr(nic, name)) for name in _LISTS}} for nic in nics]


_LISTS = ("addresses", "gateways", "dns", "search")


def words(nic: GuestNic) -> str:
    """Return what an adapter is set to, harmless to print."""
    said = [", ".join(nic.addresses)]
    for word, items in (("gateway", nic.gateways), ("DNS", nic.dns), ("search", nic.search)):
        said += [f"{word} {', '.join(items)}"] if items else []
    return visible(f"{nic.label}: {'; '.join(said)}", 400)


def _wanted(step: Step) -> tuple[GuestNic, ...]:
    return tuple(map(load_nic, step.params["nics"]))
