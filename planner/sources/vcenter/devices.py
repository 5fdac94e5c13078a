"""What else hangs on a machine: CD drives, and the devices that resist a move."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from planner.model import Cdrom, Device, DeviceKind
from planner.names import visible
from planner.sources.vcenter.adapters import SRIOV, is_adapter
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.disks import CONTROLLERS
from planner.sources.vcenter.surroundings import Surroundings
from planner.sources.vcenter.values import at, flag, text

_KINDS = {
    "VirtualPCIPassthrough": DeviceKind.PASSTHROUGH,
    "VirtualSCSIPassthrough": DeviceKind.PASSTHROUGH,
    SRIOV: DeviceKind.SRIOV,
    "VirtualUSB": DeviceKind.USB,
    "VirtualUSBController": DeviceKind.USB_CONTROLLER,
    "VirtualUSBXHCIController": DeviceKind.USB_CONTROLLER,
    "VirtualSerialPort": DeviceKind.SERIAL,
    "VirtualParallelPort": DeviceKind.PARALLEL,
    "VirtualFloppy": DeviceKind.FLOPPY,
    "VirtualTPM": DeviceKind.TPM,
    "VirtualNVDIMM": DeviceKind.NVDIMM,
    "VirtualPrecisionClock": DeviceKind.PRECISION_CLOCK,
    "VirtualWDT": DeviceKind.WATCHDOG,
    "VirtualSoundCard": DeviceKind.SOUND,
    "VirtualSoundBlaster16": DeviceKind.SOUND,
    "VirtualEnsoniq1371": DeviceKind.SOUND,
    "VirtualHdAudioCard": DeviceKind.SOUND,
}
# Known, and nothing to say of: they are told with their disks, or are part of every machine.
_SILENT = {"VirtualDisk", "VirtualCdrom", "VirtualNVDIMMController", "VirtualVMIROM", *CONTROLLERS}


def cdroms(devices: Iterable[Any]) -> tuple[Cdrom, ...]:
    """Return the CD drives among a machine's devices."""
    return tuple(
        Cdrom(
            label=text(device, "deviceInfo", "label") or f"CD/DVD drive {text(device, 'key')}",
            connected=flag(device, "connectable", "connected"),
            media=_media(at(device, "backing")),
            starts_connected=flag(device, "connectable", "startConnected"),
        )
        for device in devices
        if text(device, "@") == "VirtualCdrom"
    )


def _media(backing: Any) -> str:
    kind = text(backing, "@")
    if "Iso" in kind or "Image" in kind:
        return text(backing, "fileName")
    where = "Remote device" if "Remote" in kind else "Host device" if kind else ""
    return f"{where} {text(backing, 'deviceName')}".strip()


def others(item: RawObject, devices: Iterable[Any], around: Surroundings) -> tuple[Device, ...]:
    """Return all other devices that a move has to know of; kinds nobody knows are counted."""
    found = []
    for device in devices:
        name = text(device, "@")
        kind = _KINDS.get(name)
        if kind is None:
            if name not in _SILENT and not is_adapter(device):
                around.odd(
                    item.ref.id,
                    f"devices are of kind {visible(name, 60) or 'none'}, which wherry does not know",
                )
            continue
        if kind is DeviceKind.PASSTHROUGH and "Vmiop" in text(device, "backing", "@"):
            kind = DeviceKind.VGPU
        found.append(
            Device(
                kind=kind,
                label=text(device, "deviceInfo", "label") or name.removeprefix("Virtual"),
                connected=flag(device, "connectable", "connected"),
                detail=_detail(device, kind),
            )
        )
    return tuple(found)


def _detail(device: Any, kind: DeviceKind) -> str:
    backing = at(device, "backing")
    if kind is DeviceKind.VGPU:
        return text(backing, "vgpu")
    if kind is DeviceKind.SRIOV:
        return text(device, "sriovBacking", "physicalFunctionBacking", "id") or text(device, "macAddress")
    if kind is DeviceKind.FLOPPY and "Image" in text(backing, "@"):
        return text(backing, "fileName")
    return (
        text(backing, "fileName")
        or text(backing, "deviceName")
        or text(backing, "serviceURI")
        or text(backing, "pipeName")
        or text(backing, "id")
    )
