"""Imported names that lead to no VM, for the screens: open ones, settled ones, and settling them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.model import Inventory
    from tui.study.room import Room

_KEPT = "meanings"


def _bare(room: Room) -> Inventory:
    """Return the newest inventory without what was imported, by which names are read."""
    from planner.store import inventories

    kept = room.kept.get(_KEPT)
    if kept is None or kept[0] is not room.inventory:
        kept = room.kept[_KEPT] = (room.inventory, inventories.latest_bare(room.project).inventory)
    found: Inventory = kept[1]
    return found


def listed(room: Room) -> list[dict[str, Any]]:
    """Return names to settle, most traffic first, then those that a person settled.

    ``means`` is what is known of a name: VMs it could be, the nearest one, the VM it was settled to be.
    """
    from planner.evidence.leftover import leftovers
    from planner.evidence.resolve import Verdict
    from planner.store import evidence, traffic

    bare, settled = _bare(room), evidence.settled(room.project)
    vms = {vm.id: vm.name for vm in bare.vms}
    rows: list[dict[str, Any]] = [
        {
            "label": item.label,
            "state": "several" if item.candidates else "unknown",
            "size_bytes": item.size_bytes,
            "conversations": item.conversations,
            "facts": item.facts,
            "means": item.candidates or ((item.nearest,) if item.nearest else ()),
        }
        for item in leftovers(traffic.carried(room.project), bare, settled)
        if item.verdict is not Verdict.EXTERNAL
    ]
    rows += [
        {
            "label": label,
            "state": "settled" if vm else "not ours",
            "size_bytes": None,
            "conversations": None,
            "facts": None,
            "means": (vms.get(vm, vm),) if vm else (),
        }
        for label, vm in sorted(settled.items())
    ]
    return rows


def settle(room: Room, label: str, vm: str | None = None) -> dict[str, Any]:
    """Settle what a name means: a VM, none of ours (""), or open again (None)."""
    from tui.acts.finding import find_vm
    from tui.acts.meaning import settle as keep

    found = find_vm(_bare(room), vm) if vm else None
    keep(room.project, {label: found.id if found else vm}, label)
    return {"label": label, "vm": found.name if found else ""}


WRITES = frozenset({"meanings.settle"})
OPS = {"meanings": listed, "meanings.settle": settle}
