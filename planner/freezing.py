"""Which disks no snapshot holds where VMs are frozen one by one, as a vCenter freezes them.

    a controller whose bus is shared                 no snapshot of the VM, so of none of its disks
    a disk that several VMs write (multi-writer)     the same: "cannot snapshot shared disk"
    such a disk, independent                         snapshots work, and leave that disk out

So vSphere has it (Broadcom KB 326781, fault SnapshotIncompatibleDeviceInVm of its API). A lab freezes a whole
group at one instant, shared disks too. A physical RDM is in no snapshot anywhere: it is told by its backing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from planner.model import BusSharing

if TYPE_CHECKING:
    from planner.model import Volume
    from planner.plan import Wave
    from planner.settings import Settings


class Held(Protocol):
    """How a VM holds a disk; what nobody knows is None."""

    @property
    def bus_sharing(self) -> BusSharing | None: ...
    @property
    def multi_writer(self) -> bool | None: ...
    @property
    def independent(self) -> bool: ...


def is_shared(held: Held) -> bool:
    """Return whether several VMs may use a disk at a time, as one VM holds it."""
    return bool(held.multi_writer) or held.bus_sharing not in (None, BusSharing.NONE)


def forbids_snapshots(held: Held) -> bool:
    """Return whether vSphere takes no snapshot of a VM that holds a disk so."""
    return is_shared(held) and not (held.independent and held.bus_sharing in (None, BusSharing.NONE))


def is_one_by_one(settings: Settings, role: str) -> bool:
    """Return whether the site that has a role freezes its VMs one after another."""
    return any(site.role == role and site.url.startswith("vcenter://") for site in settings.sites.values())


def unfrozen(wave: Wave) -> frozenset[str]:
    """Return the volumes of a wave that no snapshot of a single VM holds, without physical RDMs."""
    bare = {item.vm for disk in wave.disks for item in disk.attachments if forbids_snapshots(item)}
    return frozenset(
        disk.volume
        for disk in wave.disks
        if any(item.vm in bare or is_shared(item) for item in disk.attachments)
    )


def unfrozen_at(settings: Settings, role: str, wave: Wave) -> frozenset[str]:
    """Return the volumes that the site of a role cannot freeze, none where it freezes whole groups."""
    return unfrozen(wave) if is_one_by_one(settings, role) else frozenset()


def is_unfrozen(volume: Volume) -> bool:
    """Return the same of one volume of an inventory."""
    return any(
        is_shared(item.disk) or any(forbids_snapshots(disk) for disk in item.vm.disks)
        for item in volume.attachments
    )
