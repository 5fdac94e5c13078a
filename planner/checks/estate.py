"""What a check may look at besides the object itself: the estate seen once, indexed.

Indexes of VMs hold only movable ones, and only what the source said: a blank is never a duplicate.
Names of hosts, clusters, datastores and networks are looked up within one vCenter; a datastore name
that stands there twice, in two datacenters, is not looked up at all.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from planner.checks.landing import Landing, landing
from planner.checks.lookup import Index, Lookup, enter, lookup
from planner.model import VM, Cluster, Datastore, Disk, Host, Inventory, Lun, Network, Volume
from planner.names import visible
from planner.volumes import datastore_of, folder_of, own_volume, shared_volumes

if TYPE_CHECKING:
    from planner.settings import Settings

Place = tuple[str, str]  # (vCenter, name)
Placed = TypeVar("Placed", Host, Cluster, Datastore, Network)


@dataclass(frozen=True, slots=True)
class Estate:
    """An inventory with indexes. ``taken_at`` is None when the inventory's time cannot be read.

    ``target`` is the estate it goes to and ``landing`` what that offers, None when none was discovered;
    ``settings`` are the project's. ``users`` counts the movable VMs with a disk on a datastore.
    """

    inventory: Inventory
    taken_at: datetime | None
    gaps: frozenset[str]
    settings: Settings | None
    target: Estate | None
    landing: Landing | None
    shared: dict[tuple[str, str], Volume]  # (VM id, disk key), of volumes that several VMs use
    sharers: dict[str, tuple[VM, ...]]  # by volume id
    by_name: Index
    by_mac: Index
    by_address: Index
    by_folder: Index  # the folder of the vmx file, on whatever datastore
    users: Mapping[Place, int]
    hosts: dict[Place, Host]
    clusters: dict[Place, Cluster]
    datastores: dict[Place, Datastore]
    networks: dict[Place, Network]
    members: Mapping[Place, frozenset[str]]  # of a cluster: ids of its hosts
    luns: Mapping[str, Lun]  # by canonical name and by id, in lower case
    sole_vcenter: str  # of all VMs, empty when there are several
    lookup: Lookup
    memo: dict[str, object] = field(default_factory=dict, compare=False, repr=False)  # worked out once

    def place(self, item: VM | Host | Cluster | Datastore | Network, name: str) -> Place:
        """Return the key of a name beside an object; objects that name no vCenter are in the only one."""
        return item.vcenter or self.sole_vcenter, name

    def datastore(self, vm: VM, path: str) -> Datastore | None:
        """Return the datastore of one of the VM's files, None when it is not known."""
        name = datastore_of(path)
        return self.datastores.get(self.place(vm, name)) if name else None

    def lacks(self, vm: VM, kind: str) -> bool:
        """Return whether the VM's source had no word on a kind of device or detail."""
        return kind in self.gaps or kind in vm.gaps

    def others(self, vm: VM, disk_key: str) -> Others:
        """Return the other VMs attached to the volume of a disk, each once."""
        volume = self.shared.get((vm.id, disk_key))
        return Others(vm, self.sharers[volume.id] if volume else (vm,))

    def volume(self, vm: VM, disk: Disk) -> Volume:
        """Return the volume of a disk, with all its attachments."""
        return self.shared.get((vm.id, disk.key)) or own_volume(vm, disk)


@dataclass(frozen=True, slots=True)
class Others:
    """All VMs of ``found`` but one, which is among them; nothing is copied, however many there are."""

    vm: VM
    found: Sequence[VM]

    def __len__(self) -> int:
        return len(self.found) - 1

    def __iter__(self) -> Iterator[VM]:
        return (other for other in self.found if other.id != self.vm.id)


def names_of(vms: Others | Sequence[VM], limit: int = 3) -> str:
    """Return VM names for a sentence, at most ``limit`` of them."""
    names = [visible(vm.name, 60) for vm in islice(vms, limit)]
    rest = len(vms) - limit
    return ", ".join(names) + (f" and {rest} more" if rest > 0 else "")


def besides(vm: VM, found: Sequence[VM]) -> Others:
    """Return the VMs that are not this one, which is among them; as many as there are cost nothing."""
    return Others(vm, found)


def moment(said: str) -> datetime | None:
    """Return an ISO 8601 time as aware UTC time, None when it is none."""
    try:
        found = datetime.fromisoformat(said)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def days_left(said: str, at: datetime | None) -> tuple[int, str] | None:
    """Return the days from a time until one that is said, and its date; None when either is not known."""
    ends = moment(said)
    return None if ends is None or at is None else ((ends - at).days, ends.date().isoformat())


def _by_place(items: Sequence[Placed], sole_vcenter: str) -> dict[Place, Placed]:
    return {(item.vcenter or sole_vcenter, item.name): item for item in items}


def _unambiguous(stores: Sequence[Datastore], sole_vcenter: str) -> dict[Place, Datastore]:
    counted = Counter((store.vcenter or sole_vcenter, store.name) for store in stores)
    found = _by_place(stores, sole_vcenter)
    return {place: store for place, store in found.items() if counted[place] == 1}


def _members(hosts: Sequence[Host], sole_vcenter: str) -> dict[Place, frozenset[str]]:
    found: defaultdict[Place, set[str]] = defaultdict(set)
    for host in hosts:
        if host.cluster:
            found[host.vcenter or sole_vcenter, host.cluster].add(host.id)
    return {place: frozenset(ids) for place, ids in found.items()}


def _users(volume: Volume) -> tuple[VM, ...]:
    return tuple({item.vm.id: item.vm for item in volume.attachments}.values())


def survey(inventory: Inventory, settings: Settings | None = None, target: Estate | None = None) -> Estate:
    """Return the estate of an inventory; one pass over its VMs."""
    by_name: dict[str, list[VM]] = {}
    by_mac: dict[str, list[VM]] = {}
    by_address: dict[str, list[VM]] = {}
    by_folder: dict[str, list[VM]] = {}
    users: Counter[Place] = Counter()
    vcenters = {vm.vcenter for vm in inventory.vms}
    sole = vcenters.pop() if len(vcenters) == 1 else ""
    for vm in inventory.vms:
        if not vm.movable:
            continue
        enter(by_name, vm.name.casefold(), vm)
        if folder := folder_of(vm.vmx_path):
            enter(by_folder, folder, vm)
        for name in {datastore_of(disk.path) for disk in vm.disks}:
            if name:
                users[vm.vcenter or sole, name] += 1
        for nic in vm.nics:
            if nic.mac:
                enter(by_mac, nic.mac.casefold(), vm)
            for address in nic.addresses:
                # Every guest has these; they identify nobody.
                if not address.casefold().startswith(("fe80:", "169.254.", "127.", "::1")):
                    enter(by_address, address.casefold(), vm)
    shared = shared_volumes(inventory)
    return Estate(
        inventory=inventory,
        taken_at=moment(inventory.taken_at),
        gaps=frozenset(inventory.gaps),
        settings=settings,
        target=target,
        landing=landing(target.inventory) if target else None,
        shared={(item.vm.id, item.disk.key): volume for volume in shared for item in volume.attachments},
        sharers={volume.id: _users(volume) for volume in shared},
        by_name=by_name,
        by_mac=by_mac,
        by_address=by_address,
        by_folder=by_folder,
        users=users,
        hosts=_by_place(inventory.hosts, sole),
        clusters=_by_place(inventory.clusters, sole),
        datastores=_unambiguous(inventory.datastores, sole),
        networks=_by_place(inventory.networks, sole),
        members=_members(inventory.hosts, sole),
        luns={word.casefold(): lun for lun in inventory.luns for word in (lun.name, lun.uuid) if word},
        sole_vcenter=sole,
        lookup=lookup(inventory, sole),
    )
