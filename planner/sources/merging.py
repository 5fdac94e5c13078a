"""Several inventories to one, vCenter by vCenter: files of one estate, or a refresh of a part of it.

    inventories ─▶ one slice a vCenter, the newest ─▶ ids by ``naming`` ─▶ one inventory

A vCenter is taken whole from one inventory, never mixed. One that does not say who it is counts as a
vCenter of its own, called by its source. What only some parts do not know becomes a gap of their VMs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from planner.model import VM, Cluster, Dependency, DrsGroup, DrsRule, Inventory, Lun
from planner.model.estate import PLACED
from planner.names import visible
from planner.sources.naming import Naming, bare

Rename = Callable[[str], str]

_AND = " + "


@dataclass(frozen=True, slots=True)
class _Slice:
    """What one inventory holds of one vCenter."""

    vcenter: str
    inventory: Inventory
    objects: dict[str, tuple[Any, ...]]

    @property
    def gaps(self) -> dict[str, None]:
        """The kinds that nothing here is known of."""
        vms: tuple[VM, ...] = self.objects["vms"]
        shared = set.intersection(*(set(vm.gaps) for vm in vms)) if vms else set()
        return dict.fromkeys(
            (*self.inventory.gaps, *(gap for vm in vms[:1] for gap in vm.gaps if gap in shared))
        )


def _time(inventory: Inventory) -> datetime:
    try:
        found = datetime.fromisoformat(inventory.taken_at)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found


def _label(inventory: Inventory) -> str:
    return inventory.source.removeprefix("rvtools:")


def _owned(inventory: Inventory) -> tuple[Inventory, bool]:
    """Return the inventory with a vCenter on every object, and whether one had to be made up."""
    named = dict.fromkeys(item.vcenter for part in PLACED for item in getattr(inventory, part))
    if "" not in named:
        return inventory, False
    del named[""]
    named.update(dict.fromkeys(vcenter.id for vcenter in inventory.vcenters))
    owner = next(iter(named)) if len(named) == 1 else inventory.source
    parts: dict[str, Any] = {
        part: tuple(
            item if item.vcenter else replace(item, vcenter=owner) for item in getattr(inventory, part)
        )
        for part in PLACED
    }
    return replace(inventory, **parts), owner == inventory.source


def _slices(inventory: Inventory) -> list[_Slice]:
    order = dict.fromkeys(item.vcenter for part in PLACED for item in getattr(inventory, part))
    found: dict[str, dict[str, list[Any]]] = {vcenter: {part: [] for part in PLACED} for vcenter in order}
    for part in PLACED:
        for item in getattr(inventory, part):
            found[item.vcenter][part].append(item)
    return [
        _Slice(vcenter, inventory, {part: tuple(items) for part, items in parts.items()})
        for vcenter, parts in found.items()
    ]


def merged(inventories: Sequence[Inventory]) -> Inventory:
    """Return one inventory of all vCenters; of a vCenter that several hold, the newest is taken."""
    if len(inventories) == 1:
        return inventories[0]
    owned, notes = _own_all(inventories)
    chosen: dict[str, _Slice] = {}
    for inventory in owned:
        for part in _slices(inventory):
            known = chosen.get(part.vcenter)
            if known is None:
                chosen[part.vcenter] = part
                continue
            older, newer = sorted((known, part), key=lambda item: _time(item.inventory))
            chosen[part.vcenter] = newer
            labels = [visible(_label(one.inventory), 60) for one in (older, newer)]
            notes.append(
                f"{visible(_called(newer), 60)} is in {labels[0]} and in {labels[1]}: "
                f"the newer one of {newer.inventory.taken_at} was taken"
            )
    return _composed(list(chosen.values()), owned, notes)


def replaced(old: Inventory, new: Inventory) -> Inventory:
    """Return ``old`` with everything of the vCenters that ``new`` holds as new says it.

    Others stay as they are; vCenters keep their order, and so their ids.
    """
    owned, notes = _own_all((old, new))
    chosen = {part.vcenter: part for part in _slices(owned[0])}
    chosen |= {part.vcenter: part for part in _slices(owned[1])}
    return _composed(list(chosen.values()), owned, notes)


def _own_all(inventories: Iterable[Inventory]) -> tuple[list[Inventory], list[str]]:
    owned, notes = [], []
    for inventory in inventories:
        one, made_up = _owned(inventory)
        owned.append(one)
        if made_up:
            notes.append(
                f"{visible(_label(inventory), 60)} does not say which vCenter it is of: "
                "it counts as one of its own"
            )
    return owned, notes


def _called(part: _Slice) -> str:
    names = {vcenter.id: vcenter.name for vcenter in part.inventory.vcenters}
    return f"vCenter {names.get(part.vcenter) or part.vcenter}"


def _composed(chosen: list[_Slice], inventories: Sequence[Inventory], notes: list[str]) -> Inventory:
    naming = Naming(part.vcenter for part in chosen)
    used = [one for one in inventories if any(part.inventory is one for part in chosen)]
    common = [gap for gap in chosen[0].gaps if all(gap in part.gaps for part in chosen)] if chosen else []
    objects: dict[str, list[Any]] = {part: [] for part in PLACED}
    for part in chosen:
        for name, items in _renamed(part, naming, common).items():
            objects[name] += items
    newest = max(used, key=_time)
    notes += [
        f"{visible(_called(part), 60)} is as of {part.inventory.taken_at}"
        for part in chosen
        if _time(part.inventory) < _time(newest)
    ]
    vcenters = {
        vcenter.id: vcenter
        for part in chosen
        for vcenter in part.inventory.vcenters
        if vcenter.id == part.vcenter
    }
    return Inventory(
        source=_AND.join(dict.fromkeys(word for one in used for word in one.source.split(_AND))),
        taken_at=newest.taken_at,
        dependencies=tuple(_dependencies(chosen, used, naming)),
        notes=tuple(dict.fromkeys([*_notes(used), *notes])),
        gaps=tuple(common),
        vcenters=tuple(vcenters.values()),
        **{name: tuple(items) for name, items in objects.items()},
    )


def _notes(used: list[Inventory]) -> list[str]:
    """Return the notes of all parts with their source in front; what a refresh says anew replaces it."""
    if len(used) == 1:
        return list(used[0].notes)
    found: list[str] = []
    for inventory in used:
        label = f"{visible(_label(inventory), 60)}: "
        found = [note for note in found if not note.startswith(label)]
        joint = _AND in inventory.source  # its notes say already where they are from
        found += [note if joint or note.startswith(label) else label + note for note in inventory.notes]
    return found


def _renamed(part: _Slice, naming: Naming, common: list[str]) -> dict[str, list[Any]]:
    """Return the objects of a slice with the ids they have beside those of other vCenters."""
    prefix = naming.prefix(part.vcenter)

    def rename(name: str) -> str:
        return prefix + bare(part.vcenter, name)

    own = [gap for gap in part.gaps if gap not in common]
    found: dict[str, list[Any]] = {}
    for name, items in part.objects.items():
        if name == "vms":
            found[name] = [_vm(vm, rename, own, common) for vm in items]
        elif name == "clusters":
            found[name] = [_cluster(cluster, rename) for cluster in items]
        elif name == "luns":
            found[name] = [_lun(lun, rename) for lun in items]
        elif name == "licences":
            found[name] = list(items)
        else:
            found[name] = [
                item if rename(item.id) == item.id else replace(item, id=rename(item.id)) for item in items
            ]
    return found


def _vm(vm: VM, rename: Rename, own: list[str], common: list[str]) -> VM:
    gaps = tuple(gap for gap in dict.fromkeys((*vm.gaps, *own)) if gap not in common)
    name = rename(vm.id)
    return vm if (name, gaps) == (vm.id, vm.gaps) else replace(vm, id=name, gaps=gaps)


def _lun(lun: Lun, rename: Rename) -> Lun:
    hosts = tuple(map(rename, lun.hosts))
    return lun if hosts == lun.hosts else replace(lun, hosts=hosts)


def _cluster(cluster: Cluster, rename: Rename) -> Cluster:
    if rename(cluster.id) == cluster.id:
        return cluster

    def rule(one: DrsRule) -> DrsRule:
        return one if one.vms is None else replace(one, vms=tuple(map(rename, one.vms)))

    def group(one: DrsGroup) -> DrsGroup:
        return replace(one, members=tuple(map(rename, one.members)))

    return replace(
        cluster,
        id=rename(cluster.id),
        rules=None if cluster.rules is None else tuple(map(rule, cluster.rules)),
        groups=None if cluster.groups is None else tuple(map(group, cluster.groups)),
    )


def _dependencies(chosen: list[_Slice], used: list[Inventory], naming: Naming) -> list[Dependency]:
    """Return the ties of the VMs that were taken, between the ids they have now."""
    taken = {id(part.inventory): set[str]() for part in chosen}
    for part in chosen:
        taken[id(part.inventory)].add(part.vcenter)
    found: list[Dependency] = []
    for inventory in used:
        if not inventory.dependencies:
            continue
        homes = {vm.id: vm.vcenter for vm in inventory.vms}
        for tie in inventory.dependencies:
            if homes.get(tie.source) not in taken[id(inventory)]:
                continue
            ends = [
                naming.named(homes[end], bare(homes[end], end)) if end in homes else end
                for end in (tie.source, tie.target)
            ]
            found.append(
                tie if ends == [tie.source, tie.target] else replace(tie, source=ends[0], target=ends[1])
            )
    return found
