"""An inventory cut into one for each vCenter, as RVTools exports them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from planner.model import Inventory
from planner.model.estate import PLACED


def _order(inventory: Inventory) -> list[str]:
    named: Iterable[str] = [*(one.id for one in inventory.vcenters), *(vm.vcenter for vm in inventory.vms)]
    return list(dict.fromkeys(named))


def _part(inventory: Inventory, vcenter: str, parts: dict[str, list[Any]]) -> Inventory:
    fields: dict[str, Any] = {part: tuple(items) for part, items in parts.items()}
    own = tuple(one for one in inventory.vcenters if one.id == vcenter)
    return replace(inventory, vcenters=own, dependencies=(), **fields)


def per_vcenter(inventory: Inventory) -> tuple[Inventory, ...]:
    """Return the parts in the order of the vCenters; what names none goes with the first."""
    order = _order(inventory) or [""]
    if len(order) == 1:
        return (inventory,)
    first = order[0]
    found: dict[str, dict[str, list[Any]]] = {vcenter: {part: [] for part in PLACED} for vcenter in order}
    for part in PLACED:
        for item in getattr(inventory, part):
            found[item.vcenter if item.vcenter in found else first][part].append(item)
    return tuple(_part(inventory, vcenter, parts) for vcenter, parts in found.items() if parts["vms"])
