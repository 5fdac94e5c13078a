"""How the datastores of the target fill, wave by wave: what lands on each against what is free there.

Disks count at their full size and every VM with a swap file of its memory; a disk that becomes a raw
device takes nothing. What no map places is left out and said. Names that the target has twice, and
datastores that do not say what is free, stay open; bytes of which only a part is known are ``AtLeast``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from planner.destinations import home
from planner.model import VM, Datastore, Disk, Inventory, Volume
from planner.names import visible
from planner.plan import PlannedDisk, PlannedVM, Wave
from planner.settings import Settings
from planner.sized import AtLeast, holds_all, show_size, size_of, unsized
from planner.units import show_bytes, show_count
from planner.volumes import datastore_of

_NAMED = 6  # datastores that get a note of their own
Load = Mapping[str, int]  # bytes by target datastore


@dataclass(frozen=True, slots=True)
class Filled:
    """A target datastore. ``after`` are the bytes on it after each wave that adds some, in order.

    ``free_bytes`` is None when unknown; ``full`` is the first wave that has no room, empty when all have
    it or nobody knows.
    """

    datastore: str
    free_bytes: int | None
    after: tuple[tuple[str, int], ...]

    @property
    def size_bytes(self) -> int:
        """All that lands there."""
        return self.after[-1][1] if self.after else 0

    @property
    def full(self) -> str:
        """The first wave without room."""
        if self.free_bytes is None:
            return ""
        return next((wave for wave, size in self.after if size > self.free_bytes), "")


def load_of(
    wave: Wave,
    disk_on: Callable[[PlannedDisk], str] = lambda disk: disk.datastore,
    vm_on: Callable[[PlannedVM], str] = lambda vm: vm.datastore,
    bare: Collection[str] = (),
) -> Load:
    """Return what a wave brings to each target datastore, as it was planned or as other maps say.

    ``bare`` are the ids of VMs of which not all disks are known: there is more than counts.
    """
    found: Counter[str] = Counter()
    part = set()
    for disk in wave.disks:
        if not disk.target.is_rdm:
            found[on := disk_on(disk)] += disk.size_bytes
            if disk.size_bytes <= 0:
                part.add(on)
    for vm in wave.vms:
        found[on := vm_on(vm)] += vm.memory_bytes
        if vm.id in bare or vm.memory_bytes <= 0:
            part.add(on)
    return _loaded(found, part)


def _loaded(found: Counter[str], part: Collection[str]) -> Load:
    """Return bytes by datastore; of those in ``part`` there is more. What no map places is left out."""
    return {
        name: size_of(size, name not in part)
        for name, size in found.items()
        if name and (size or name in part)
    }


def loads_now(waves: Iterable[Wave], inventory: Inventory, datastores: Mapping[str, str]) -> Iterator[Load]:
    """Yield what each wave brings to each target datastore by a map that the plan may not know yet."""
    held = {(vm.id, disk.key): datastore_of(disk.path) or "" for vm in inventory.vms for disk in vm.disks}
    homes = {vm.id: datastores.get(home(vm), "") for vm in inventory.vms}
    vms = {vm.id: vm for vm in inventory.vms}

    def on(disk: PlannedDisk) -> str:
        said = (held.get((item.vm, item.disk), "") for item in disk.attachments)
        return datastores.get(next(filter(None, said), ""), "")

    for wave in waves:
        yield load_of(wave, on, lambda vm: homes.get(vm.id, ""), unsized(wave, vms, inventory.gaps))


def load_of_all(inventory: Inventory, settings: Settings, volume_of: Callable[[VM, Disk], Volume]) -> Load:
    """Return what all VMs that may move bring to each target datastore, before anything is planned.

    A raw device counts as a VMDK of its size. What no map places is left out.
    """
    found: Counter[str] = Counter()
    counted: set[str] = set()
    part = set()
    stay = frozenset(settings.exclude)
    for vm in inventory.vms:
        if not vm.movable or vm.name in stay:
            continue
        found[to := settings.datastores.get(home(vm), "")] += vm.memory_bytes
        if vm.memory_bytes <= 0 or not holds_all(vm, inventory.gaps):
            part.add(to)
        for disk in vm.disks:
            volume = volume_of(vm, disk)
            if volume.id not in counted:
                counted.add(volume.id)
                found[to := settings.datastores.get(datastore_of(disk.path) or "", "")] += volume.size_bytes
                if volume.size_bytes <= 0:
                    part.add(to)
    return _loaded(found, part)


def by_name(target: Inventory) -> dict[str, Datastore | None]:
    """Return the datastores of the target by name, None where several have it."""
    found: dict[str, Datastore | None] = {}
    for store in target.datastores:
        found[store.name] = None if store.name in found else store
    return found


def free_on(store: Datastore | None) -> int | None:
    """Return what is free on a datastore, None when it does not say or cannot be used."""
    if store is None or store.accessible is False or store.maintenance:
        return None
    return store.free_bytes or None


def fill(loads: Iterable[tuple[str, Load]], target: Inventory | None) -> tuple[Filled, ...]:
    """Return each target datastore that something lands on, the most of it first."""
    totals: dict[str, int] = {}
    after: dict[str, list[tuple[str, int]]] = {}
    for wave, load in loads:
        for name, size in load.items():
            before = totals.get(name, 0)
            sized = not isinstance(before, AtLeast) and not isinstance(size, AtLeast)
            totals[name] = size_of(before + size, sized)
            after.setdefault(name, []).append((wave, totals[name]))
    there = by_name(target) if target else {}
    return tuple(
        Filled(name, free_on(there.get(name)), tuple(after[name]))
        for name in sorted(after, key=lambda name: (-totals[name], name))
    )


def full_words(one: Filled) -> str:
    """Return which wave finds a datastore full, as a sentence; empty when none does."""
    if not one.full or one.free_bytes is None:
        return ""
    size = dict(one.after)[one.full]
    return (
        f"{visible(one.datastore, 60)} at the target is full from {one.full} on: {show_size(size)} land "
        f"there by then, {show_bytes(one.free_bytes)} are free"
    )


def filling_notes(waves: Iterable[Wave], inventory: Inventory, target: Inventory | None) -> tuple[str, ...]:
    """Return which datastores of the target the waves of a plan overfill, and from which wave on."""
    if target is None:
        return ()
    vms = {vm.id: vm for vm in inventory.vms}
    loads = ((wave.name, load_of(wave, bare=unsized(wave, vms, inventory.gaps))) for wave in waves)
    found = [one for one in fill(loads, target) if one.full]
    notes = [f"{full_words(one)}; map some of it to another one" for one in found[:_NAMED]]
    if len(found) > _NAMED:
        notes.append(f"{show_count(len(found) - _NAMED, 'more datastore')} of the target will be full too")
    return tuple(notes)
