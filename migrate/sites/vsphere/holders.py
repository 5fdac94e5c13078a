"""Which VMs hold a disk: its file, as it is and at their snapshots, and whether they run.

A datastore says which VMs have files on it, so that only those are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.datastore_path import DatastorePath
from planner.model import Backing, BusSharing
from planner.sources.vcenter.answers import Value, plain, type_of
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.disks import CONTROLLERS
from planner.sources.vcenter.paths import Kind
from planner.sources.vcenter.soap import Ref
from planner.sources.vcenter.values import at, text, whole

_RAW = "VirtualDiskRawDisk"  # how the backings of mappings begin


def _disks(element: Any) -> Value:
    kinds = {"VirtualDisk", *CONTROLLERS}
    return [plain(device) for device in element if type_of(device) in kinds]


_HOLDING = Kind(
    "virtual machines",
    ("VirtualMachine",),
    {"VirtualMachine": ("name", "config.hardware.device", "runtime.powerState", "runtime.host")},
    {"config.hardware.device": _disks},
)
_FROZEN = Kind(
    "snapshots",
    (),
    {"VirtualMachineSnapshot": ("config.hardware.device",)},
    {"config.hardware.device": _disks},
)
_ON = Kind("datastores", (), {"Datastore": ("vm",)})


@dataclass(frozen=True, slots=True)
class HeldDisk:
    """A disk of a VM, or of a snapshot of one. ``file`` is what it is written to, a delta file perhaps."""

    vm: Ref
    name: str
    host: str
    running: bool
    key: str
    file: DatastorePath
    size_bytes: int
    backing: Backing
    uuid: str
    lun_uuid: str
    device: str
    mode: str
    sharing: BusSharing = BusSharing.NONE
    multi_writer: bool = False


class Holders:
    """Finds the VMs of disks; asked anew each time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_file(self, file: DatastorePath, store: Ref) -> tuple[HeldDisk, ...]:
        """Return every VM's disk whose base is ``file`` of a datastore; raises BadInput, Unreachable."""
        item = self._connection.one(_ON, store)
        found = item.values.get("vm", ()) if item else ()
        ids = [found] if isinstance(found, str) else found
        held = self.of_vms(Ref("VirtualMachine", str(one)) for one in ids)
        return tuple(disk for disk in held if disk.file.base == file.base)

    def of_vms(self, vms: Iterable[Ref]) -> tuple[HeldDisk, ...]:
        """Return all disks of some VMs; those that are gone are left out."""
        return tuple(disk for item in self._connection.read(_HOLDING, vms) for disk in _held(item))

    def mappings(self) -> tuple[HeldDisk, ...]:
        """Return every raw device mapping of every VM of the vCenter."""
        found = self._connection.find(
            _HOLDING, lambda item: tuple(disk for disk in _held(item) if disk.backing.is_rdm)
        )
        return tuple(disk for one in found for disk in one)

    def frozen(self, disk: HeldDisk, snapshot: str) -> DatastorePath | None:
        """Return the file of a disk at a snapshot (its managed object id), None when it has none there."""
        item = self._connection.one(_FROZEN, Ref("VirtualMachineSnapshot", snapshot))
        for device in item.values.get("config.hardware.device", ()) if item else ():
            if text(device, "key") == disk.key:
                return _file(device)
        return None


def _held(item: RawObject) -> Iterable[HeldDisk]:
    values = item.values
    devices = values.get("config.hardware.device", ())
    buses = {text(one, "key"): text(one, "sharedBus") for one in devices}
    for device in devices:
        file = _file(device)
        if file is None:
            continue
        backing = at(device, "backing")
        yield HeldDisk(
            vm=item.ref,
            name=text(values.get("name")),
            host=text(values.get("runtime.host")),
            running=text(values.get("runtime.powerState")) != "poweredOff",
            key=text(device, "key"),
            file=file,
            size_bytes=whole(device, "capacityInBytes") or (whole(device, "capacityInKB") or 0) * 1024,
            backing=_backing(backing),
            uuid=text(backing, "uuid"),
            lun_uuid=text(backing, "lunUuid"),
            device=text(backing, "deviceName"),
            mode=text(backing, "diskMode"),
            sharing=BusSharing(buses.get(text(device, "controllerKey")) or BusSharing.NONE),
            multi_writer=text(backing, "sharing") == "sharingMultiWriter",
        )


def _backing(backing: Any) -> Backing:
    if not text(backing, "@").startswith(_RAW):
        return Backing.VMDK
    virtual = text(backing, "compatibilityMode") == "virtualMode"
    return Backing.RDM_VIRTUAL if virtual else Backing.RDM_PHYSICAL


def _file(device: Any) -> DatastorePath | None:
    name = text(device, "backing", "fileName") or text(device, "backing", "descriptorFileName")
    return DatastorePath.parse(name) if name else None
