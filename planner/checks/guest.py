"""Checks of what runs in a VM: its operating system, its file systems, what must be consistent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from planner.checks import tools, writes
from planner.checks.check import Rule, Work, rule
from planner.checks.estate import Estate
from planner.checks.lifecycle import AS_OF, runs, same, system
from planner.model import VM, Partition, Severity
from planner.names import visible
from planner.units import MIB, show_bytes

RULES: list[Rule] = [*tools.RULES, *writes.RULES]
_SOON = timedelta(days=180)
_TABLE = f"life cycle pages of the makers, as of {AS_OF.isoformat()}; paid extensions left aside"
# Free bytes that a file system should have before anything is installed or converted in it.
_LEAST = {"/boot": 50 * MIB, "/": 100 * MIB, "c:\\": 100 * MIB, "c:": 100 * MIB}
_LEAST_ELSE = 10 * MIB
_STORAGE_NETWORK = re.compile(r"(?<![a-z])(iscsi|nfs|san|nas|smb|storage)(?![a-z])")


@rule(
    RULES,
    "guest.os.ended",
    Severity.WARNING,
    "Operating system without support",
    why="Its maker repairs nothing any more, and newer hosts stop listing it: it moves as it is, at its "
    "owner's risk.",
    remedy="upgrade or replace the system; or have its owner sign that it moves as it is",
    condition="the maker's general support ended before the inventory was taken",
    properties=("guest.guestFullName", "config.guestFullName"),
    reference=_TABLE,
)
def support_ended(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: operating system without support, judged at the time of the inventory."""
    found = runs(vm)
    if found is None or found.ends is None or estate.taken_at is None:
        yield None
    elif found.ends < estate.taken_at.date():
        yield f"{visible(vm.name)} runs {found}, without support since {found.ends.isoformat()}"


@rule(
    RULES,
    "guest.os.ending",
    Severity.INFO,
    "Support ends soon",
    why="The system that is moved now has to be replaced soon after.",
    remedy="plan its replacement, or move its data to a new VM at once",
    condition=f"the maker's general support ends within {_SOON.days} days of the inventory",
    properties=("guest.guestFullName", "config.guestFullName"),
    reference=_TABLE,
)
def support_ends(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: support ends soon."""
    found = runs(vm)
    if found is None or found.ends is None or estate.taken_at is None:
        yield None
    elif timedelta() <= found.ends - estate.taken_at.date() <= _SOON:
        yield f"{visible(vm.name)} runs {found}, supported until {found.ends.isoformat()}"


@rule(
    RULES,
    "guest.os.differs",
    Severity.WARNING,
    "Another system runs than is configured",
    why="vSphere picks virtual hardware, drivers and the way to customise by the configured system.",
    remedy="set the guest operating system of the VM to what runs in it, while it is off",
    condition="the system the guest reports is not the one that is configured",
    properties=("guest.guestFullName", "config.guestFullName"),
    reference="vSphere API: GuestInfo.guestFullName",
    work=Work(10, outage=True),
)
def other_system(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: another system runs than is configured."""
    configured, running = vm.guest_os, vm.guest.running_os
    if not configured or not running:
        yield None
    elif configured.casefold() != running.casefold():
        a, b = system(configured), system(running)
        alike = same(a, b) if a and b else False if a or b else None
        # Versions that are not said cannot differ; the family has to be the same.
        if alike is False:
            yield f"{visible(vm.name)} runs {visible(running, 60)}, configured is {visible(configured, 60)}"
        elif alike is None and not (a and b):
            yield None


@rule(
    RULES,
    "guest.os.unknown",
    Severity.INFO,
    "Operating system of no known make",
    why="Nobody can tell whether the target supports it, nor how it is stopped and checked.",
    remedy="ask the owner what runs in it, and set the guest operating system of the VM",
    condition="the configured system is one of vSphere's Other, and the guest reports none",
    properties=("config.guestId", "config.guestFullName", "guest.guestFullName"),
    reference="vSphere API: VirtualMachineGuestOsIdentifier",
)
def no_system(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: operating system of no known make."""
    if not vm.guest_os:
        yield None
    elif vm.guest_os.casefold().startswith("other") and not vm.guest.running_os:
        yield f"{visible(vm.name)} is configured as {visible(vm.guest_os, 60)}"


def _least(partition: Partition) -> int:
    return _LEAST.get(partition.path.casefold(), _LEAST_ELSE)


@rule(
    RULES,
    "guest.space",
    Severity.INFO,
    "File system almost full",
    why="Drivers and tools cannot be installed in it, and quiescing may fail for want of space.",
    remedy="free space in the guest or grow the disk",
    condition="less than 100 MiB free in / or C:, 50 MiB in /boot, 10 MiB elsewhere",
    properties=("guest.disk",),
    reference="Forklift: guest free space",
    kinds=("partitions",),
)
def little_space(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: file system almost full; one without a capacity (a mounted image) is left aside."""
    if vm.guest.partitions is None:
        yield None
    for partition in vm.guest.partitions or ():
        if partition.free_bytes is None:
            yield None
        elif partition.capacity_bytes != 0 and partition.free_bytes < _least(partition):
            free = show_bytes(partition.free_bytes)
            yield f"{visible(vm.name)} has {free} free in {visible(partition.path, 60)}"


@rule(
    RULES,
    "guest.storage-network",
    Severity.WARNING,
    "Adapter on a storage network",
    why="What the guest mounts over it (iSCSI, NFS, SMB) is none of its disks and is not copied.",
    remedy="ask the owner what is mounted, and plan its move or its reach from the target",
    condition="an adapter is on a network whose name speaks of iscsi, nfs, san, nas, smb or storage",
    properties=("network",),
    reference="practice: storage mounted inside a guest is invisible to the hypervisor",
    work=Work(60),
    kinds=("nics",),
)
def storage_network(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: adapter on a storage network."""
    for nic in vm.nics:
        if not nic.network:
            yield None
        elif _STORAGE_NETWORK.search(nic.network.casefold()):
            yield f"{visible(vm.name)}: {visible(nic.label)} is on {visible(nic.network, 60)}"


@rule(
    RULES,
    "guest.npiv",
    Severity.WARNING,
    "Fibre Channel addresses of its own",
    why="The SAN is zoned to addresses that the VM carries; what it reaches by them is not copied.",
    remedy="zone the target's SAN to the VM's addresses, or take NPIV away",
    condition="the VM has node or port world wide names (NPIV)",
    properties=("config.npivNodeWorldWideName", "config.npivPortWorldWideName"),
    reference="vSphere Storage: N-Port ID virtualization",
    work=Work(120),
)
def npiv(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: Fibre Channel addresses of its own."""
    if vm.compute.npiv is None:
        yield None
    elif vm.compute.npiv:
        yield f"{visible(vm.name)} has Fibre Channel addresses of its own"


@rule(
    RULES,
    "guest.disk-ids",
    Severity.INFO,
    "Guest knows its disks by serial number",
    why="Failover clusters, Oracle ASM, Veritas and multipath tables find disks by it; a new number is a new "
    "disk to them.",
    remedy="check after the rehearsal that the guest finds its disks, or set names by label before the move",
    condition="disk.EnableUUID is on",
    properties=("config.extraConfig[disk.EnableUUID]",),
    reference="Broadcom KB 321264: disk.EnableUUID; HCX bulk migration makes new disk UUIDs",
    work=Work(10, shared=True, each_min=0.5),
)
def disk_serials(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: guest knows its disks by serial number."""
    if vm.compute.enable_uuid is None:
        yield None
    elif vm.compute.enable_uuid:
        yield f"{visible(vm.name)} sees serial numbers of its disks"
