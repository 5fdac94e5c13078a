"""Checks of how large disks are and where they lie: what a VMDK or a target datastore cannot hold."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import Rule, Work, rule
from planner.checks.estate import Estate
from planner.checks.raw import named
from planner.model import VM, Disk, Severity
from planner.names import visible
from planner.remap import VMDK_LIMIT
from planner.units import MIB, SECTOR, TIB, show_bytes
from planner.volumes import datastore_of

RULES: list[Rule] = []
_CAPACITY = "config.hardware.device[VirtualDisk].capacityInBytes"


def _kept_raw(disk: Disk, estate: Estate) -> bool:
    luns = estate.settings.luns if estate.settings else ()
    return disk.backing.is_rdm and any(lun.size_bytes >= disk.size_bytes for lun in luns)


@rule(
    RULES,
    "disks.size.too-large",
    Severity.BLOCKER,
    "Disk over 62 TiB",
    condition="the capacity is over 62 TiB, and the disk is no raw device for which the settings list a LUN",
    properties=(_CAPACITY,),
    reference="vSphere configuration maximums: virtual disk size; RVTools vDisk: Capacity MiB",
    why="No VMDK can be that large, so it cannot be made at the target.",
    remedy="keep it a raw device on a target LUN, shrink it, or copy its files inside the guest",
    work=Work(effort_min=480, outage=True, lead_days=10),
)
def too_large(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk over 62 TiB."""
    for disk in vm.disks:
        if disk.size_bytes <= 0:
            yield None
        elif disk.size_bytes > VMDK_LIMIT and not _kept_raw(disk, estate):
            yield f"{named(vm, disk)} is {show_bytes(disk.size_bytes)}, more than the 62 TiB of a VMDK"


@rule(
    RULES,
    "disks.size.large",
    Severity.INFO,
    "Disk over 2 TiB",
    condition="the capacity is over 2 TiB and within the 62 TiB of a VMDK",
    properties=(_CAPACITY,),
    reference="RVTools vDisk: Capacity MiB",
    why="Its first copy takes long and its final comparison reads all of it.",
    remedy="start its seed early, or carry a copy to the target",
)
def large(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk over 2 TiB."""
    for disk in vm.disks:
        if disk.size_bytes <= 0:
            yield None
        elif 2 * TIB < disk.size_bytes <= VMDK_LIMIT:
            yield f"{named(vm, disk)} is {show_bytes(disk.size_bytes)}"


@rule(
    RULES,
    "disks.size.unknown",
    Severity.BLOCKER,
    "Disk without a capacity",
    condition="the capacity is nought or less",
    properties=(_CAPACITY,),
    reference="RVTools vDisk: Capacity MiB",
    why="A target disk cannot be made without its size; the source may have lost the disk.",
    remedy="repair the VM's inventory at the source and read it again",
    work=Work(effort_min=60),
)
def no_capacity(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk without a capacity."""
    for disk in vm.disks:
        if disk.size_bytes <= 0:
            yield f"{named(vm, disk)} has no capacity"


@rule(
    RULES,
    "disks.size.uneven",
    Severity.INFO,
    "Disk of an odd size",
    condition="a raw device is no whole number of MiB, or any disk no whole number of 512-byte sectors",
    properties=(_CAPACITY,),
    reference="vSphere API: VirtualDisk.capacityInBytes",
    why="A VMDK holds whole mebibytes, so a raw device of another size is rounded up when it becomes one.",
    remedy="nothing, unless the guest must see the exact size: then keep it a raw device",
)
def uneven(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk of an odd size."""
    for disk in vm.disks:
        if disk.size_bytes <= 0:
            yield None
        elif disk.size_bytes % SECTOR:
            yield f"{named(vm, disk)} has {disk.size_bytes} bytes, not whole sectors"
        elif disk.backing.is_rdm and disk.size_bytes % MIB:
            yield f"{named(vm, disk)} has {disk.size_bytes} bytes, not whole mebibytes"


@rule(
    RULES,
    "disks.size.target",
    Severity.BLOCKER,
    "Disk larger than any target datastore",
    condition="the capacity is over that of the largest usable datastore of the target inventory",
    properties=(_CAPACITY, "Datastore.summary.capacity", "Datastore.summary.accessible"),
    reference="vSphere API: DatastoreSummary.capacity",
    why="A disk lies on one datastore, and none there can hold it.",
    remedy="provide a larger datastore at the target, or keep the disk a raw device",
    work=Work(effort_min=120, lead_days=10),
)
def larger_than_target(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk larger than any target datastore."""
    for disk in vm.disks:
        if estate.landing is None or disk.size_bytes <= 0:
            yield None
            continue
        holds = estate.landing.capacity.reaches(disk.size_bytes)
        if holds is None:
            yield None
        elif not holds and not _kept_raw(disk, estate):
            most = show_bytes(estate.landing.capacity.value)
            yield f"{named(vm, disk)} is {show_bytes(disk.size_bytes)}, the largest target datastore {most}"


@rule(
    RULES,
    "disks.datastore",
    Severity.BLOCKER,
    "Disk on no datastore that can be reached",
    condition="the path of the disk names no datastore, or one that is not accessible",
    properties=(
        "config.hardware.device[VirtualDisk].backing.fileName",
        "config.hardware.device[VirtualDisk].backing.datastore",
        "Datastore.summary.accessible",
    ),
    reference="vSphere API: VirtualDevice.FileBackingInfo.datastore, DatastoreSummary.accessible",
    why="What cannot be read cannot be copied; the VM may be running on files nobody can reach any more.",
    remedy="bring the datastore back or remove the disk from the VM, then read the inventory again",
    work=Work(15, shared=True, each_min=5),
)
def no_datastore(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: disk on no datastore that can be reached."""
    for disk in vm.disks:
        name = datastore_of(disk.path)
        store = estate.datastore(vm, disk.path)
        if name == "":
            yield f"{named(vm, disk)} lies on no datastore: {visible(disk.path, 80)}"
        elif store is None or store.accessible is None:
            yield None
        elif not store.accessible:
            yield f"{named(vm, disk)} lies on {visible(store.name, 60)}, which is not accessible"
