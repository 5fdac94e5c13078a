"""Checks of what keeps a disk from being followed while its VM runs: modes, leftovers, tracking, filters.

Physical raw devices have a check of their own and are left out here.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import Rule, Work, by_method, rule
from planner.checks.estate import Estate
from planner.checks.raw import is_physical, named
from planner.model import VM, DeviceKind, Severity
from planner.names import visible
from planner.units import show_count

RULES: list[Rule] = []
_NOT_KEPT = {"independent_nonpersistent", "nonpersistent", "undoable", "append"}
_MODE = "config.hardware.device[VirtualDisk].backing.diskMode"
_DEPENDENT = Work(effort_min=15, outage=True, lead_days=2, fix="disk-mode")


@rule(
    RULES,
    "disks.independent",
    by_method(Severity.BLOCKER, Severity.INFO),
    "Independent disk",
    condition="the disk mode is independent_persistent and the disk is no physical raw device",
    properties=(_MODE,),
    reference="vSphere API: VirtualDiskMode; RVTools vDisk: Disk Mode",
    why="Snapshots leave it out, so it cannot be copied while the VM runs.",
    remedy="set the disk to dependent mode while the VM is off",
    work=_DEPENDENT,
)
def independent(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: independent disk."""
    for disk in vm.disks:
        if is_physical(disk):
            continue
        mode = disk.mode.casefold()
        if not mode:
            yield None
        elif mode == "independent_persistent":
            yield f"{named(vm, disk)} is independent: snapshots leave it out"


@rule(
    RULES,
    "disks.nonpersistent",
    by_method(Severity.BLOCKER, Severity.WARNING),
    "Disk that forgets its writes",
    condition="the disk mode is independent_nonpersistent, nonpersistent, undoable or append",
    properties=(_MODE,),
    reference="vSphere API: VirtualDiskMode; RVTools vDisk: Disk Mode",
    why="Its writes go to a redo file that is thrown away at power-off, so the moved disk is not what ran.",
    remedy="set the disk to dependent mode while the VM is off",
    work=_DEPENDENT,
)
def nonpersistent(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk that forgets its writes."""
    for disk in vm.disks:
        mode = disk.mode.casefold()
        if not mode:
            if not is_physical(disk):
                yield None
        elif mode in _NOT_KEPT:
            yield f"{named(vm, disk)} is in mode {visible(disk.mode)}: its writes are not kept"


@rule(
    RULES,
    "disks.consolidation",
    by_method(Severity.BLOCKER, Severity.WARNING),
    "Disks need consolidation",
    condition="the vCenter says that the VM's disks need consolidation",
    properties=("runtime.consolidationNeeded",),
    reference="vSphere API: VirtualMachineRuntimeInfo.consolidationNeeded; "
    "RVTools vInfo: Consolidation Needed",
    why="Snapshot files are left over that no snapshot owns; another snapshot can fill the datastore.",
    remedy="consolidate the disks of the VM in vCenter",
    work=Work(effort_min=30, lead_days=2, fix="consolidate"),
)
def consolidation(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disks need consolidation."""
    if vm.consolidation_needed is None:
        yield None
    elif vm.consolidation_needed:
        yield f"{visible(vm.name)} needs its disks consolidated"


@rule(
    RULES,
    "disks.cbt",
    by_method(Severity.WARNING, Severity.INFO),
    "Changed block tracking is off",
    condition="change tracking is off for a VM with a disk that could be tracked",
    properties=("config.changeTrackingEnabled", "config.extraConfig[ctkEnabled]"),
    reference="vSphere API: VirtualMachineConfigInfo.changeTrackingEnabled; KB 1020128; RVTools vInfo: CBT",
    why="Without it every delta reads and compares whole disks. It cannot start while a snapshot exists.",
    remedy="delete snapshots, switch on changed block tracking, then take and remove a snapshot so that it "
    "starts",
    work=Work(effort_min=5, fix="enable-cbt"),
)
def change_tracking(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: changed block tracking is off."""
    if all(map(is_physical, vm.disks)):
        return
    if vm.cbt is None:
        yield None
    elif not vm.cbt:
        first = f"; {show_count(len(vm.snapshots), 'snapshot')} to delete first" if vm.snapshots else ""
        yield f"{visible(vm.name)} has changed block tracking switched off{first}"


@rule(
    RULES,
    "disks.cbt.partial",
    by_method(Severity.WARNING, Severity.INFO),
    "Disk left out of changed block tracking",
    condition="change tracking is on for the VM and off for one of its disks",
    properties=("config.extraConfig[scsiX:Y.ctkEnabled]", "config.changeTrackingEnabled"),
    reference="KB 1020128",
    why="Each disk has a switch of its own; the one that is left out is read whole for every delta, and no "
    "flag of the VM shows it.",
    remedy="switch changed block tracking off and on again for the VM, then take and remove a snapshot",
    work=Work(effort_min=5, fix="enable-cbt"),
)
def partial_tracking(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk left out of changed block tracking; a VM that tracks nothing has its own finding."""
    if vm.cbt is False:
        return
    for disk in vm.disks:
        if is_physical(disk) or disk.mode.casefold().startswith("independent"):
            continue
        if disk.cbt is None:
            yield None
        elif not disk.cbt:
            yield f"{named(vm, disk)} is left out of changed block tracking"


@rule(
    RULES,
    "disks.pmem",
    Severity.BLOCKER,
    "Disk or module in persistent memory",
    condition="a disk lies in persistent memory, or the VM has an NVDIMM",
    properties=("config.hardware.device[VirtualNVDIMM]", "config.hardware.device[VirtualDisk].backing"),
    reference="vSphere API: VirtualNVDIMM, VirtualDiskLocalPMemBackingInfo",
    why="It is memory of one host: an NVDIMM cannot be read as a disk, and the target needs the modules.",
    remedy="move the content to an ordinary disk inside the guest, then remove the module",
    work=Work(effort_min=120, outage=True, lead_days=5),
    kinds=("devices",),
)
def persistent_memory(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk or module in persistent memory."""
    for disk in vm.disks:
        if not disk.format and not disk.backing.is_rdm:
            yield None
        elif disk.format.casefold() == "pmem":
            yield f"{named(vm, disk)} lies in persistent memory of its host"
    for device in vm.devices:
        if device.kind is DeviceKind.NVDIMM:
            yield f"{visible(vm.name)} has a memory module {visible(device.label, 60)}"


@rule(
    RULES,
    "disks.flash-cache",
    Severity.WARNING,
    "Disk with a flash read cache",
    condition="a disk reserves flash read cache of its host",
    properties=("config.hardware.device[VirtualDisk].vFlashCacheConfigInfo",),
    reference="vSphere API: VirtualDiskVFlashCacheConfigInfo",
    why="Flash read cache is gone since vSphere 7: newer hosts have none, and the disk is slower without.",
    remedy="remove the flash cache reservation of the disk",
    work=Work(effort_min=10),
)
def flash_cache(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk with a flash read cache."""
    for disk in vm.disks:
        if disk.flash_cache is None:
            yield None
        elif disk.flash_cache:
            yield f"{named(vm, disk)} has a flash read cache"


@rule(
    RULES,
    "disks.filters",
    Severity.WARNING,
    "Disk with an I/O filter",
    condition="a disk has I/O filters of a storage policy",
    properties=("config.hardware.device[VirtualDisk].iofilter",),
    reference="vSphere API: VirtualDisk.iofilter",
    why="Filters of caches and replication products sit in the path of every write; hosts without the filter "
    "refuse the disk, and two products that replicate one disk disturb each other.",
    remedy="take the filter's storage policy off the disk, or install the filter at the target",
    work=Work(effort_min=30, lead_days=2),
)
def io_filters(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk with an I/O filter."""
    for disk in vm.disks:
        if disk.filters is None:
            yield None
        elif disk.filters:
            shown = ", ".join(visible(name, 40) for name in disk.filters[:3])
            yield f"{named(vm, disk)} has the I/O filter {shown}"


@rule(
    RULES,
    "disks.iops-limit",
    by_method(Severity.WARNING, Severity.INFO),
    "Disk with a limit on its I/O",
    condition="the I/O allocation of a disk has a limit",
    properties=("config.hardware.device[VirtualDisk].storageIOAllocation.limit",),
    reference="vSphere API: StorageIOAllocationInfo.limit",
    why="The limit slows the copy as well as the guest, and the target does not have it by itself.",
    remedy="lift the limit during the copy and set it again at the target, or expect a slow seed",
    work=Work(effort_min=10),
)
def iops_limit(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk with a limit on its I/O."""
    for disk in vm.disks:
        if disk.iops_limit is None:
            yield None
        elif disk.iops_limit >= 0:
            yield f"{named(vm, disk)} is limited to {disk.iops_limit:,} I/O operations a second"
