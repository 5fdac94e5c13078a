"""Hubs for the screens: VMs that everyone needs, as they were found and as people confirmed them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tui.study.room import Room


def listed(room: Room) -> list[dict[str, Any]]:
    """Return every candidate, the most used first; ``verdict`` is yes, no or "" while nobody decided."""
    from planner.graph import hubs

    vms = room.known.vms
    return [
        {
            "id": hub.vm,
            "name": vms[hub.vm].name,
            "users": hub.users,
            "traffic_bytes": hub.traffic_bytes,
            "ports": hub.ports,
            "verdict": hub.verdict,
            "decided": any(item.a == hub.vm and not item.b for item in room.inventory.decisions),
            "reasons": hub.reasons,
        }
        for hub in sorted(hubs(room.inventory, room.settings), key=lambda hub: -hub.users)
    ]


WRITES: frozenset[str] = frozenset()
OPS = {"hubs": listed}
