"""upgrade-hardware, disk-mode, disconnect-media, consolidate: one change of a VM's configuration each.

A change is a mapping: what is named, its value before and after. It is made only where the value is not
yet the wanted one, and taken back only where it still is: what somebody changed since stays theirs.
"""

from __future__ import annotations

from typing import Any

from migrate.run.runbook import Step
from migrate.sites.configuration import PERSISTENT, Configuration
from migrate.sites.ports import Capability
from migrate.steps.kind import Context, Result
from migrate.steps.look import looked, seen
from planner.errors import StepFailed
from planner.model import Backing

Values = dict[str, Any]


class _Change:
    """A change of some values of a configuration, each by name."""

    def now(self, ctx: Context, step: Step, found: Configuration) -> Values:
        """Return the values as they are in a configuration."""
        raise NotImplementedError

    def wanted(self, step: Step, values: Values) -> Values:
        """Return the values as they shall be."""
        raise NotImplementedError

    def apply(self, ctx: Context, vm: str, values: Values, op: str) -> None:
        """Have the site set these values."""
        raise NotImplementedError

    def why_not_back(self, ctx: Context) -> str:
        """Return why the site cannot take the change back, empty when it can."""
        return ""

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Change what is not as wanted; the result holds the values before and after."""
        first = self.now(ctx, step, looked(ctx, step))
        values = self.now(ctx, step, seen(ctx, step))
        after = self.wanted(step, values)
        if odd := {key: value for key, value in after.items() if values[key] != value}:
            self.apply(ctx, step.params["vm"], odd, op)
        # What is as wanted already may be the work of an attempt whose answer was lost.
        before = {key: values[key] if key in odd else first.get(key, values[key]) for key in after}
        return _result(before, after)

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Ask whether all is as wanted; what it was before stands in the look."""
        values = self.now(ctx, step, seen(ctx, step))
        after = self.wanted(step, values)
        if values != after:
            return None
        first = self.now(ctx, step, looked(ctx, step))
        return _result({key: first.get(key, value) for key, value in values.items()}, after)

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Set back what this step changed and nobody changed since."""
        if not ctx.result(step.params["look"]):
            return {"restored": False}
        done = ctx.result(step.id)
        before = done.get("before", self.now(ctx, step, looked(ctx, step)))
        after = done.get("after", self.wanted(step, before))
        mine = {key: value for key, value in before.items() if value != after.get(key)}
        if not mine:
            return {"restored": False}
        if said := self.why_not_back(ctx):
            return {"restored": False, "why": said}
        values = self.now(ctx, step, seen(ctx, step))
        if back := {key: value for key, value in mine.items() if values.get(key) == after[key]}:
            self.apply(ctx, step.params["vm"], back, op)
        theirs = sum(values.get(key) not in (after[key], value) for key, value in mine.items())
        return {"restored": theirs < len(mine), **({"why": "it was changed since"} if theirs else {})}


def _result(before: Values, after: Values) -> Result:
    return {"changed": before != after, "before": before, "after": after}


class UpgradeHardware(_Change):
    """Newer virtual hardware; the VM is off. vSphere has no way back, so that a dry run says so."""

    def plan(self, step: Step) -> str:
        """Describe the upgrade."""
        return f"upgrade its virtual hardware to {step.params['version']}; only a lab can take that back"

    def now(self, ctx: Context, step: Step, found: Configuration) -> Values:
        """Return the version."""
        return {"version": found.hw_version}

    def wanted(self, step: Step, values: Values) -> Values:
        """Return the wanted version, or a newer one that it has already."""
        return {"version": max(values["version"], step.params["version"])}

    def apply(self, ctx: Context, vm: str, values: Values, op: str) -> None:
        """Set the version."""
        ctx.source.set_hardware_version(vm, values["version"], op)

    def why_not_back(self, ctx: Context) -> str:
        """Return that only some sites can lower a version."""
        if Capability.LOWER_HARDWARE in ctx.source.capabilities:
            return ""
        return f"site {ctx.source.name} cannot lower virtual hardware"


class DiskMode(_Change):
    """Disks that a snapshot leaves out become dependent; the VM is off. Physical RDMs never can."""

    def plan(self, step: Step) -> str:
        """Describe the change."""
        return "make its independent and non-persistent disks persistent, so that snapshots hold them"

    def now(self, ctx: Context, step: Step, found: Configuration) -> Values:
        """Return the mode of each disk that can have a snapshot."""
        state = ctx.source.observe(step.params["vm"])
        physical = (
            {disk.key for disk in state.disks if disk.backing is Backing.RDM_PHYSICAL} if state else set()
        )
        return {key: mode for key, mode in found.modes if key not in physical}

    def wanted(self, step: Step, values: Values) -> Values:
        """Return persistent for each disk."""
        return dict.fromkeys(values, PERSISTENT)

    def apply(self, ctx: Context, vm: str, values: Values, op: str) -> None:
        """Set the modes."""
        ctx.source.set_disk_modes(vm, tuple(values.items()), op)


class DisconnectMedia(_Change):
    """CD and floppy drives are unplugged, now and at power-on; what they hold stays named."""

    def plan(self, step: Step) -> str:
        """Describe the change."""
        return "disconnect its CD and floppy drives"

    def now(self, ctx: Context, step: Step, found: Configuration) -> Values:
        """Return [connected, connected at power-on, media] of each drive."""
        return {drive.key: [drive.connected, drive.starts_connected, drive.media] for drive in found.drives}

    def wanted(self, step: Step, values: Values) -> Values:
        """Return each drive unplugged."""
        return {key: [False, False, media] for key, (_, _, media) in values.items()}

    def apply(self, ctx: Context, vm: str, values: Values, op: str) -> None:
        """Plug or unplug."""
        states = tuple((key, connected, starts) for key, (connected, starts, _) in values.items())
        ctx.source.set_drives(vm, states, op)


class Consolidate:
    """Delta files that belong to no snapshot are merged. It loses nothing and has no way back."""

    def plan(self, step: Step) -> str:
        """Describe the merge."""
        return "merge delta files that belong to no snapshot; cannot and need not be taken back"

    def act(self, ctx: Context, step: Step, op: str) -> Result:
        """Merge, if it is needed; raises StepFailed when it is needed still."""
        needed = looked(ctx, step).consolidation_needed
        if seen(ctx, step).consolidation_needed:
            needed = True
            ctx.source.consolidate(step.params["vm"], op)
            if seen(ctx, step).consolidation_needed:
                raise StepFailed(
                    f"{step.title}: it is needed still", "look for a backup that holds its disks"
                )
        return {"changed": needed}

    def verify(self, ctx: Context, step: Step, op: str) -> Result | None:
        """Ask whether it is still needed."""
        if seen(ctx, step).consolidation_needed:
            return None
        return {"changed": looked(ctx, step).consolidation_needed}

    def undo(self, ctx: Context, step: Step, op: str) -> Result:
        """Do nothing: what was merged is whole."""
        return {}
