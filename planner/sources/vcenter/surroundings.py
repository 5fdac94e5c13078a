"""All that a machine's properties refer to by id, ready to be looked up, and what was odd on the way.

Two are equal when the same machine would be told the same of both: then machines that have not
changed themselves need not be mapped again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from planner.sources.vcenter.clusters import Exceptions
from planner.sources.vcenter.luns import LunNames
from planner.sources.vcenter.places import Places
from planner.sources.vcenter.policies import Policies

Tags = Mapping[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class HostPlace:
    """Where a host is."""

    name: str
    cluster: str = ""
    datacenter: str = ""
    cluster_id: str = ""


@dataclass(slots=True)
class Surroundings:
    """Looks up what stands around machines. ``tags``, ``policies``, ``extensions`` are None where unknown."""

    vcenter: str
    places: Places
    hosts: Mapping[str, HostPlace] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)  # names by id
    port_groups: Mapping[str, str] = field(default_factory=dict)  # names by key
    switches: Mapping[str, str] = field(default_factory=dict)  # names by uuid
    luns: LunNames = field(default_factory=LunNames)
    exceptions: Exceptions = field(default_factory=Exceptions)
    attributes: Mapping[str, str] = field(default_factory=dict)  # names by key
    tags: Tags | None = None
    policies: Policies | None = None
    network_switches: Mapping[str, str] = field(default_factory=dict)  # switch by id of a network
    extensions: tuple[str, ...] | None = None  # keys of what is registered with the vCenter
    oddities: dict[str, list[str]] = field(default_factory=dict, compare=False)  # by VM id

    def odd(self, vm: str, what: str) -> None:
        """Remember something odd of a machine: a clause that follows a count."""
        self.oddities.setdefault(vm, []).append(what)

    def notes(self, vms: Collection[str]) -> tuple[str, ...]:
        """Return one sentence for each kind of oddity of these machines and of the folders."""
        counts = Counter(what for vm, said in self.oddities.items() if vm in vms for what in said)
        notes = [f"{count:,} {what}" for what, count in sorted(counts.items())]
        if self.places.rings:
            rings = len(self.places.rings)
            notes.append(f"{rings:,} folders stand above themselves: their paths end where the ring closes")
        return tuple(notes)
