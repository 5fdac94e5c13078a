"""The estate for the screens: one VM whole, move groups, what ties them and why."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from planner.errors import NotFound
from planner.model import Tie
from planner.names import visible

if TYPE_CHECKING:
    from planner.model import MoveGroup
    from tui.study.room import Room

_KEPT = "estate"


class _Between:
    """The edges between groups of one inventory, by the places of the groups."""

    def __init__(self, room: Room) -> None:
        self.known = known = room.known
        self.home = {vm: at for at, group in enumerate(known.groups) for vm in group.vms}
        self.edges: dict[tuple[int, int], list[Any]] = defaultdict(list)  # from the source's group
        self.near: dict[int, set[int]] = defaultdict(set)
        for edge in known.edges:
            a, b = self.home.get(edge.source), self.home.get(edge.target)
            if a is not None and b is not None and a != b:
                self.edges[a, b].append(edge)
                self.near[a].add(b)
                self.near[b].add(a)


def _between(room: Room) -> _Between:
    found = room.kept.get(_KEPT)
    if not isinstance(found, _Between) or found.known is not room.known:
        found = room.kept[_KEPT] = _Between(room)
    return found


def _waves(room: Room) -> dict[str, str]:
    """VM id to wave of the newest plan."""
    stored = room.plan
    return {vm.id: wave.name for wave in stored.plan.waves for vm in wave.vms} if stored else {}


def _group(room: Room, what: str) -> tuple[int, MoveGroup]:
    """Return a group by its name, or that of a VM by id; raises NotFound."""
    for at, group in enumerate(room.known.groups):
        if group.name == what or what in group.vms:
            return at, group
    raise NotFound(f"{visible(what, 60)} is no move group", "look for it among what stays")


def _traffic(edges: list[Any]) -> int | None:
    """Return the bytes that were seen on edges, None when nobody measured any."""
    seen = [edge.weight_bytes for edge in edges if edge.weight_bytes is not None]
    return sum(seen) if seen else None


def detail(room: Room, vm: str) -> dict[str, Any]:
    """Return everything known of a VM by id: itself, findings, place, disks that change, ties."""
    found = room.known.vms.get(vm)
    if found is None:
        raise NotFound(f"VM {visible(vm, 60)} is not in the inventory", "look at the inventory again")
    stored = room.plan
    place = why_not = None
    disks = []
    for wave in stored.plan.waves if stored else ():
        if any(item.id == vm for item in wave.vms):
            group = next((one.name for one in wave.groups if vm in one.vms), "")
            place = {"wave": wave.name, "group": group, "window": wave.window}
            disks = [disk for disk in wave.disks if any(one.vm == vm for one in disk.attachments)]
    if stored and place is None:
        why_not = next((item.why for item in stored.plan.unplanned if item.vm == vm), "not in this plan")
    readiness = room.readiness
    return {
        "vm": found,
        "findings": [one for one in readiness.open if one.subject == vm],
        "undecided": readiness.undecided.get(vm, 0),
        "gaps": room.inventory.gaps,
        "planned": stored is not None,
        "place": place,
        "unplanned": why_not,
        "disks": disks,
        "ties": [edge for edge in room.known.edges if vm in (edge.source, edge.target)],
        "hub": vm in room.known.hubs,
    }


def groups(room: Room) -> list[dict[str, Any]]:
    """Return every move group: size, wave, traffic in and out, and how strongly its VMs are tied."""
    between, waves, vms = _between(room), _waves(room), room.known.vms
    rows = []
    for at, group in enumerate(room.known.groups):
        out = [edge for b in between.near[at] for edge in between.edges.get((at, b), ())]
        into = [edge for b in between.near[at] for edge in between.edges.get((b, at), ())]
        rows.append(
            {
                "name": group.name,
                "vms": len(group.vms),
                "size_bytes": sum(vms[vm].disk_bytes for vm in group.vms),
                "waves": sorted({waves[vm] for vm in group.vms if vm in waves}),
                "out_bytes": _traffic(out),
                "in_bytes": _traffic(into),
                "ties": len(out) + len(into),
                "reasons": len(group.reasons),
                "shared_services": group.shared_services,
            }
        )
    return rows


def neighbours(room: Room, name: str) -> list[dict[str, Any]]:
    """Return the groups a group is tied to, the busiest first; ``crosses`` is None while there is no plan."""
    between, waves = _between(room), _waves(room)
    at, group = _group(room, name)
    mine = {waves[vm] for vm in group.vms if vm in waves}
    rows = []
    for b in between.near[at]:
        other = room.known.groups[b]
        theirs = {waves[vm] for vm in other.vms if vm in waves}
        there, back = between.edges.get((at, b), []), between.edges.get((b, at), [])
        edges = [*there, *back]
        rows.append(
            {
                "group": other.name,
                "waves": sorted(theirs),
                "crosses": mine != theirs if mine and theirs else None,
                "out_bytes": _traffic(there),
                "in_bytes": _traffic(back),
                "ports": sorted({edge.port for edge in edges if edge.port is not None}),
                "ties": {tie.value: sum(edge.tie is tie for edge in edges) for tie in Tie},
                "shared_services": other.shared_services,
            }
        )
    return sorted(
        rows, key=lambda row: (-((row["out_bytes"] or 0) + (row["in_bytes"] or 0)), str(row["group"]))
    )


def inside(room: Room, name: str) -> dict[str, Any]:
    """Return the VMs of a group and the ties between them."""
    _, group = _group(room, name)
    members = set(group.vms)
    vms = room.known.vms
    return {
        "name": group.name,
        "vms": [
            {"id": vm, "name": vms[vm].name, "tier": vms[vm].tier, "size_bytes": vms[vm].disk_bytes}
            for vm in group.vms
        ],
        "ties": [edge for edge in room.known.edges if {edge.source, edge.target} <= members],
    }


def why(room: Room, what: str) -> dict[str, Any]:
    """Return the reasons of a group, and the chain to each of its VMs, or to the one that was named."""
    from planner.groups import why as chain

    _, group = _group(room, what)
    wanted = [what] if what in group.vms else group.vms
    return {
        "name": group.name,
        "reasons": group.reasons,
        "chains": {vm: chain((group,), vm) for vm in wanted},
    }


def cut(room: Room, name: str) -> Any:
    """Return what parting a group above the caps would cost; None for one within them."""
    from planner.graph.oversized import oversized

    _, group = _group(room, name)
    return oversized((group,), room.inventory, room.settings).get(group.name)


WRITES: frozenset[str] = frozenset()
OPS = {
    "vm.detail": detail,
    "groups": groups,
    "group.neighbours": neighbours,
    "group.inside": inside,
    "group.why": why,
    "group.cut": cut,
}
