"""What the target offers, worked out once for all VMs that are asked about it.

A host or datastore that does not say how much it has leaves the answer open: what no other one
offers may still be there. So every question is answered yes, no or ``None``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from planner.model import Datastore, Host, Inventory

# Enhanced vMotion Compatibility modes of each maker, older ones first.
_MODES = {
    "intel": "merom penryn nehalem westmere sandybridge ivybridge haswell broadwell skylake cascadelake "
    "icelake sapphirerapids",
    "amd": "rev-e rev-f greyhound-no3dnow greyhound bulldozer piledriver steamroller zen zen2 zen3 zen4",
}
_AGE = {
    f"{maker}-{mode}": (maker, at) for maker, modes in _MODES.items() for at, mode in enumerate(modes.split())
}


@dataclass(frozen=True, slots=True)
class Most:
    """The most of something that one object offers; ``certain`` when every one says how much."""

    value: int
    certain: bool

    def reaches(self, need: int) -> bool | None:
        """Return whether it is enough, None when an object that says nothing may offer more."""
        if need <= self.value:
            return True
        return False if self.certain else None


def _most(said: Iterable[int | None]) -> Most:
    values = list(said)
    return Most(max((value or 0 for value in values), default=0), bool(values) and all(values))


@dataclass(frozen=True, slots=True)
class Landing:
    """The estate that VMs come to. Sizes of hosts are (cores, bytes of memory), each once."""

    hw_version: Most
    sizes: frozenset[tuple[int, int]]
    sizes_certain: bool
    modes: frozenset[str]
    modes_certain: bool
    capacity: Most  # of one datastore, bytes
    free: Most  # of one datastore, bytes
    free_bytes: int  # of all datastores
    free_certain: bool
    luns: frozenset[str] | None  # canonical names and ids in lower case

    def runs(self, cpus: int, memory_bytes: int) -> bool | None:
        """Return whether a host carries so many virtual processors and so much memory.

        A host runs a VM with as many virtual processors as it has logical ones, two of each core.
        """
        for cores, memory in self.sizes:
            if cpus <= 2 * cores and memory_bytes <= memory:
                return True
        return False if self.sizes_certain else None

    def knows_mode(self, mode: str) -> bool | None:
        """Return whether a host runs at an EVC mode or a newer one of the same maker."""
        if mode in self.modes:
            return True
        if mode not in _AGE:
            return None
        maker, age = _AGE[mode]
        for offered in self.modes:
            if offered in _AGE and _AGE[offered][0] == maker and _AGE[offered][1] >= age:
                return True
        return False if self.modes_certain and self.modes <= _AGE.keys() else None


def _usable(store: Datastore) -> bool:
    return store.accessible is not False and not store.maintenance


def _mode(host: Host) -> str:
    return (host.evc_mode or host.evc_max or "").casefold()


def landing(target: Inventory) -> Landing:
    """Return what a target inventory offers; datastores that cannot be reached are left out."""
    stores = [store for store in target.datastores if _usable(store)]
    hosts = target.hosts
    names = {word.casefold() for lun in target.luns for word in (lun.name, lun.uuid) if word}
    return Landing(
        hw_version=_most(host.supported_hw_version for host in hosts),
        sizes=frozenset((host.cpus, host.memory_bytes) for host in hosts),
        sizes_certain=bool(hosts) and all(host.cpus > 0 and host.memory_bytes > 0 for host in hosts),
        modes=frozenset(mode for host in hosts if (mode := _mode(host))),
        modes_certain=bool(hosts) and all(map(_mode, hosts)),
        capacity=_most(store.capacity_bytes for store in stores),
        free=_most(store.free_bytes for store in stores),
        free_bytes=sum(store.free_bytes for store in stores),
        free_certain=bool(stores) and all(store.free_bytes > 0 for store in stores),
        luns=None if "luns" in target.gaps or not (names or hosts) else frozenset(names),
    )
