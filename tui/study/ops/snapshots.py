"""Snapshots for the screens: what drifted since the one before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.study.room import Room

_NAMED = 12  # objects that are told by name


def drifted(room: Room, inventory: int) -> dict[str, Any]:
    """Return what changed from the snapshot of the same role before ``inventory`` to it."""
    from planner import drift
    from planner.drift import KINDS
    from planner.store import inventories

    role = inventories.head(room.project, inventory).role
    older = [one.id for one in inventories.heads(room.project) if one.role is role and one.id < inventory]
    if not older:
        return {"before": None, "said": "", "named": [], "objects": 0}
    before = max(older)
    found = drift.drift(
        inventories.get(room.project, before).inventory, inventories.get(room.project, inventory).inventory
    )
    return {
        "before": before,
        "said": drift.summary(found),
        "named": [f"{KINDS[one.kind]} {one.name} {one.what}" for one in found.objects[:_NAMED]],
        "objects": len(found.objects),
    }


WRITES: frozenset[str] = frozenset()
OPS = {"snapshots.drift": drifted}
