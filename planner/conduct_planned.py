"""What of the conduct concerns one wave, as the plan holds it and people sign it.

    Conduct ── conduct_planning: filters over the VMs of the wave ──▶ PlannedConduct

The same parts as in the settings, but ``vms`` of a probe and of a hook are the ids that its filter found
when the plan was made, in the order of the wave; what finds none is left out. A hook whose ``vms`` is
empty is done once for the wave. ``addresses`` are by VM id: what the settings say, else the first one that
the inventory knows. ``test_networks`` are those that the wave plugs into.
"""

from __future__ import annotations

from pydantic import Field

from planner.conduct import Ending, Gates, HookRule, Part, ProbeRule


class PlannedProbe(ProbeRule):
    """A probe, and the ids of the VMs that are asked."""

    vms: tuple[str, ...]


class PlannedHook(HookRule):
    """A hook, and the ids of the VMs that it is done for, one after the other; none = once."""

    vms: tuple[str, ...] = ()


class PlannedConduct(Part):
    """How the cutover of one wave is conducted."""

    probes: tuple[PlannedProbe, ...] = ()
    hooks: tuple[PlannedHook, ...] = ()
    gates: Gates = Gates()
    ending: Ending = Ending()
    addresses: dict[str, str] = Field(default_factory=dict, description="VM id → address at the target")
    test_networks: dict[str, str] = Field(
        default_factory=dict, description="target network → isolated network of rehearsals"
    )

    def probes_of(self, vm: str) -> list[PlannedProbe]:
        """Return the probes of a VM, in order."""
        return [probe for probe in self.probes if vm in probe.vms]
