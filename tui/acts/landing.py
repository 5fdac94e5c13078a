"""Datastores and folders of the source and where they lead: who is on them, what the target has, its room."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.destinations import (
    ANYWHERE,
    below,
    folder_maps,
    folders_above,
    held_on,
    home,
    is_known,
    known_folders,
    parts_of,
    spelled,
)
from planner.filling import by_name, fill, free_on, load_of_all, loads_now
from planner.names import visible
from planner.sized import holds_all, show_size
from planner.units import show_bytes
from planner.volumes import datastore_of, own_volume, shared_volumes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from planner.destinations import FolderMaps, Parts
    from planner.filling import Load
    from planner.model import VM, Datastore, Inventory, Volume
    from planner.plan import Plan
    from planner.settings import Settings


@dataclass(frozen=True, slots=True)
class Landing:
    """A datastore or folder of the source. ``to`` is its own map, ``goes`` where it leads, both may be empty.

    ``by`` is the name whose map decides; ``room`` says what is free there in words, ``wrong`` what planner
    knows. ``left`` are VMs that have no place yet. Of a folder, VMs and bytes are those in it and deeper;
    bytes are the least they are unless ``sized``.
    """

    name: str
    vms: int
    size_bytes: int
    sized: bool
    to: str
    goes: str
    by: str
    room: str
    wrong: str
    left: int


def open_first(rows: Iterable[Landing]) -> tuple[Landing, ...]:
    """Return rows, those that need a map first, the most VMs before others."""
    return tuple(sorted(rows, key=lambda one: (not one.left, -one.vms, one.name)))


# datastores


def _stores_of(vm: VM) -> set[str]:
    return {name for name in (home(vm), *(datastore_of(disk.path) for disk in vm.disks)) if name}


def datastores_of(inventory: Inventory) -> tuple[str, ...]:
    """Return the names of all datastores, sorted: of VMs which may move, and those nobody is on."""
    used = {name for vm in inventory.vms if vm.movable for name in _stores_of(vm)}
    return tuple(sorted(used | {store.name for store in inventory.datastores}))


def datastore_landings(
    inventory: Inventory, target: Inventory | None, settings: Settings, plan: Plan | None
) -> tuple[Landing, ...]:
    """Return every datastore with its map and the room there, wave by wave where there is a plan."""
    vms = Counter(name for vm in inventory.vms if vm.movable for name in _stores_of(vm))
    sizes: Counter[str] = Counter()
    shared = {
        (item.vm.id, item.disk.key): one for one in shared_volumes(inventory) for item in one.attachments
    }
    seen: set[str] = set()
    part: set[str] = set()  # datastores on which more may be than is known
    for vm in inventory.vms:
        if vm.movable and not _placed(vm, inventory.gaps):
            part |= _stores_of(vm)
        for disk in vm.disks if vm.movable else ():
            volume = shared.get((vm.id, disk.key))
            if volume is None:
                sizes[datastore_of(disk.path) or ""] += disk.size_bytes
            elif volume.id not in seen:
                seen.add(volume.id)
                sizes[held_on(volume)] += volume.size_bytes
    known = target is not None and "datastores" not in target.gaps
    there = by_name(target) if known and target else {}
    full = _full(inventory, target, settings, plan, shared) if known else {}
    found = []
    for name in datastores_of(inventory):
        to = settings.datastores.get(name, "")
        wrong = []
        if not to and vms[name]:
            wrong.append("not mapped")
        elif to and known and to not in there:
            wrong.append("the target has no such datastore")
        elif to and (unfit := _unfit(there.get(to))):
            wrong.append(unfit)
        if to in full:
            wrong.append(full[to])
        room = _room(there[to]) if to in there else ""
        found.append(
            Landing(
                name,
                vms[name],
                sizes[name],
                name not in part,
                to,
                to,
                name if to else "",
                room,
                "; ".join(wrong),
                0 if to else vms[name],
            )
        )
    return open_first(found)


def _placed(vm: VM, gaps: Collection[str]) -> bool:
    """Return whether all disks of a VM are known, each with a size and a datastore."""
    return holds_all(vm, gaps) and all(datastore_of(disk.path) for disk in vm.disks)


def _unfit(store: Datastore | None) -> str:
    if store is not None and store.accessible is False:
        return "it is not accessible there"
    return "it is in maintenance mode there" if store is not None and store.maintenance else ""


def _room(store: Datastore | None) -> str:
    free = free_on(store)
    return "unknown" if free is None else f"{show_bytes(free)} free"


def _full(
    inventory: Inventory,
    target: Inventory | None,
    settings: Settings,
    plan: Plan | None,
    shared: Mapping[tuple[str, str], Volume],
) -> dict[str, str]:
    """Return what to say of target datastores that have no room for all that these maps bring."""
    if not settings.datastores:
        return {}
    loads: Iterable[tuple[str, Load]]
    if plan is None:
        all_of_it = load_of_all(
            inventory, settings, lambda vm, disk: shared.get((vm.id, disk.key)) or own_volume(vm, disk)
        )
        loads = [("", all_of_it)]
    else:
        brought = loads_now(plan.waves, inventory, settings.datastores)
        loads = ((wave.name, load) for wave, load in zip(plan.waves, brought, strict=True))
    found = {}
    for one in fill(loads, target):
        over = next(((wave, size) for wave, size in one.after if size > (one.free_bytes or size)), None)
        if over is not None:
            when = f"full from {visible(over[0])} on" if over[0] else "too small"
            found[one.datastore] = (
                f"{when}: {show_size(over[1])} land there, {show_bytes(one.free_bytes or 0)} are free"
            )
    return found


# folders


def folders_of(inventory: Inventory) -> tuple[str, ...]:
    """Return the paths of all folders of VMs which may move, with those above them, sorted."""
    return tuple(sorted({path for vm in inventory.vms if vm.movable for path in folders_above(vm)}))


def folders_there(target: Inventory | None) -> tuple[str, ...] | None:
    """Return the paths of VM folders at the target, None when nobody read them."""
    if target is None or not target.folders:
        return None
    vms = (one for one in target.folders if one.kind in ("vm", ""))
    return tuple(sorted({"/".join(below(one.path, one.datacenter)) or ANYWHERE for one in vms}))


def folder_landings(
    inventory: Inventory, target: Inventory | None, settings: Settings
) -> tuple[Landing, ...]:
    """Return every folder with its map, VMs and bytes of all that lies in it."""
    maps = folder_maps(settings.folders)
    vms: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    left: Counter[str] = Counter()
    part: set[str] = set()  # folders with a VM of which not all disks are known
    for vm in inventory.vms:
        if not vm.movable:
            continue
        by, goes = maps.decided(vm.folder, vm.datacenter) if vm.folder else ("", "")
        for path in {*folders_above(vm), *([spelled(by)] if by else [])}:
            vms[path] += 1
            sizes[path] += vm.disk_bytes
            left[path] += not goes
            if not holds_all(vm, inventory.gaps):
                part.add(path)
    known = known_folders(target) if target is not None and target.folders else None
    names = {*vms, *map(spelled, settings.folders)}
    return open_first(
        _folder(name, vms[name], (sizes[name], name not in part), left[name], maps, known) for name in names
    )


def _folder(
    name: str, vms: int, size: tuple[int, bool], left: int, maps: FolderMaps, known: frozenset[Parts] | None
) -> Landing:
    own = maps.by_parts.get(parts_of(name))
    by, goes = own or maps.decided(name, "")
    wrong = []
    if left:
        wrong.append("not mapped" if left == vms else f"{left} of them not mapped")
    if own and known is not None and not is_known(goes, known):
        wrong.append("the target has no such folder")
    return Landing(name, vms, *size, own[1] if own else "", goes, by, "", "; ".join(wrong), left)
