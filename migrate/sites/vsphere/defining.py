"""A VM's configuration, as pyvmomi has it, to the definition that another site can build."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from migrate.sites.definition import (
    UNLIMITED,
    Adapter,
    Boot,
    Controller,
    Definition,
    DriveSlot,
    Share,
    Slot,
)
from migrate.sites.vsphere.allowed import sorted_out
from migrate.sites.vsphere.left_behind import left_behind

CONTROLLERS = frozenset(
    {
        *("ParaVirtualSCSIController", "VirtualLsiLogicController", "VirtualLsiLogicSASController"),
        *("VirtualBusLogicController", "VirtualAHCIController", "VirtualNVMEController"),
    }
)
IDE = "VirtualIDEController"
IDE_BUSES = {200: 0, 201: 1}  # keys of the controllers that are in every VM
DRIVES = frozenset({"VirtualCdrom", "VirtualFloppy"})
ADAPTERS = frozenset(
    {
        *("VirtualVmxnet3", "VirtualVmxnet2", "VirtualE1000", "VirtualE1000e", "VirtualPCNet32"),
        "VirtualVmxnet3Vrdma",
    }
)
# Every VM has these, and a vCenter makes them by itself.
_EVERYWHERE = frozenset(
    {
        *("VirtualKeyboard", "VirtualPointingDevice", "VirtualMachineVideoCard", "VirtualMachineVMCIDevice"),
        *("VirtualPCIController", "VirtualPS2Controller", "VirtualSIOController", "VirtualMachineVMIROM"),
        *("VirtualVMIROM", "VirtualHdAudioCard", "VirtualNVDIMMController"),
    }
)
BOOTABLE = {
    "VirtualMachineBootOptionsBootableDiskDevice": "disk",
    "VirtualMachineBootOptionsBootableEthernetDevice": "net",
    "VirtualMachineBootOptionsBootableCdromDevice": "cdrom",
    "VirtualMachineBootOptionsBootableFloppyDevice": "floppy",
}


def kind_of(device: Any) -> str:
    """Return the API's name of a device's type: ``VirtualDisk``, ``VirtualE1000e``."""
    return str(device._wsdlName)


def define(config: Any) -> Definition:
    """Return the definition in a ``VirtualMachineConfigInfo``: all but labels and the guest's name."""
    hardware = config.hardware
    devices = list(hardware.device)
    travelling, left = sorted_out((one.key, str(one.value)) for one in config.extraConfig or ())
    return Definition(
        hw_version=version_number(config.version),
        guest_id=config.guestId or "",
        cpus=hardware.numCPU,
        memory_mib=hardware.memoryMB,
        firmware=config.firmware or "bios",
        cores_per_socket=hardware.numCoresPerSocket or 1,
        cpu_hot_add=bool(config.cpuHotAddEnabled),
        cpu_hot_remove=bool(config.cpuHotRemoveEnabled),
        memory_hot_add=bool(config.memoryHotAddEnabled),
        memory_locked=bool(config.memoryReservationLockedToMax),
        nested=bool(config.nestedHVEnabled),
        latency=str(config.latencySensitivity.level) if config.latencySensitivity else "normal",
        time_sync=bool(config.tools and config.tools.syncTimeWithHost),
        vbs=bool(config.flags and config.flags.vbsEnabled),
        iommu=bool(config.flags and config.flags.vvtdEnabled),
        processor=_share(config.cpuAllocation),
        memory=_share(config.memoryAllocation),
        boot=_boot(config.bootOptions),
        annotation=config.annotation or "",
        bios_uuid=config.uuid or "",
        instance_uuid=config.instanceUuid or "",
        controllers=tuple(map(_controller, (one for one in devices if kind_of(one) in CONTROLLERS))),
        disks=tuple(map(_slot, (one for one in devices if kind_of(one) == "VirtualDisk"))),
        adapters=tuple(map(_adapter, (one for one in devices if kind_of(one) in ADAPTERS))),
        drives=tuple(map(_drive, (one for one in devices if kind_of(one) in DRIVES))),
        others=tuple(_others(devices)),
        left=left_behind(config),
        extra=travelling,
        left_extra=left,
    )


def version_number(version: str | None) -> int:
    """Return 19 for ``vmx-19``, 0 for what is no version."""
    digits = (version or "").removeprefix("vmx-")
    return int(digits) if digits.isdecimal() and len(digits) < 4 else 0


def label_of(device: Any) -> str:
    """Return what people see of a device."""
    return str(device.deviceInfo.label) if device.deviceInfo else f"{kind_of(device)} {device.key}"


def slot_of(device: Any) -> int:
    """Return a device's place on the PCI bus, 0 when it does not say."""
    return int(getattr(device.slotInfo, "pciSlotNumber", None) or 0)


def _share(said: Any) -> Share:
    if said is None:
        return Share()
    level = str(said.shares.level) if said.shares else "normal"
    return Share(
        reservation=int(said.reservation or 0),
        limit=UNLIMITED if said.limit is None else int(said.limit),
        level=level,
        shares=int(said.shares.shares) if level == "custom" else 0,
    )


def _boot(said: Any) -> Boot:
    if said is None:
        return Boot()
    return Boot(
        delay_ms=int(said.bootDelay or 0),
        enters_setup=bool(said.enterBIOSSetup),
        retries=bool(said.bootRetryEnabled),
        retry_delay_ms=int(said.bootRetryDelay or 10000),
        secure=bool(said.efiSecureBootEnabled),
        order=tuple(_bootable(one) for one in said.bootOrder or () if kind_of(one) in BOOTABLE),
    )


def _bootable(said: Any) -> str:
    kind = BOOTABLE[kind_of(said)]
    return f"{kind}:{said.deviceKey}" if kind in ("disk", "net") else kind


def _controller(device: Any) -> Controller:
    sharing = getattr(device, "sharedBus", None)
    return Controller(
        device.key, kind_of(device), device.busNumber, str(sharing or "noSharing"), slot_of(device)
    )


def _slot(device: Any) -> Slot:
    limit = device.storageIOAllocation.limit if device.storageIOAllocation else None
    return Slot(
        key=device.key,
        controller=device.controllerKey,
        unit=device.unitNumber or 0,
        label=label_of(device),
        mode=str(getattr(device.backing, "diskMode", None) or "persistent"),
        multi_writer=str(getattr(device.backing, "sharing", None) or "") == "sharingMultiWriter",
        iops_limit=UNLIMITED if limit is None else int(limit),
    )


def _adapter(device: Any) -> Adapter:
    plug = device.connectable
    return Adapter(
        key=device.key,
        kind=kind_of(device),
        label=label_of(device),
        mac=(device.macAddress or "").lower(),
        starts_connected=bool(plug.startConnected) if plug else True,
        wakes=device.wakeOnLanEnabled is not False,
        slot=slot_of(device),
    )


def _drive(device: Any) -> DriveSlot:
    return DriveSlot(
        key=device.key,
        kind=kind_of(device),
        controller=device.controllerKey or 0,
        unit=device.unitNumber or 0,
        label=label_of(device),
        media=str(getattr(device.backing, "fileName", None) or ""),
    )


def _others(devices: Iterable[Any]) -> Iterator[str]:
    known = CONTROLLERS | DRIVES | ADAPTERS | _EVERYWHERE | {"VirtualDisk", IDE}
    for device in devices:
        if (kind := kind_of(device)) not in known:
            yield f"{label_of(device)} ({kind})"
