"""What of the conduct concerns one wave, as the plan holds it and people sign it.

    Conduct ── conduct_planning: filters over the VMs of the wave ──▶ PlannedConduct

The same parts as in the settings, but ``vms`` of a probe and of a hook are the ids that its filter found
when the plan was made, in the order of the wave; what finds none is left out. A hook whose ``vms`` is
empty is done once for the wave. ``addresses`` are by VM id: what the settings say, else the first one that
its guest gets, else the first that the inventory knows; ``home_addresses`` are those of today, where they are
others. ``test_networks`` are those that the wave plugs into.
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from planner.conduct import Conduct, Ending, Gates, HookRule, Part, ProbeRule
from planner.conduct_addressing import WAYS, NicAddresses


class PlannedProbe(ProbeRule):
    """A probe, and the ids of the VMs that are asked."""

    vms: tuple[str, ...]


class PlannedHook(HookRule):
    """A hook, and the ids of the VMs that it is done for, one after the other; none = once."""

    vms: tuple[str, ...] = ()


class PlannedNic(Part):
    """The addresses that one adapter of a guest gets: at the target, in a booted copy, on the way home."""

    vm: str
    nic: str
    live: NicAddresses | None = None
    test: NicAddresses | None = None
    home: NicAddresses | None = None
    by_hand: str = Field("", description="why a person has to set them; empty = the site can")

    @property
    def ways(self) -> list[tuple[str, NicAddresses]]:
        """What it gets, with the way: live, test, home; those that nobody said are left out."""
        return [(way, said) for way in WAYS if (said := getattr(self, way)) is not None]


class PlannedEnding(Ending):
    """An ending as it was signed. What a plan does not say was approved without it."""

    folder: str = Field("", description="where fenced sources are moved to; empty = they stay")
    reverse: bool = Field(
        False,
        description="after commit, protect the target's VMs at the source, in a journal that keeps what was "
        "committed",
    )


class PlannedConduct(Part):
    """How the cutover of one wave is conducted."""

    probes: tuple[PlannedProbe, ...] = ()
    hooks: tuple[PlannedHook, ...] = ()
    gates: Gates = Gates()
    ending: PlannedEnding = PlannedEnding()
    addresses: dict[str, str] = Field(default_factory=dict, description="VM id → address at the target")
    home_addresses: dict[str, str] = Field(
        default_factory=dict, description="VM id → address at the source, where it is another"
    )
    nics: tuple[PlannedNic, ...] = Field((), description="addresses that adapters of guests get")
    test_networks: dict[str, str] = Field(
        default_factory=dict, description="target network → isolated network of rehearsals"
    )

    def probes_of(self, vm: str) -> list[PlannedProbe]:
        """Return the probes of a VM, in order."""
        return [probe for probe in self.probes if vm in probe.vms]

    def nics_of(self, vm: str) -> list[PlannedNic]:
        """Return the adapters of a VM that get other addresses."""
        return [nic for nic in self.nics if nic.vm == vm]

    def homeward(self) -> PlannedConduct:
        """Return it as seen from the target: what was home is where the wave goes."""
        nics = tuple(one.model_copy(update={"live": one.home, "home": one.live}) for one in self.nics)
        addresses = {**self.addresses, **self.home_addresses}
        return self.model_copy(update={"nics": nics, "addresses": addresses, "home_addresses": {}})


def said_of(conduct: Conduct) -> dict[str, Any]:
    """Return what settings say of a conduct beside what a plan leaves out, as a fingerprint takes it."""
    body = conduct.model_dump(mode="json", exclude_defaults=True)
    ending = PlannedEnding(**conduct.ending.model_dump()).model_dump(mode="json", exclude_defaults=True)
    body.pop("ending", None)
    return {**body, **({"ending": ending} if ending else {})}
