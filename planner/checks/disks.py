"""Checks of disks: raw devices, sharing, modes, sizes, change tracking.

A physical RDM always reports an independent mode and often a shared bus; it is one finding, its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from planner.checks.check import Rule, rule
from planner.checks.estate import Estate, names_of
from planner.model import VM, Backing, BusSharing, Disk, Severity
from planner.names import visible
from planner.units import MIB, TIB, show_bytes

RULES: list[Rule] = []
_NOT_KEPT = {"independent_nonpersistent", "nonpersistent", "undoable", "append"}


def _disk(vm: VM, disk: Disk) -> str:
    return f"{visible(vm.name)}: {visible(disk.label)}"


def _is_physical(disk: Disk) -> bool:
    return disk.backing is Backing.RDM_PHYSICAL


@rule(
    RULES,
    "disks.rdm.physical",
    Severity.WARNING,
    "Raw device in physical mode",
    why="The hypervisor takes no snapshots of it and tracks no changes, so nothing can follow it live: "
    "it is copied in full after the VM has stopped, and its size is downtime.",
    remedy="let the plan turn it into a VMDK, or zone a LUN of the same size at the target; to shorten the "
    "outage convert it to virtual mode first (not when nodes of a cluster share it)",
)
def physical_rdm(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: raw device in physical mode."""
    for disk in filter(_is_physical, vm.disks):
        others = estate.others(vm, disk.key)
        shared = f", shared with {names_of(others)}" if others else ""
        yield f"{_disk(vm, disk)} is an RDM in physical mode, {show_bytes(disk.size_bytes)}{shared}"


@rule(
    RULES,
    "disks.rdm.virtual",
    Severity.INFO,
    "Raw device in virtual mode",
    why="It is replicated like a VMDK, but the target needs a decision: a VMDK, or a LUN zoned to its hosts.",
    remedy="list a target LUN of its size in the settings to keep it an RDM; without one it becomes a VMDK",
)
def virtual_rdm(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: raw device in virtual mode."""
    for disk in vm.disks:
        if disk.backing is Backing.RDM_VIRTUAL:
            yield f"{_disk(vm, disk)} is an RDM in virtual mode, {show_bytes(disk.size_bytes)}"


@rule(
    RULES,
    "disks.rdm.no-lun",
    Severity.WARNING,
    "Raw device without a LUN id",
    why="Whether another VM uses the same LUN cannot be known, and a shared LUN moved alone is lost data.",
    remedy="export with RVTools 4.7.1 or newer, or add the LUN to the inventory",
)
def rdm_without_lun(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: raw device without a LUN id."""
    for disk in vm.disks:
        if disk.backing.is_rdm and not disk.lun:
            yield f"{_disk(vm, disk)} is an RDM whose LUN the source does not name"


@rule(
    RULES,
    "disks.shared",
    Severity.WARNING,
    "Disk used by several VMs",
    why="It is one set of bytes with several writers: its VMs move together, all off during the final copy.",
    remedy="keep them in one move group (wherry does), and plan one outage for all of them",
)
def shared_disk(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk used by several VMs."""
    for disk in vm.disks:
        if _is_physical(disk):
            continue
        if others := estate.others(vm, disk.key):
            what = "is on a LUN" if disk.backing.is_rdm else "is a VMDK"
            yield f"{_disk(vm, disk)} {what} that {names_of(others)} uses too"
        elif not (disk.path or disk.lun):
            yield None


@rule(
    RULES,
    "disks.bus-sharing",
    Severity.WARNING,
    "Disk on a controller with bus sharing",
    why="VMs of a cluster reach each other's disks through it; snapshots and live moves are refused.",
    remedy="stop all nodes for the final copy; check that the cluster software accepts the order of start",
)
def bus_sharing(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk on a controller with bus sharing."""
    modes: dict[str, BusSharing] = {}
    for disk in vm.disks:
        if disk.bus_sharing is None:
            yield None
        elif disk.bus_sharing is not BusSharing.NONE and not _is_physical(disk):
            modes[disk.controller or disk.label] = disk.bus_sharing
    for where, mode in modes.items():
        yield f"{visible(vm.name)}: {visible(where)} has bus sharing ({mode.value})"


@rule(
    RULES,
    "disks.multi-writer",
    Severity.WARNING,
    "Disk with the multi-writer flag",
    why="Several VMs may write it at once, so one VM's snapshot says nothing about it.",
    remedy="move all its VMs in one group; the flag is set again at the target",
)
def multi_writer(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk with the multi-writer flag."""
    for disk in vm.disks:
        if _is_physical(disk):
            continue
        if disk.multi_writer:
            yield f"{_disk(vm, disk)} has the multi-writer flag"
        elif disk.multi_writer is None:
            yield None


@rule(
    RULES,
    "disks.independent",
    Severity.BLOCKER,
    "Independent disk",
    why="Snapshots leave it out, so it cannot be copied while the VM runs.",
    remedy="set the disk to dependent mode while the VM is off",
)
def independent(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: independent disk."""
    for disk in vm.disks:
        if _is_physical(disk):
            continue
        mode = disk.mode.casefold()
        if not mode:
            yield None
        elif mode == "independent_persistent":
            yield f"{_disk(vm, disk)} is independent: snapshots leave it out"


@rule(
    RULES,
    "disks.nonpersistent",
    Severity.BLOCKER,
    "Disk that forgets its writes",
    why="Its writes go to a redo file that is thrown away at power-off, so the moved disk is not what ran.",
    remedy="set the disk to dependent mode while the VM is off",
)
def nonpersistent(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk that forgets its writes."""
    for disk in vm.disks:
        mode = disk.mode.casefold()
        if not mode:
            yield None
        elif mode in _NOT_KEPT:
            yield f"{_disk(vm, disk)} is in mode {visible(disk.mode)}: its writes are not kept"


@rule(
    RULES,
    "disks.consolidation",
    Severity.BLOCKER,
    "Disks need consolidation",
    why="Snapshot files are left over that no snapshot owns; another snapshot can fill the datastore.",
    remedy="consolidate the disks of the VM in vCenter",
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
    Severity.WARNING,
    "Changed block tracking is off",
    why="Without it every delta reads and compares whole disks.",
    remedy="switch on changed block tracking, then take and remove a snapshot so that it starts",
)
def change_tracking(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: changed block tracking is off."""
    if vm.cbt is None:
        yield None
    elif not vm.cbt:
        yield f"{visible(vm.name)} has changed block tracking switched off"


@rule(
    RULES,
    "disks.size.too-large",
    Severity.BLOCKER,
    "Disk over 62 TiB",
    why="No VMDK can be that large, so it cannot be made at the target.",
    remedy="keep it a raw device on a target LUN, shrink it, or copy its files inside the guest",
)
def too_large(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk over 62 TiB."""
    for disk in vm.disks:
        if disk.size_bytes > 62 * TIB:
            yield f"{_disk(vm, disk)} is {show_bytes(disk.size_bytes)}, more than the 62 TiB of a VMDK"


@rule(
    RULES,
    "disks.size.large",
    Severity.INFO,
    "Disk over 2 TiB",
    why="Its first copy takes long and its final comparison reads all of it.",
    remedy="start its seed early, or carry a copy to the target",
)
def large(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk over 2 TiB."""
    for disk in vm.disks:
        if 2 * TIB < disk.size_bytes <= 62 * TIB:
            yield f"{_disk(vm, disk)} is {show_bytes(disk.size_bytes)}"


@rule(
    RULES,
    "disks.size.unknown",
    Severity.BLOCKER,
    "Disk without a capacity",
    why="A target disk cannot be made without its size; the source may have lost the disk.",
    remedy="repair the VM's inventory at the source and read it again",
)
def no_capacity(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk without a capacity."""
    for disk in vm.disks:
        if disk.size_bytes <= 0:
            yield f"{_disk(vm, disk)} has no capacity"


@rule(
    RULES,
    "disks.size.uneven",
    Severity.INFO,
    "Raw device of an odd size",
    why="A VMDK holds whole mebibytes, so a raw device of another size is rounded up when it becomes one.",
    remedy="nothing, unless the guest must see the exact size: then keep it a raw device",
)
def uneven(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: raw device of an odd size."""
    for disk in vm.disks:
        if disk.backing.is_rdm and disk.size_bytes % MIB:
            yield f"{_disk(vm, disk)} has {disk.size_bytes} bytes, not whole mebibytes"


@rule(
    RULES,
    "disks.count",
    Severity.WARNING,
    "More disks than controllers usually carry",
    why="A target host may refuse more than 60 disks on classic controllers.",
    remedy="check the controller types at the target, add paravirtual controllers",
)
def many_disks(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: more disks than controllers usually carry."""
    if "disks" in estate.gaps:
        yield None
    elif len(vm.disks) > 60:
        most = Counter(disk.controller for disk in vm.disks).most_common(1)[0][1]
        yield f"{visible(vm.name)} has {len(vm.disks)} disks, {most} of them on one controller"
