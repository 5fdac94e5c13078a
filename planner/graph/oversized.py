"""Move groups above the caps of the settings, each with the cuts that would part it.

What is known of a group is the least it has: above a cap it is above for certain, below one it may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from planner.graph.cuts import Oversize, Weight, oversize, weight_of
from planner.graph.edge import Edge
from planner.graph.hubs import shared_services
from planner.groups import hard_edges
from planner.model import Inventory, MoveGroup
from planner.sized import holds_all
from planner.units import TIB
from planner.volumes import volumes

if TYPE_CHECKING:
    from planner.settings import Settings


def oversized(
    groups: Sequence[MoveGroup],
    inventory: Inventory,
    settings: Settings,
    most: int | None = None,
    sizes: Mapping[str, int] | None = None,
    services: frozenset[str] | None = None,
) -> dict[str, Oversize]:
    """Return what to do about each group above the caps, by its name, in the order of the groups.

    A shared volume counts for the VM that holds it first, as it does when waves are packed. With ``most``
    only the first so many groups are looked at. ``sizes`` are the bytes that count for each VM, ``services``
    the VMs that serve all, by id, where they are known.
    """
    caps = _caps(settings)
    if sizes is None:
        sizes = _sizes(groups, inventory)
    bare = _bare(inventory)
    large = _judged(groups, sizes, bare, caps, False)[:most]
    if not large:
        return {}
    home = {vm: group.name for group in large for vm in group.vms}
    closing: dict[str, list[Edge]] = {group.name: [] for group in large}
    if services is None:
        services = frozenset(shared_services(inventory, settings))
    for edge in hard_edges(inventory, home, services):
        closing[home[edge.source]].append(edge)
    found = ((group.name, oversize(group.vms, closing[group.name], sizes, caps, bare)) for group in large)
    return {name: one for name, one in found if one is not None}


def above_caps(
    groups: Sequence[MoveGroup], inventory: Inventory, settings: Settings
) -> tuple[MoveGroup, ...]:
    """Return the groups above the caps, in their order; what parting them would cost is not worked out."""
    return tuple(_judged(groups, _sizes(groups, inventory), _bare(inventory), _caps(settings), False))


def maybe_above_caps(
    groups: Sequence[MoveGroup], inventory: Inventory, settings: Settings
) -> tuple[MoveGroup, ...]:
    """Return the groups of which nobody knows whether they are above the caps, in their order."""
    return tuple(_judged(groups, _sizes(groups, inventory), _bare(inventory), _caps(settings), None))


def _caps(settings: Settings) -> Weight:
    return Weight(settings.caps.vms, round(settings.caps.tib * TIB))


def _sizes(groups: Sequence[MoveGroup], inventory: Inventory) -> dict[str, int]:
    """Return the bytes that count for each VM, by id."""
    sizes: dict[str, int] = {}
    inside = {vm for group in groups for vm in group.vms}
    for volume in volumes(inventory):
        first = next((item.vm.id for item in volume.attachments if item.vm.id in inside), "")
        sizes[first] = sizes.get(first, 0) + volume.size_bytes
    return sizes


def _bare(inventory: Inventory) -> frozenset[str]:
    """Return the ids of VMs of which not all disks are known."""
    return frozenset(vm.id for vm in inventory.vms if not holds_all(vm, inventory.gaps))


def _judged(
    groups: Sequence[MoveGroup],
    sizes: Mapping[str, int],
    bare: frozenset[str],
    caps: Weight,
    fits: bool | None,
) -> list[MoveGroup]:
    return [group for group in groups if weight_of(group.vms, sizes, bare).fits(caps) is fits]
