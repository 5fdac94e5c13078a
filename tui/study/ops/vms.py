"""VMs as a person acts on them in a table: named, tied, left behind; and what a page on one of them says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.errors import NotFound
from planner.names import visible

if TYPE_CHECKING:
    from planner.graph import Edge
    from planner.model import VM
    from tui.study.room import Room


def name(room: Room, vms: list[str], application: str) -> dict[str, Any]:
    """Say to which application VMs belong."""
    from tui.acts.applications import name_vms

    taken = name_vms(room.project, vms, application, room.inventory)
    return {"import": taken.imports[0].id, "vms": len(vms)}


def together(room: Room, vms: list[str], why: str) -> dict[str, Any]:
    """Let VMs move together from now on."""
    from tui.acts.deciding import join

    found = join(room.project, vms, why=why, inventory=room.inventory)
    return {"said": found.said, "ties": found.count}


def exclude(room: Room, vms: list[str]) -> dict[str, Any]:
    """Let VMs stay, or come along again when all of them stay."""
    from tui.acts.including import turn

    found = turn(room.project, vms, room.inventory)
    return {"stay": found.stay, "vms": found.vms}


def page(room: Room, vm: str) -> dict[str, Any]:
    """Return what a page on a VM says beside the VM itself: ties, the chain into its group, estimates."""
    found = room.known.vms.get(vm)
    if found is None:
        raise NotFound(f"VM {visible(vm, 60)} is not in the inventory", "look at the inventory again")
    group = next((one for one in room.known.groups if vm in one.vms), None)
    return {
        "ties": [_tie(room, vm, edge) for edge in room.known.edges if vm in (edge.source, edge.target)],
        "group": group.name if group else "",
        "members": len(group.vms) if group else 0,
        "chain": _chain(room, vm),
        "hub": vm in room.known.hubs,
        "estimate": _estimate(room, found),
    }


def _tie(room: Room, vm: str, edge: Edge) -> dict[str, Any]:
    other = edge.target if edge.source == vm else edge.source
    known = room.known.vms.get(other)
    return {
        "vm": other,
        "name": known.name if known else other,
        "needs": edge.source == vm,
        "mutual": edge.mutual,
        "tie": edge.tie.value,
        "port": edge.port,
        "traffic_bytes": edge.weight_bytes,
        "reason": edge.reason,
        "confidence": edge.confidence,
        "decision": edge.decision,
    }


def _chain(room: Room, vm: str) -> list[dict[str, str]]:
    from planner.groups import why

    try:
        steps = why(room.known.groups, vm)
    except NotFound:
        return []
    vms = room.known.vms
    return [{"a": vms[step.a].name, "b": vms[step.b].name, "why": step.why} for step in steps]


def _estimate(room: Room, vm: VM) -> dict[str, Any]:
    """Return what moving the VM alone takes."""
    from dataclasses import replace

    from migrate.measured import measured
    from planner.estimate import estimate_planned
    from planner.sending import as_decided
    from planner.volumes import volumes

    at = room.situation
    rates = measured(room.project, at.inventory, at.fingerprint, at.settings.link)
    alone = as_decided(volumes(replace(at.inventory, vms=(vm,))), at.settings)
    took = estimate_planned(alone, at.settings, 1, rates)
    return {
        "seed_h": took.seed_h,
        "final_min": took.final_min,
        "downtime_min": took.downtime_min,
        "churn_bytes_day": took.churn_bytes_day,
        "converges": took.converges,
        "measured": rates is not None,
    }


WRITES = frozenset({"vms.name", "vms.together", "vms.exclude"})
OPS = {"vms.name": name, "vms.together": together, "vms.exclude": exclude, "vms.page": page}
