"""Checks of disks that several VMs use: by path, by LUN, by the bus and by the multi-writer flag."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import Rule, by_method, rule
from planner.checks.estate import Estate, names_of
from planner.checks.raw import is_physical, named
from planner.model import VM, BusSharing, Controller, Severity
from planner.names import visible

RULES: list[Rule] = []
# These are never shared, and no source says so of them.
_UNSHARED = {Controller.IDE, Controller.SATA}


@rule(
    RULES,
    "disks.shared",
    Severity.WARNING,
    "Disk used by several VMs",
    condition="another VM of the same datacenter has a disk of the same path, or any VM one on the same "
    "LUN; physical raw devices are left to their own check",
    properties=(
        "config.hardware.device[VirtualDisk].backing.fileName",
        "config.hardware.device[VirtualDisk].backing.lunUuid",
    ),
    reference="vSphere API: VirtualDevice.FileBackingInfo.fileName; RVTools vDisk: Path, Raw LUN ID",
    why="It is one set of bytes with several writers: its VMs move together, all off during the final copy.",
    remedy="keep them in one move group (wherry does), and plan one outage for all of them",
)
def shared_disk(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk used by several VMs."""
    for disk in vm.disks:
        if is_physical(disk):
            continue
        if others := estate.others(vm, disk.key):
            what = "is on a LUN" if disk.backing.is_rdm else "is a VMDK"
            yield f"{named(vm, disk)} {what} that {names_of(others)} uses too"
        elif not (disk.lun if disk.backing.is_rdm else disk.path):
            yield None


@rule(
    RULES,
    "disks.bus-sharing",
    by_method(Severity.WARNING, Severity.INFO),
    "Disk on a controller with bus sharing",
    condition="the controller of a disk shares its bus, virtually or physically; physical raw devices are "
    "left to their own check",
    properties=("config.hardware.device[VirtualSCSIController].sharedBus",),
    reference="vSphere API: VirtualSCSISharing; RVTools vDisk: Shared Bus",
    why="VMs of a cluster reach each other's disks through it; snapshots and live moves are refused.",
    remedy="stop all nodes for the final copy; check that the cluster software accepts the order of start",
)
def bus_sharing(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk on a controller with bus sharing."""
    modes: dict[str, BusSharing] = {}
    for disk in vm.disks:
        if is_physical(disk):
            continue
        if disk.bus_sharing is None:
            if disk.controller_kind not in _UNSHARED:
                yield None
        elif disk.bus_sharing is not BusSharing.NONE:
            modes[disk.controller or disk.label] = disk.bus_sharing
    for where, mode in modes.items():
        yield f"{visible(vm.name)}: {visible(where)} has bus sharing ({mode.value})"


@rule(
    RULES,
    "disks.multi-writer",
    by_method(Severity.WARNING, Severity.INFO),
    "Disk with the multi-writer flag",
    condition="the sharing mode of the disk is sharingMultiWriter",
    properties=("config.hardware.device[VirtualDisk].backing.sharing",),
    reference="vSphere API: VirtualDiskSharing; RVTools vDisk: Sharing mode",
    why="Several VMs may write it at once, so one VM's snapshot says nothing about it.",
    remedy="move all its VMs in one group; the flag is set again at the target",
)
def multi_writer(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk with the multi-writer flag."""
    for disk in vm.disks:
        if is_physical(disk):
            continue
        if disk.multi_writer:
            yield f"{named(vm, disk)} has the multi-writer flag"
        elif disk.multi_writer is None:
            yield None
