"""Checks of room: what the target has free, and paths that do not survive there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.checks.check import About, Rule, Work, rule
from planner.checks.estate import Estate, besides, names_of
from planner.checks.raw import named
from planner.model import VM, Severity
from planner.names import visible
from planner.units import show_bytes
from planner.volumes import folder_of

RULES: list[Rule] = []
_SPARE = 1.1  # a tenth for snapshots and logs, the least of the usual 10 to 20 %
_LONGEST_PATH = 255
_OBJECT = re.compile(r"[0-9a-f-]{32,}", re.IGNORECASE)
_VMX = "config.files.vmPathName"


@rule(
    RULES,
    "storage.space.disk",
    Severity.BLOCKER,
    "No target datastore has room for the disk",
    condition="the capacity is over the free space of every usable datastore of the target inventory, and "
    "within the capacity of one",
    properties=(
        "config.hardware.device[VirtualDisk].capacityInBytes",
        "Datastore.summary.freeSpace",
        "Datastore.summary.accessible",
    ),
    reference="vSphere API: DatastoreSummary.freeSpace",
    why="A disk is planned at its full size: a thin one grows to it, and a raw device becomes a VMDK of it.",
    remedy="free or add space at the target, then read the target again",
    work=Work(effort_min=120, lead_days=10),
    kinds=("disks",),
)
def no_room(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: no target datastore has room for the disk; what none could hold has its own finding."""
    for disk in vm.disks:
        if estate.landing is None or disk.size_bytes <= 0:
            yield None
            continue
        free = estate.landing.free
        fits = free.reaches(disk.size_bytes)
        if fits is None:
            yield None
        elif not fits and estate.landing.capacity.reaches(disk.size_bytes) is not False:
            most = show_bytes(free.value)
            yield f"{named(vm, disk)} is {show_bytes(disk.size_bytes)}, the most that is free is {most}"


@rule(
    RULES,
    "storage.space.total",
    Severity.WARNING,
    "The target has less room than the estate needs",
    condition="the full size of all volumes and swap files, and a tenth more, is over the free space of all "
    "usable datastores of the target inventory; VMs that stay are left out",
    properties=(
        "config.hardware.device[VirtualDisk].capacityInBytes",
        "config.hardware.memoryMB",
        "Datastore.summary.freeSpace",
    ),
    reference="vSphere API: DatastoreSummary.freeSpace",
    about=About.ESTATE,
    why="Thin disks grow, every VM that runs has a swap file of its memory, and snapshots need room; a "
    "datastore that is full stops all VMs on it.",
    remedy="add space before the waves that need it, or leave VMs out",
    work=Work(effort_min=240, lead_days=30),
)
def less_room(whole: object, estate: Estate) -> Iterator[str | None]:
    """Find: the target has less room than the estate needs."""
    if estate.landing is None:
        yield None
        return
    need, certain = _need(estate)
    free = estate.landing.free_bytes
    if need <= free:
        if not certain:
            yield None
    elif estate.landing.free_certain:
        yield (
            f"the estate needs {show_bytes(need)} with swap files and a tenth to spare, "
            f"the target has {show_bytes(free)} free"
        )
    else:
        yield None


def _need(estate: Estate) -> tuple[int, bool]:
    """Return the bytes that the VMs need, shared volumes once, and whether all of them say how much."""
    stay = set(estate.settings.exclude) if estate.settings else set()
    counted: dict[str, int] = {}
    memory, certain = 0, True
    for vm in estate.inventory.vms:
        if not vm.movable or vm.name in stay:
            continue
        memory += vm.memory_bytes
        certain = certain and vm.memory_bytes > 0 and not estate.lacks(vm, "disks")
        for disk in vm.disks:
            volume = estate.volume(vm, disk)
            counted[volume.id] = volume.size_bytes
    certain = certain and all(size > 0 for size in counted.values())
    return round((memory + sum(counted.values())) * _SPARE), certain


@rule(
    RULES,
    "storage.path",
    Severity.WARNING,
    "Path that tools cannot digest",
    condition=f"the path of the VM or of a disk has control characters, or more than {_LONGEST_PATH} bytes",
    properties=(_VMX, "config.hardware.device[VirtualDisk].backing.fileName"),
    reference="vSphere API: VirtualMachineFileInfo.vmPathName; RVTools vInfo: Path",
    why="Scripts and the file browser stumble over it, and a copy under the same path may be refused.",
    remedy="rename the VM and move it to another datastore once, which renames its files",
    work=Work(effort_min=30, lead_days=2),
    kinds=("disks",),
)
def awkward_path(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: path that tools cannot digest."""
    for path in (vm.vmx_path, *(disk.path for disk in vm.disks)):
        if not path:
            yield None
        elif len(path.encode("utf-8", "surrogatepass")) > _LONGEST_PATH:
            yield f"{visible(vm.name)} has a path of {len(path)} characters: {visible(path, 60)}"
        elif visible(path) != path:
            yield f"{visible(vm.name)} has control characters in a path: {visible(path, 80)}"


@rule(
    RULES,
    "storage.folder.duplicate",
    Severity.WARNING,
    "Two VMs with files in folders of one name",
    condition="another VM's configuration file lies in a folder of the same name, on whatever datastore",
    properties=(_VMX,),
    reference="vSphere API: VirtualMachineFileInfo.vmPathName; RVTools vInfo: Path",
    why="On one target datastore the two folders are one: the second VM is refused or its folder renamed.",
    remedy="rename one of the VMs and move it to another datastore once, or send them to different ones",
    work=Work(effort_min=30, lead_days=2),
)
def folder_twice(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: two VMs with files in folders of one name."""
    if not vm.vmx_path:
        yield None
    elif (folder := folder_of(vm.vmx_path)) and (others := besides(vm, estate.by_folder[folder])):
        yield f"{visible(vm.name)} lies in a folder {visible(folder, 60)} as {names_of(others)} does"


@rule(
    RULES,
    "storage.folder.name",
    Severity.INFO,
    "Folder named unlike its VM",
    condition="the folder of the configuration file is neither the VM's name nor begins with it, and is no "
    "object id of vSAN or a virtual volume",
    properties=(_VMX, "name"),
    reference="RVTools vHealth: Foldername",
    why="The VM was renamed and its files were not; people look for them under the wrong name.",
    remedy="nothing for the move: the target is named after the VM",
)
def folder_unlike_name(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: folder named unlike its VM."""
    if not vm.vmx_path:
        yield None
        return
    folder = folder_of(vm.vmx_path)
    if folder and not _OBJECT.fullmatch(folder) and not folder.casefold().startswith(vm.name.casefold()[:40]):
        yield f"{visible(vm.name)} lies in the folder {visible(folder, 60)}"
