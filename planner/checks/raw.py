"""Checks of raw devices. A physical one always reports an independent mode and often a shared bus.

It is one finding, its own; checks of disks leave it out.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import Rule, Work, by_method, rule
from planner.checks.estate import Estate, names_of
from planner.errors import BadInput, Blocked
from planner.model import VM, Backing, BusSharing, Disk, Severity
from planner.names import visible
from planner.units import show_bytes

RULES: list[Rule] = []
_BACKING = "config.hardware.device[VirtualDisk].backing"


def named(vm: VM, disk: Disk) -> str:
    """Return ``VM: disk`` for a sentence."""
    return f"{visible(vm.name)}: {visible(disk.label or disk.key)}"


def is_physical(disk: Disk) -> bool:
    """Return whether a disk is a raw device in physical mode."""
    return disk.backing is Backing.RDM_PHYSICAL


def _company(vm: VM, disk: Disk, estate: Estate) -> str:
    if others := estate.others(vm, disk.key):
        return f", shared with {names_of(others)}"
    if disk.lun and disk.bus_sharing is BusSharing.PHYSICAL:
        # The other node may be a server without a hypervisor, or a VM that was not read.
        return ", on a bus shared across hosts with no other VM of the inventory"
    return ""


@rule(
    RULES,
    "disks.rdm.physical",
    by_method(Severity.WARNING, Severity.INFO),
    "Raw device in physical mode",
    condition="the disk is a raw device mapping in compatibility mode physicalMode; who else uses its LUN "
    "and a bus shared with nobody in sight stand in the message",
    properties=(f"{_BACKING}.compatibilityMode", f"{_BACKING}.lunUuid"),
    reference="vSphere API: VirtualDiskRawDiskMappingVer1BackingInfo; RVTools vDisk: Raw Comp. Mode",
    why="The hypervisor takes no snapshots of it and tracks no changes, so nothing can follow it live: "
    "all of it is compared after the VM has stopped, what differs is sent, and its size is downtime. "
    "Software of the array or the cluster in the guest may expect the raw LUN.",
    remedy="let the plan turn it into a VMDK, or zone a LUN of the same size at the target; to shorten the "
    "outage convert it to virtual mode first (not when nodes of a cluster share it); ask the owner for "
    "array software and physical nodes",
)
def physical_rdm(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: raw device in physical mode."""
    for disk in vm.disks:
        if is_physical(disk):
            size = show_bytes(disk.size_bytes)
            yield f"{named(vm, disk)} is an RDM in physical mode, {size}{_company(vm, disk, estate)}"


@rule(
    RULES,
    "disks.rdm.virtual",
    Severity.INFO,
    "Raw device in virtual mode",
    condition="the disk is a raw device mapping in compatibility mode virtualMode",
    properties=(f"{_BACKING}.compatibilityMode",),
    reference="vSphere API: VirtualDiskRawDiskMappingVer1BackingInfo; RVTools vDisk: Raw Comp. Mode",
    why="It is replicated like a VMDK, but the target needs a decision: a VMDK, or a LUN zoned to its hosts.",
    remedy="list a target LUN of its size in the settings to keep it an RDM; without one it becomes a VMDK",
)
def virtual_rdm(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: raw device in virtual mode."""
    for disk in vm.disks:
        if disk.backing is Backing.RDM_VIRTUAL:
            yield f"{named(vm, disk)} is an RDM in virtual mode, {show_bytes(disk.size_bytes)}"


@rule(
    RULES,
    "disks.rdm.no-lun",
    Severity.WARNING,
    "Raw device without a LUN id",
    condition="the disk is a raw device mapping and its LUN is not named",
    properties=(f"{_BACKING}.lunUuid",),
    reference="vSphere API: VirtualDiskRawDiskMappingVer1BackingInfo.lunUuid; RVTools vDisk: Raw LUN ID",
    why="Whether another VM uses the same LUN cannot be known, and a shared LUN moved alone is lost data.",
    remedy="export with RVTools 4.7.1 or newer, or add the LUN to the inventory",
    work=Work(effort_min=15),
)
def rdm_without_lun(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: raw device without a LUN id."""
    for disk in vm.disks:
        if disk.backing.is_rdm and not disk.lun:
            yield f"{named(vm, disk)} is an RDM whose LUN the source does not name"


@rule(
    RULES,
    "disks.rdm.target-lun",
    Severity.BLOCKER,
    "Raw device without a LUN at the target",
    condition="by the settings the disk stays a raw device, and no LUN of the settings holds it, or no "
    "host of the target inventory sees the one that does",
    properties=(
        f"{_BACKING}.lunUuid",
        "HostSystem.config.storageDevice.scsiLun.canonicalName",
        "HostSystem.config.storageDevice.scsiLun.uuid",
    ),
    reference="vSphere API: HostStorageDeviceInfo.scsiLun",
    why="A mapping points to a LUN of the hosts that run the VM; without zoning there is nothing to map.",
    remedy="zone and mask the LUN to the target's hosts, list it under luns in the settings, read the target "
    "again",
    work=Work(effort_min=60, lead_days=5),
)
def lun_at_target(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: raw device that stays one and has no LUN there; one that becomes a VMDK needs none."""
    for disk in vm.disks:
        if disk.backing.is_rdm and disk.size_bytes > 0:
            yield from _landing_place(vm, disk, estate)


def _landing_place(vm: VM, disk: Disk, estate: Estate) -> Iterator[str | None]:
    from planner.remap import decide
    from planner.settings import Settings

    try:
        decided = decide(estate.volume(vm, disk), estate.settings or Settings())
    except Blocked:
        size = show_bytes(disk.size_bytes)
        yield f"{named(vm, disk)} stays an RDM of {size} and the settings list no LUN for it"
        return
    except BadInput:  # settings that contradict themselves are refused when a plan is made
        yield None
        return
    if not decided.lun:
        return
    seen = estate.landing.luns if estate.landing else None
    if seen is None:
        yield None
    elif decided.lun.casefold() not in seen:
        yield f"{named(vm, disk)} goes to LUN {visible(decided.lun, 60)} that no target host sees"


@rule(
    RULES,
    "disks.rdm.hidden",
    Severity.WARNING,
    "Raw device that some hosts do not see",
    condition="the VM's host or another one of its cluster does not see the LUN of a raw device mapping",
    properties=(
        f"{_BACKING}.lunUuid",
        "HostSystem.config.storageDevice.scsiLun.canonicalName",
        "HostSystem.config.storageDevice.scsiLun.uuid",
    ),
    reference="vSphere API: HostStorageDeviceInfo.scsiLun; RVTools vMultiPath",
    why="The VM cannot run on those hosts: when it has to be started again, or a copy of it is read through "
    "another host, the disk is missing.",
    remedy="zone and mask the LUN to all hosts of the cluster, or keep the VM off the others during the copy",
    work=Work(effort_min=60, lead_days=5),
)
def hidden_lun(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: raw device that some hosts do not see."""
    for disk in vm.disks:
        if not disk.backing.is_rdm:
            continue
        lun = estate.luns.get(disk.lun.casefold())
        host = estate.hosts.get(estate.place(vm, vm.host))
        if host is None or lun is None or not lun.hosts:
            yield None
            continue
        members = estate.members.get(estate.place(host, host.cluster), frozenset((host.id,)))
        missing = members.difference(lun.hosts)
        if host.id in missing:
            yield f"{named(vm, disk)} is an RDM whose LUN its host {visible(host.name, 60)} does not see"
        elif missing:
            seen = len(members) - len(missing)
            yield f"{named(vm, disk)} is an RDM whose LUN {seen} of {len(members)} hosts of the cluster see"
