"""Move groups above the caps of the settings, each with the cuts that would part it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from planner.graph.cuts import Oversize, Weight, oversize
from planner.graph.edge import Edge
from planner.graph.hubs import shared_services
from planner.groups import hard_edges
from planner.model import Inventory, MoveGroup
from planner.units import TIB
from planner.volumes import volumes

if TYPE_CHECKING:
    from planner.settings import Settings


def oversized(
    groups: Sequence[MoveGroup], inventory: Inventory, settings: Settings, most: int | None = None
) -> dict[str, Oversize]:
    """Return what to do about each group above the caps, by its name, in the order of the groups.

    A shared volume counts for the VM that holds it first, as it does when waves are packed. With ``most``
    only the first so many groups are looked at.
    """
    caps = Weight(settings.caps.vms, round(settings.caps.tib * TIB))
    sizes: dict[str, int] = {}
    inside = {vm for group in groups for vm in group.vms}
    for volume in volumes(inventory):
        first = next((item.vm.id for item in volume.attachments if item.vm.id in inside), "")
        sizes[first] = sizes.get(first, 0) + volume.size_bytes
    large = [
        group
        for group in groups
        if len(group.vms) > caps.vms or sum(sizes.get(vm, 0) for vm in group.vms) > caps.size_bytes
    ]
    large = large[:most]
    if not large:
        return {}
    home = {vm: group.name for group in large for vm in group.vms}
    closing: dict[str, list[Edge]] = {group.name: [] for group in large}
    for edge in hard_edges(inventory, home, frozenset(shared_services(inventory, settings))):
        closing[home[edge.source]].append(edge)
    found = ((group.name, oversize(group.vms, closing[group.name], sizes, caps)) for group in large)
    return {name: one for name, one in found if one is not None}
