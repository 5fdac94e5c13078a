"""The estate for the screens: one VM whole, move groups, what ties them and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.errors import NotFound
from planner.graph.edge import PERSON, PHYSICAL
from planner.model import Tie
from planner.names import visible
from planner.sized import holds_all
from tui.study.between import between, standing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.graph import Edge
    from tui.study.room import Room


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


def strength(edges: Sequence[Edge]) -> int:
    """Return how strongly edges inside a group tie it: 3 storage or a person's word, 2 what they say to
    each other, 1 only a vApp or a rule, 0 nothing."""
    hard = [edge for edge in edges if edge.tie is Tie.HARD]
    if any(edge.kind in PHYSICAL or edge.kind == PERSON for edge in hard):
        return 3
    return 2 if any(edge.kind == "dependency" for edge in hard) else min(1, len(hard))


def groups(room: Room) -> list[dict[str, Any]]:
    """Return every move group: size, wave, traffic in and out, and how strongly its VMs are tied."""
    found, plan, vms = between(room), standing(room), room.known.vms
    gaps, waves = room.inventory.gaps, [plan.of(group.vms) for group in found.groups]
    rows = []
    for at, group in enumerate(found.groups):
        out = [edge for b in found.near[at] for edge in found.edges.get((at, b), ())]
        into = [edge for b in found.near[at] for edge in found.edges.get((b, at), ())]
        others = () if group.shared_services else found.near[at]  # services are reached from both sides
        crossing = sum(
            bool(waves[at] and waves[b]) and waves[at] != waves[b] and not found.groups[b].shared_services
            for b in others
        )
        rows.append(
            {
                "name": group.name,
                "vms": len(group.vms),
                "size_bytes": sum(vms[vm].disk_bytes for vm in group.vms),
                "sized": all(holds_all(vms[vm], gaps) for vm in group.vms),
                "waves": waves[at],
                "out_bytes": found.carried(out) if out else 0,
                "in_bytes": found.carried(into) if into else 0,
                "ties": len(out) + len(into),
                "crossing": crossing if plan.version else None,
                "strength": strength(found.inner[at]),
                "reasons": len(group.reasons),
                "shared_services": group.shared_services,
            }
        )
    return rows


def why(room: Room, what: str) -> dict[str, Any]:
    """Return the reasons of a group, and the chain to each of its VMs, or to the one that was named."""
    from planner.groups import why as chain

    _, group = between(room).group(what)
    wanted = [what] if what in group.vms else group.vms
    return {
        "name": group.name,
        "reasons": group.reasons,
        "chains": {vm: chain((group,), vm) for vm in wanted},
    }


WRITES: frozenset[str] = frozenset()
OPS = {
    "vm.detail": detail,
    "groups": groups,
    "group.why": why,
}
