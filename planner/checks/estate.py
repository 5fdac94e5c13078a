"""What a check may look at besides the object itself: the estate seen once, indexed.

Indexes of VMs hold only movable ones, and only what the source said: a blank is never a duplicate.
Names of hosts, clusters, datastores and networks are looked up within one vCenter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from planner.model import VM, Cluster, Datastore, Host, Inventory, Network, Volume
from planner.names import visible
from planner.volumes import volumes

if TYPE_CHECKING:
    from planner.settings import Settings

Place = tuple[str, str]  # (vCenter, name)


@dataclass(frozen=True, slots=True)
class Estate:
    """An inventory with indexes. ``taken_at`` is None when the inventory's time cannot be read.

    ``target`` is the estate it goes to, None when none was discovered; ``settings`` are the project's.
    """

    inventory: Inventory
    taken_at: datetime | None
    gaps: frozenset[str]
    settings: Settings | None
    target: Estate | None
    volume_of: dict[tuple[str, str], Volume]  # (VM id, disk key)
    by_name: dict[str, tuple[VM, ...]]
    by_mac: dict[str, tuple[VM, ...]]
    by_address: dict[str, tuple[VM, ...]]
    hosts: dict[Place, Host]
    clusters: dict[Place, Cluster]
    datastores: dict[Place, Datastore]
    networks: dict[Place, Network]

    def lacks(self, vm: VM, kind: str) -> bool:
        """Return whether the VM's source had no word on a kind of device or detail."""
        return kind in self.gaps or kind in vm.gaps

    def others(self, vm: VM, disk_key: str) -> tuple[VM, ...]:
        """Return the other VMs attached to the volume of a disk, each once."""
        volume = self.volume_of[vm.id, disk_key]
        found = {item.vm.id: item.vm for item in volume.attachments if item.vm.id != vm.id}
        return tuple(found.values())


def names_of(vms: Iterable[VM], limit: int = 3) -> str:
    """Return VM names for a sentence, at most ``limit`` of them."""
    names = [visible(vm.name, 60) for vm in vms]
    rest = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {rest} more" if rest > 0 else "")


def moment(said: str) -> datetime | None:
    """Return an ISO 8601 time as aware UTC time, None when it is none."""
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def survey(inventory: Inventory, settings: Settings | None = None, target: Estate | None = None) -> Estate:
    """Return the estate of an inventory; one pass over its VMs."""
    by_name: defaultdict[str, dict[str, VM]] = defaultdict(dict)
    by_mac: defaultdict[str, dict[str, VM]] = defaultdict(dict)
    by_address: defaultdict[str, dict[str, VM]] = defaultdict(dict)
    for vm in inventory.vms:
        if not vm.movable:
            continue
        by_name[vm.name.casefold()][vm.id] = vm
        for nic in vm.nics:
            if nic.mac:
                by_mac[nic.mac.casefold()][vm.id] = vm
            for address in nic.addresses:
                # Every guest has these; they identify nobody.
                if not address.casefold().startswith(("fe80:", "169.254.", "127.", "::1")):
                    by_address[address.casefold()][vm.id] = vm
    return Estate(
        inventory=inventory,
        taken_at=moment(inventory.taken_at),
        gaps=frozenset(inventory.gaps),
        settings=settings,
        target=target,
        volume_of={
            (item.vm.id, item.disk.key): volume
            for volume in volumes(inventory)
            for item in volume.attachments
        },
        by_name={key: tuple(vms.values()) for key, vms in by_name.items()},
        by_mac={key: tuple(vms.values()) for key, vms in by_mac.items()},
        by_address={key: tuple(vms.values()) for key, vms in by_address.items()},
        hosts={(host.vcenter, host.name): host for host in inventory.hosts},
        clusters={(cluster.vcenter, cluster.name): cluster for cluster in inventory.clusters},
        datastores={(store.vcenter, store.name): store for store in inventory.datastores},
        networks={(network.vcenter, network.name): network for network in inventory.networks},
    )
