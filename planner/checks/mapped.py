"""Checks of the maps of datastores and folders: does the target have what they lead to, with room for all."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import About, Rule, Whole, Work, rule
from planner.checks.estate import Estate
from planner.destinations import is_known, known_folders
from planner.filling import by_name, free_on, load_of_all
from planner.model import Datastore, Severity
from planner.names import visible
from planner.settings import Settings
from planner.sized import show_size
from planner.units import show_bytes, show_count
from planner.volumes import datastore_of

RULES: list[Rule] = []
_SETTING = "wherry settings: {}"


def _users(store: Datastore, estate: Estate) -> int:
    return estate.users[estate.place(store, store.name)]


@rule(
    RULES,
    "storage.map.missing",
    Severity.WARNING,
    "Target datastore does not exist or cannot be used",
    condition="the datastore that this one is mapped to is not in the target inventory, is not accessible "
    "there, or in maintenance mode; VMs that may move are on it",
    properties=(
        "Datastore.summary.name",
        "Datastore.summary.accessible",
        "Datastore.summary.maintenanceMode",
    ),
    reference=_SETTING.format("datastores"),
    about=About.DATASTORE,
    why="Whatever is on it finds no place at the target; the storage class of a cluster is in no vCenter, "
    "and is to be looked up there.",
    remedy="make the datastore at the target, or map to another one in the settings",
    work=Work(effort_min=60, lead_days=5),
)
def map_missing(store: Datastore, estate: Estate) -> Iterator[str | None]:
    """Find: target datastore does not exist or cannot be used; unknown while no target was discovered."""
    if not _users(store, estate):
        return
    if estate.target is None or estate.settings is None or "datastores" in estate.target.gaps:
        yield None
        return
    wanted = estate.settings.datastores.get(store.name, "")
    if not wanted:
        return  # that nobody mapped it is a finding of its own
    there = [one for one in estate.target.inventory.datastores if one.name == wanted]
    said = f"{visible(store.name, 60)} is mapped to {visible(wanted, 60)}"
    if not there:
        yield f"{said}: the target has no such datastore"
    elif all(one.accessible is False for one in there):
        yield f"{said}, which is not accessible at the target"
    elif all(one.maintenance for one in there):
        yield f"{said}, which is in maintenance mode at the target"


@rule(
    RULES,
    "storage.map.unmapped",
    Severity.INFO,
    "Datastore without a map",
    condition="the settings do not say where the datastore leads, a target was discovered, and VMs that may "
    "move are on it",
    properties=("Datastore.summary.name",),
    reference=_SETTING.format("datastores"),
    about=About.DATASTORE,
    why="Somebody chooses a place for each of its VMs in the night, and what fills up is seen too late.",
    remedy="map it in the settings, or leave the choice to whoever moves the VMs",
)
def unmapped(store: Datastore, estate: Estate) -> Iterator[str | None]:
    """Find: datastore without a map; unknown while no target was discovered."""
    if not (count := _users(store, estate)):
        return
    if estate.target is None or estate.settings is None:
        yield None
    elif store.name not in estate.settings.datastores:
        yield f"{visible(store.name, 60)} ({show_count(count, 'VM')}) has no map to a datastore of the target"


@rule(
    RULES,
    "storage.map.room",
    Severity.WARNING,
    "A target datastore has less room than is mapped to it",
    condition="full size of all volumes mapped to a datastore of the target, and swap files of their VMs, is "
    "over its free space; VMs that stay are left out",
    properties=(
        "config.hardware.device[VirtualDisk].capacityInBytes",
        "config.hardware.memoryMB",
        "Datastore.summary.freeSpace",
    ),
    reference="vSphere API: DatastoreSummary.freeSpace",
    about=About.ESTATE,
    why="The waves fill it one after the other, and one of them stops all VMs on it; the notes of a plan say "
    "which.",
    remedy="map some datastores to another one, or add space before the wave that needs it",
    work=Work(effort_min=240, lead_days=30),
)
def no_room(whole: Whole, estate: Estate) -> Iterator[str | None]:
    """Find: a target datastore has less room than is mapped to it; a raw device counts as a VMDK of it."""
    settings = estate.settings
    if estate.target is None or settings is None or "datastores" in estate.target.gaps:
        yield None
        return
    if not settings.datastores:
        return
    landing = load_of_all(estate.inventory, settings, estate.volume)
    certain = _certain(estate, settings)
    there = by_name(estate.target.inventory)
    for name in sorted(landing):
        if name not in there:
            continue  # a finding of its own
        free = free_on(there[name])
        if free is None:
            yield None
        elif landing[name] > free:
            yield (
                f"{show_size(landing[name])} are mapped to {visible(name, 60)} at the target, "
                f"{show_bytes(free)} are free"
            )
        elif not certain:
            yield None


def _certain(estate: Estate, settings: Settings) -> bool:
    """Return whether all that may land says how much it is, and where it is now."""
    return all(
        vm.memory_bytes > 0
        and not estate.lacks(vm, "disks")
        and all(datastore_of(disk.path) and estate.volume(vm, disk).size_bytes > 0 for disk in vm.disks)
        for vm in estate.inventory.vms
        if vm.movable and vm.name not in settings.exclude
    )


@rule(
    RULES,
    "storage.map.folder",
    Severity.INFO,
    "Target folder is not there yet",
    condition="the VM folder that the settings map to is not among those of the target inventory; an export "
    "lists only folders with a VM in them",
    properties=("Folder.name", "Folder.parent"),
    reference=_SETTING.format("folders"),
    about=About.ESTATE,
    why="A mover refuses the VM or puts it into the root, where rights and backup jobs do not find it.",
    remedy="make the folder at the target with its permissions, or map to another one in the settings",
)
def no_folder(whole: Whole, estate: Estate) -> Iterator[str | None]:
    """Find: target folder is not there yet; unknown while the folders of the target are."""
    if estate.settings is None or estate.target is None or not estate.target.inventory.folders:
        yield None
        return
    known = known_folders(estate.target.inventory)
    for path, to in estate.settings.folders.items():
        if not is_known(to, known):
            yield f"{visible(path, 60)} is mapped to {visible(to, 80)}: the target has no such folder"
