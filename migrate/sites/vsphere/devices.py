"""The devices of a VM to create, as pyvmomi sends them: controllers, disks that are there, adapters, drives.

Keys are those of the source: a vCenter gives the same ones to the same places, and the first few (PCI bus,
IDE controllers) are in every VM. A disk is attached where its replica lies and is never created here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from migrate.sites.definition import UNLIMITED, Adapter, Controller, Definition, DriveSlot, Slot
from migrate.sites.ports import NewDisk, NewNic, NewVM
from migrate.sites.vsphere.built import built, device_change
from migrate.sites.vsphere.defining import BOOTABLE, IDE_BUSES
from migrate.sites.vsphere.plainly import adapter_kind
from migrate.sites.vsphere.policies import NO_PROFILES
from planner.errors import SiteRefused
from planner.model import Backing
from planner.names import visible

# A vCenter takes MAC addresses of its own range only as assigned, others only as somebody's own.
_ASSIGNED = re.compile(r"00:0c:29|00:50:56:[4-9a-f]")


@dataclass(frozen=True, slots=True)
class Laid:
    """A replica as it lies at the site: ``place`` is its file or pointer."""

    place: str
    disk: NewDisk

    @property
    def identity(self) -> str:
        """What tells it from others at the site: its LUN or its file."""
        return self.disk.lun or self.place


def device_changes(
    vm: NewVM,
    definition: Definition,
    disks: Mapping[str, Laid],
    networks: Mapping[str, Any],
    profiles: Mapping[str, Iterable[Any]] = NO_PROFILES,
) -> list[Any]:
    """Return the additions for all devices of a VM.

    ``disks`` are replicas by the key that the plan gives an attachment, ``networks`` backings of adapters by
    the name of the network, ``profiles`` storage policies by their name. Raises
    SiteRefused for a disk that the definition knows no place for.
    """
    return [
        *map(_controller, definition.controllers),
        *_disks(vm, definition, disks, profiles),
        *_adapters(vm, definition, networks),
        *map(_drive, _standing(definition.drives, definition.controllers)),
    ]


def _on_bus(device: Any, slot: int) -> Any:
    if slot:
        device.slotInfo = built("VirtualDevicePciBusSlotInfo", pciSlotNumber=slot)
    return device


def _controller(one: Controller) -> Any:
    device = built(one.kind, key=one.key, busNumber=one.bus)
    if hasattr(device, "sharedBus"):
        device.sharedBus = one.sharing
    return device_change("add", _on_bus(device, one.slot))


def _disks(
    vm: NewVM, definition: Definition, disks: Mapping[str, Laid], profiles: Mapping[str, Iterable[Any]]
) -> Iterator[Any]:
    slots = slots_of(vm, definition)
    for item in vm.disks:
        slot, laid = slots[item.key], disks[item.key]
        device = built(
            "VirtualDisk",
            key=slot.key,
            controllerKey=slot.controller,
            unitNumber=slot.unit,
            capacityInBytes=laid.disk.size_bytes,
            capacityInKB=laid.disk.size_bytes >> 10,
            backing=_backing(laid, slot),
        )
        if slot.iops_limit != UNLIMITED:
            device.storageIOAllocation = built("StorageIOAllocationInfo", limit=slot.iops_limit)
        yield device_change("add", device, profiles[item.policy])


def slots_of(vm: NewVM, definition: Definition) -> dict[str, Slot]:
    """Return where each disk of a VM goes, by the key of its attachment; raises SiteRefused.

    A definition read of the source names its disks by the same keys, one made of a plan by bus and unit.
    """
    by_key = {str(slot.key): slot for slot in definition.disks}
    buses = IDE_BUSES | {one.key: one.bus for one in definition.controllers}
    by_place = {(buses.get(slot.controller, 0), slot.unit): slot for slot in definition.disks}
    found = {}
    for item in vm.disks:
        slot = by_key.get(item.key) if vm.definition is not None else None
        slot = slot or by_place.get((item.bus, item.unit))
        if slot is None:
            raise SiteRefused(
                f"disk {visible(item.key, 40)} of {visible(vm.name, 80)} hangs on no controller",
                "read the inventory again, then plan anew",
            )
        found[item.key] = slot
    return found


def _backing(laid: Laid, slot: Slot) -> Any:
    sharing = "sharingMultiWriter" if slot.multi_writer else None
    if not laid.disk.backing.is_rdm:
        return built(
            "VirtualDiskFlatVer2BackingInfo", fileName=laid.place, diskMode=slot.mode, sharing=sharing
        )
    physical = laid.disk.backing is Backing.RDM_PHYSICAL
    return built(
        "VirtualDiskRawDiskMappingVer1BackingInfo",
        fileName=laid.place,
        deviceName=f"/vmfs/devices/disks/{laid.disk.lun}" if laid.disk.lun else None,
        compatibilityMode="physicalMode" if physical else "virtualMode",
        diskMode=None if physical else slot.mode,
        sharing=sharing,
    )


def _adapters(vm: NewVM, definition: Definition, networks: Mapping[str, Any]) -> Iterator[Any]:
    known = {one.label: one for one in definition.adapters}
    keys = {one.key for one in definition.adapters}
    free = (key for key in range(4000, 4100) if key not in keys)
    for nic in vm.nics:
        one = known.get(nic.label) or Adapter(next(free), adapter_kind(nic.adapter), nic.label)
        device = built(
            one.kind,
            key=one.key,
            deviceInfo=built("Description", label=nic.label, summary=""),
            backing=networks[nic.network],
            addressType=_address_type(nic),
            macAddress=nic.mac.lower() or None,
            wakeOnLanEnabled=one.wakes,
            connectable=built(
                "VirtualDeviceConnectInfo",
                startConnected=one.starts_connected,
                allowGuestControl=True,
                connected=False,
            ),
        )
        yield device_change("add", _on_bus(device, one.slot))


def _address_type(nic: NewNic) -> str:
    """Return ``assigned`` also for an adapter without an address: then the vCenter chooses one."""
    return "manual" if nic.mac and not _ASSIGNED.match(nic.mac.lower()) else "assigned"


def _standing(drives: Iterable[DriveSlot], controllers: Iterable[Controller]) -> Iterator[DriveSlot]:
    """Yield the drives that have something to hang on; floppies have the one that is in every VM."""
    keys = {one.key for one in controllers} | IDE_BUSES.keys()
    for one in drives:
        if one.kind == "VirtualFloppy" or one.controller in keys:
            yield one


def _drive(one: DriveSlot) -> Any:
    backing = built("VirtualCdromRemotePassthroughBackingInfo", deviceName="", exclusive=False)
    if one.kind == "VirtualFloppy":
        backing = built("VirtualFloppyRemoteDeviceBackingInfo", deviceName="")
    return device_change(
        "add",
        built(
            one.kind,
            key=one.key,
            controllerKey=one.controller or None,
            unitNumber=one.unit,
            deviceInfo=built("Description", label=one.label, summary=""),
            backing=backing,
            connectable=built(
                "VirtualDeviceConnectInfo", startConnected=False, allowGuestControl=True, connected=False
            ),
        ),
    )


def boot_order(order: Iterable[str], slots: Iterable[Slot]) -> list[Any]:
    """Return a boot order as the API has it; devices that are not there are left out."""
    types = {word: kind for kind, word in BOOTABLE.items()}
    keys = {slot.key for slot in slots}
    found = []
    for name in order:
        word, _, key = name.partition(":")
        if word == "disk" and int(key) not in keys:
            continue
        found.append(built(types[word], **({"deviceKey": int(key)} if key else {})))
    return found
