"""The part of a lab VM's .vmx that can be in the way of a move, read and written.

Keys are VMware's own where it has one: ``ctkEnabled``, ``virtualHW.version``, ``scsi0:0.mode``,
``sata0:0.deviceType``, ``floppy0.fileName``. Snapshots from before the lab are names only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from migrate.sites.configuration import PERSISTENT, Drive
from migrate.sites.ports import NewAttachment
from planner.model import VM, DeviceKind

_SLOT = re.compile(r"(sata0:\d+|floppy\d+)\.present")


@dataclass(frozen=True, slots=True)
class Hardware:
    """What remedies change. ``modes`` is (disk key, mode) of the disks that are not persistent."""

    version: int = 19
    cbt: bool = True
    tracking: bool = True
    modes: tuple[tuple[str, str], ...] = ()
    drives: tuple[Drive, ...] = ()
    consolidation_needed: bool = False
    snapshots: tuple[str, ...] = ()


def hardware_of(vm: VM) -> Hardware:
    """Return the hardware of an inventory's VM; what its source does not say is in nobody's way."""
    modes = ((disk.key, disk.mode.casefold().replace("-", "_")) for disk in vm.disks)
    floppies = [device for device in vm.devices if device.kind is DeviceKind.FLOPPY]
    return Hardware(
        version=vm.hw_version or Hardware().version,
        cbt=vm.cbt is not False,
        tracking=vm.cbt is not False,
        modes=tuple((key, mode) for key, mode in modes if mode not in ("", PERSISTENT)),
        drives=(
            *(
                Drive(
                    f"sata0:{number}",
                    drive.label,
                    bool(drive.connected),
                    bool(drive.connected if drive.starts_connected is None else drive.starts_connected),
                    drive.media,
                )
                for number, drive in enumerate(vm.cdroms)
            ),
            *(
                Drive(
                    f"floppy{number}",
                    device.label,
                    bool(device.connected),
                    bool(device.connected),
                    device.detail,
                )
                for number, device in enumerate(floppies)
            ),
        ),
        consolidation_needed=bool(vm.consolidation_needed),
        snapshots=tuple(snapshot.name for snapshot in vm.snapshots),
    )


def _flag(value: bool) -> str:
    return "TRUE" if value else "FALSE"


def write_hardware(hardware: Hardware, disks: Iterable[NewAttachment]) -> dict[str, str]:
    """Return the keys of a .vmx for a VM's hardware."""
    keys = {
        "virtualHW.version": str(hardware.version),
        "ctkEnabled": _flag(hardware.cbt),
        "wherry.tracking": _flag(hardware.tracking),
        "wherry.consolidationNeeded": _flag(hardware.consolidation_needed),
    }
    modes = dict(hardware.modes)
    for disk in disks:
        slot = f"scsi{disk.bus}:{disk.unit}"
        keys[f"{slot}.ctkEnabled"] = _flag(hardware.tracking)
        keys[f"{slot}.mode"] = modes.get(disk.key, PERSISTENT).replace("_", "-")
    for drive in hardware.drives:
        keys[f"{drive.key}.present"] = "TRUE"
        if drive.key.startswith("sata"):
            keys["sata0.present"] = "TRUE"
            keys[f"{drive.key}.deviceType"] = "cdrom-image" if drive.media else "atapi-cdrom"
        else:
            keys[f"{drive.key}.fileType"] = "file" if drive.media else "device"
        keys[f"{drive.key}.fileName"] = drive.media
        keys[f"{drive.key}.startConnected"] = _flag(drive.starts_connected)
        keys[f"wherry.{drive.key}.connected"] = _flag(drive.connected)
        keys[f"wherry.{drive.key}.label"] = drive.label
    for number, name in enumerate(hardware.snapshots):
        keys[f"wherry.snapshot{number}.displayName"] = name
    return keys


def read_hardware(keys: Mapping[str, str], disks: Iterable[NewAttachment]) -> Hardware:
    """Return the hardware that a .vmx describes; raises ValueError. A key that is missing means nothing."""
    modes = (
        (disk.key, keys.get(f"scsi{disk.bus}:{disk.unit}.mode", PERSISTENT).replace("-", "_"))
        for disk in disks
    )
    return Hardware(
        version=int(keys.get("virtualHW.version", Hardware().version)),
        cbt=keys.get("ctkEnabled", "TRUE") == "TRUE",
        tracking=keys.get("wherry.tracking", "TRUE") == "TRUE",
        modes=tuple((key, mode) for key, mode in modes if mode != PERSISTENT),
        drives=tuple(_drives(keys)),
        consolidation_needed=keys.get("wherry.consolidationNeeded") == "TRUE",
        snapshots=tuple(keys[key] for key in keys if re.fullmatch(r"wherry\.snapshot\d+\.displayName", key)),
    )


def _drives(keys: Mapping[str, str]) -> Iterator[Drive]:
    for key in keys:
        if match := _SLOT.fullmatch(key):
            slot = match[1]
            yield Drive(
                slot,
                keys.get(f"wherry.{slot}.label", ""),
                keys.get(f"wherry.{slot}.connected") == "TRUE",
                keys.get(f"{slot}.startConnected") == "TRUE",
                keys.get(f"{slot}.fileName", ""),
            )
