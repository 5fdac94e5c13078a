"""The sheets about things of VMs: disks, file systems, adapters, drives, USB, snapshots."""

from __future__ import annotations

from collections.abc import Iterator

from planner.export.rvtools.facts import (
    Cell,
    Fact,
    Owned,
    Rows,
    SheetFacts,
    Source,
    each,
    flag,
    mib,
    moment,
    on_vm,
)
from planner.model import Backing, Controller, Device, DeviceKind

_CONTROLLERS = {
    Controller.PVSCSI: "VMware paravirtual SCSI",
    Controller.LSI_LOGIC: "LSI Logic",
    Controller.LSI_SAS: "LSI Logic SAS",
    Controller.BUS_LOGIC: "BusLogic",
    Controller.IDE: "IDE",
    Controller.SATA: "AHCI",
    Controller.NVME: "NVME Controller",
}
_RAW_MODES = {Backing.RDM_PHYSICAL: "physicalMode", Backing.RDM_VIRTUAL: "virtualMode"}
_SHARING = {True: "sharingMultiWriter", False: "sharingNone"}


def _controller(source: Source, row: Owned) -> Cell:
    kind = row.item.controller_kind
    return None if kind is None else _CONTROLLERS[kind]


def _consumed(source: Source, row: Owned) -> Cell:
    one = row.item
    return (
        None
        if one.capacity_bytes is None or one.free_bytes is None
        else mib(one.capacity_bytes - one.free_bytes)
    )


def _free_percent(source: Source, row: Owned) -> Cell:
    one = row.item
    return (
        one.free_bytes * 100 // one.capacity_bytes
        if one.capacity_bytes and one.free_bytes is not None
        else None
    )


def _addresses(sign: str) -> Fact:
    def fact(source: Source, row: Owned) -> Cell:
        return ", ".join(address for address in row.item.addresses if sign in address) or None

    return fact


def _partitions(source: Source) -> Iterator[Owned]:
    for vm in source.inventory.vms:
        for one in vm.guest.partitions or ():
            yield Owned(vm, one)


def _devices(*kinds: DeviceKind) -> Rows:
    def rows(source: Source) -> Iterator[Owned]:
        for vm in source.inventory.vms:
            for one in vm.devices:
                if one.kind in kinds:
                    yield Owned(vm, one)

    return rows


def _detail(source: Source, row: Owned) -> Cell:
    device: Device = row.item
    return device.detail or None


DISK = SheetFacts(
    each("disks"),
    on_vm(
        {
            "Disk": lambda source, row: row.item.label,
            "Disk Key": lambda source, row: row.item.key,
            "Disk UUID": lambda source, row: row.item.uuid or None,
            "Capacity MiB": lambda source, row: mib(row.item.size_bytes),
            "Raw": lambda source, row: str(row.item.backing.is_rdm),
            "Disk Mode": lambda source, row: row.item.mode or None,
            "Sharing mode": lambda source, row: _SHARING.get(row.item.multi_writer),
            "Thin": lambda source, row: flag(row.item.thin),
            "Limit": lambda source, row: row.item.iops_limit,
            "Controller": _controller,
            "Label": lambda source, row: row.item.controller or None,
            "Unit #": lambda source, row: row.item.unit,
            "Shared Bus": lambda source, row: row.item.bus_sharing.value if row.item.bus_sharing else None,
            "Path": lambda source, row: row.item.path or None,
            "Raw LUN ID": lambda source, row: row.item.lun or None,
            "Raw Comp. Mode": lambda source, row: _RAW_MODES.get(row.item.backing),
        }
    ),
    kind="disks",
)
PARTITION = SheetFacts(
    _partitions,
    on_vm(
        {
            "Disk Key": lambda source, row: row.item.disk or None,
            "Disk": lambda source, row: row.item.path,
            "Capacity MiB": lambda source, row: mib(row.item.capacity_bytes),
            "Consumed MiB": _consumed,
            "Free MiB": lambda source, row: mib(row.item.free_bytes),
            "Free %": _free_percent,
        }
    ),
    kind="partitions",
)
NETWORK = SheetFacts(
    each("nics"),
    on_vm(
        {
            "NIC label": lambda source, row: row.item.label,
            "Adapter": lambda source, row: row.item.adapter or None,
            "Network": lambda source, row: row.item.network or None,
            "Switch": lambda source, row: row.item.switch or None,
            "Connected": lambda source, row: flag(row.item.connected),
            "Starts Connected": lambda source, row: flag(row.item.starts_connected),
            "Mac Address": lambda source, row: row.item.mac or None,
            "Type": lambda source, row: row.item.mac_type or None,
            "IPv4 Address": _addresses("."),
            "IPv6 Address": _addresses(":"),
            "Direct Path IO": lambda source, row: flag(row.item.direct_path),
        }
    ),
    kind="nics",
)
_DRIVE = {
    "Device Node": lambda source, row: row.item.label,
    "Connected": lambda source, row: flag(row.item.connected),
}
CD = SheetFacts(
    each("cdroms"),
    on_vm(
        {
            **_DRIVE,
            "Starts Connected": lambda source, row: flag(row.item.starts_connected),
            "Device Type": lambda source, row: row.item.media or None,
        }
    ),
    kind="cdroms",
)
USB = SheetFacts(
    _devices(DeviceKind.USB, DeviceKind.USB_CONTROLLER), on_vm({**_DRIVE, "Device Type": _detail}), kind="usb"
)
FLOPPY = SheetFacts(_devices(DeviceKind.FLOPPY), on_vm({**_DRIVE, "Device Type": _detail}), kind="floppies")
SNAPSHOT = SheetFacts(
    each("snapshots"),
    on_vm(
        {
            "Name": lambda source, row: row.item.name,
            "Description": lambda source, row: row.item.description or None,
            "Date / time": lambda source, row: moment(row.item.created),
            "Size MiB (total)": lambda source, row: mib(row.item.size_bytes),
            "Quiesced": lambda source, row: flag(row.item.quiesced),
        }
    ),
    kind="snapshots",
)
