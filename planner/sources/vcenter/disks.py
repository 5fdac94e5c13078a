"""Virtual disks of a machine, every kind of backing, with the controllers they hang on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from planner.model import Backing, BusSharing, Controller, Disk
from planner.names import visible
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.surroundings import Surroundings
from planner.sources.vcenter.values import at, flag, many, number, text, whole
from planner.volumes import base_path

CONTROLLERS = {
    "ParaVirtualSCSIController": Controller.PVSCSI,
    "VirtualLsiLogicController": Controller.LSI_LOGIC,
    "VirtualLsiLogicSASController": Controller.LSI_SAS,
    "VirtualBusLogicController": Controller.BUS_LOGIC,
    "VirtualIDEController": Controller.IDE,
    "VirtualAHCIController": Controller.SATA,
    "VirtualSATAController": Controller.SATA,
    "VirtualNVMEController": Controller.NVME,
}
_SETTING = {Controller.IDE: "ide", Controller.SATA: "sata", Controller.NVME: "nvme"}  # else scsi
_SHARING = {sharing.value: sharing for sharing in BusSharing}
_MULTI_WRITER = {"sharingMultiWriter": True, "sharingNone": False}
_FORMATS = {
    "VirtualDiskFlatVer1BackingInfo": "flat",
    "VirtualDiskFlatVer2BackingInfo": "flat",
    "VirtualDiskSparseVer1BackingInfo": "sparse",
    "VirtualDiskSparseVer2BackingInfo": "sparse",
    "VirtualDiskSeSparseBackingInfo": "sesparse",
    "VirtualDiskLocalPMemBackingInfo": "pmem",
    "VirtualDiskRawDiskMappingVer1BackingInfo": "rdm",
    "VirtualDiskRawDiskVer2BackingInfo": "rdm",
    "VirtualDiskPartitionedRawDiskVer2BackingInfo": "rdm",
}
_GROWS = {"sparse", "sesparse"}


def disks(item: RawObject, devices: Iterable[Any], around: Surroundings) -> tuple[Disk, ...]:
    """Return the disks among a machine's devices."""
    found = list(devices)
    controllers = {text(one, "key"): one for one in found if text(one, "@") in CONTROLLERS}
    used = _used(item)
    settings = item.values.get("config.extraConfig")
    tracked = flag(item.values.get("config.changeTrackingEnabled"))
    return tuple(
        _disk(item.ref.id, device, controllers, used, settings, tracked, around)
        for device in found
        if text(device, "@") == "VirtualDisk"
    )


def _disk(
    vm: str,
    device: Any,
    controllers: Mapping[str, Any],
    used: Mapping[str, int],
    settings: Any,
    tracked: bool | None,
    around: Surroundings,
) -> Disk:
    backing = at(device, "backing")
    kind = text(backing, "@")
    form = _FORMATS.get(kind, "")
    if not form:
        around.odd(vm, f"disks are backed by {visible(kind, 60) or 'nothing'}, which wherry does not know")
    raw = form == "rdm"
    holder = controllers.get(text(device, "controllerKey"))
    controller = CONTROLLERS.get(text(holder, "@"))
    bus, unit = whole(holder, "busNumber"), whole(device, "unitNumber")
    path = text(backing, "fileName") or text(backing, "descriptorFileName")
    key = text(device, "key")
    cache = whole(device, "vFlashCacheConfigInfo", "reservationInMB")
    return Disk(
        key=key,
        label=text(device, "deviceInfo", "label") or f"Disk {key}",
        size_bytes=_size(vm, device, around),
        backing=_backing(backing, raw),
        path=base_path(path),
        lun=around.luns.canonical(text(backing, "lunUuid"), text(backing, "deviceName")) if raw else "",
        used_bytes=None if raw else used.get(key),
        thin=None if raw else True if form in _GROWS else flag(backing, "thinProvisioned"),
        mode=text(backing, "diskMode"),
        multi_writer=_MULTI_WRITER.get(text(backing, "sharing")),
        controller=text(holder, "deviceInfo", "label"),
        bus=bus,
        unit=unit,
        bus_sharing=_bus_sharing(holder, controller),
        controller_kind=controller,
        uuid=text(backing, "uuid"),
        format=form,
        parent=text(backing, "parent", "fileName") if form else None,
        cbt=_tracking(settings, controller, bus, unit, tracked),
        encrypted=at(backing, "keyId") is not None,
        filters=tuple(many(device, "iofilter")),
        flash_cache=bool(cache),
        policy=None if around.policies is None else around.policies.disks.get(f"{vm}:{key}", ""),
        iops_limit=whole(device, "storageIOAllocation", "limit"),
    )


def _backing(backing: Any, raw: bool) -> Backing:
    if not raw:
        return Backing.VMDK
    # A raw device without a mode is a whole disk of the host: nothing of it is virtual.
    return (
        Backing.RDM_VIRTUAL if text(backing, "compatibilityMode") == "virtualMode" else Backing.RDM_PHYSICAL
    )


def _size(vm: str, device: Any, around: Surroundings) -> int:
    said = whole(device, "capacityInBytes")
    if said is None:
        kib = number(device, "capacityInKB")
        said = None if kib is None else round(kib * 1024)
    if said is None or said < 0:
        around.odd(vm, "disks show no capacity: they count as 0 bytes")
        return 0
    return said


def _bus_sharing(holder: Any, controller: Controller | None) -> BusSharing | None:
    if controller in (Controller.IDE, Controller.SATA):
        return BusSharing.NONE  # these cannot be shared
    said = _SHARING.get(text(holder, "sharedBus"))
    # NVMe says so since version 8.0 U2; before it could not be shared either.
    return BusSharing.NONE if said is None and controller is Controller.NVME else said


def _tracking(
    settings: Any, controller: Controller | None, bus: int | None, unit: int | None, tracked: bool | None
) -> bool | None:
    if tracked is False:
        return False
    if controller is None or not isinstance(settings, dict):
        return None
    said = text(settings, f"{_SETTING.get(controller, 'scsi')}{bus}:{unit}.ctkenabled").casefold()
    return {"true": True, "1": True, "false": False, "0": False}.get(said)


def _used(item: RawObject) -> dict[str, int]:
    """Return what the files of each disk hold, its snapshots included, by disk key."""
    sizes = item.values.get("layoutEx.file")
    found = {}
    for layout in many(item.values.get("layoutEx.disk")):
        parts = [whole(sizes, key) for link in many(layout, "chain") for key in many(link, "fileKey")]
        known = [part for part in parts if part is not None]
        if known and len(known) == len(parts):
            found[text(layout, "key")] = sum(known)
    return found
