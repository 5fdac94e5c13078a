"""One move group for the screens: what uses it, what it needs, what crosses waves, what holds it inside.

An edge to another group that lies in another wave has its price: how long the two are apart, the share
of the line that its traffic takes meanwhile, and whether a VM moves before what it needs.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from planner.graph.edge import PERSON, PHYSICAL
from planner.model import Tie
from planner.sized import holds_all
from tui.study.between import between, standing
from tui.study.ops.edges import key_of
from tui.study.ops.estate import strength

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.graph import Edge
    from planner.model import MoveGroup
    from tui.study.between import Between, Standing
    from tui.study.room import Room

_MOST_INSIDE = 1_000
_HOT_SHARE = 0.01  # of the line, all day


def around(room: Room, name: str) -> dict[str, Any]:
    """Return a group with all its edges to others, and the ties between its own VMs."""
    found, plan, vms = between(room), standing(room), room.known.vms
    at, group = found.group(name)
    inner = found.inner[at]
    edges = []
    for b in found.near[at]:
        other = found.groups[b]
        for above, pair in ((True, (b, at)), (False, (at, b))):
            ties = [edge for edge in found.edges.get(pair, ()) if edge.tie is not Tie.APART]
            if ties:
                edges.append(_edge(room, found, plan, group, other, ties, above))
    held = [*inner, *(edge for b in found.near[at] for edge in _both(found, at, b))]
    shown = sorted(inner, key=lambda edge: -(found.a_day(edge) or 0))
    return {
        "name": group.name,
        "vms": [{"id": vm, "name": vms[vm].name, "size_bytes": vms[vm].disk_bytes} for vm in group.vms],
        "size_bytes": sum(vms[vm].disk_bytes for vm in group.vms),
        "sized": all(holds_all(vms[vm], room.inventory.gaps) for vm in group.vms),
        "waves": plan.of(group.vms),
        "planned": bool(plan.version),
        "shared_services": group.shared_services,
        "strength": strength(inner),
        "edges": sorted(edges, key=lambda edge: (-(edge["day_bytes"] or 0), edge["group"])),
        "apart": sorted(
            {
                found.groups[b].name
                for b in found.near[at]
                if any(edge.tie is Tie.APART for edge in _both(found, at, b))
            }
        ),
        "inside": [
            {
                "key": key_of(edge),
                "source": edge.source,
                "target": edge.target,
                "source_name": vms[edge.source].name,
                "target_name": vms[edge.target].name,
                "tie": edge.tie,
                "kind": edge.kind,
                "port": edge.port,
                "mutual": edge.mutual,
                "day_bytes": found.a_day(edge),
                "decision": edge.decision,
                "reason": edge.reason,
            }
            for edge in shown[:_MOST_INSIDE]
        ],
        "inside_ties": len(inner),
        "evidence": _evidence(held),
    }


def _both(found: Between, a: int, b: int) -> list[Edge]:
    return [*found.edges.get((a, b), ()), *found.edges.get((b, a), ())]


def _edge(
    room: Room,
    found: Between,
    plan: Standing,
    group: MoveGroup,
    other: MoveGroup,
    ties: Sequence[Edge],
    above: bool,
) -> dict[str, Any]:
    mine, theirs = plan.of(group.vms), plan.of(other.vms)
    across = mine != theirs if mine and theirs else None
    carried = found.carried(ties)
    share = None if carried is None else carried * 8 / 86400 / (room.settings.link.rate_mbit * 1e6)
    early = [edge for edge in ties if edge.tie is Tie.ORDER and _early(room, plan, edge)]
    hard = [edge for edge in ties if edge.tie is Tie.HARD]
    return {
        "key": f"{'from' if above else 'to'} {other.name}",
        "group": other.name,
        "above": above,
        "waves": theirs,
        "across": across,
        "ports": sorted({edge.port for edge in ties if edge.port is not None}),
        "day_bytes": carried,
        "ties": len(ties),
        "hard": len(hard),
        "early": len(early),
        "days": plan.days(mine[0], theirs[0]) if across else None,
        "share": share,
        "hot": bool(across and (early or (hard and not other.shared_services) or (share or 0) >= _HOT_SHARE)),
        "shared_services": other.shared_services,
        "unsure": sum(edge.confidence < 1 and not edge.decision for edge in ties),
    }


def _early(room: Room, plan: Standing, edge: Edge) -> bool:
    """True when a VM moves in an earlier wave than what has to be there before it."""
    first, second = plan.waves.get(edge.source), plan.waves.get(edge.target)
    if first is None or second is None or edge.target in room.known.hubs:
        return False
    return plan.number[first] < plan.number[second]


def _source(edge: Edge) -> str:
    """Return where an edge is known from, in a word."""
    if edge.kind == PERSON:
        return "people"
    if edge.kind == "dependency":
        return "flows" if edge.port is not None or edge.weight_bytes is not None else "lists"
    return "storage" if edge.kind in PHYSICAL else "platform"


def _evidence(edges: Sequence[Edge]) -> list[dict[str, Any]]:
    """Return what the ties of a group are known from: how many ties, how sure they are on average."""
    sure: dict[str, list[float]] = defaultdict(list)
    for edge in edges:
        sure[_source(edge)].append(edge.confidence)
    return [
        {"what": what, "ties": len(sure[what]), "sure": sum(sure[what]) / len(sure[what])}
        for what in ("storage", "platform", "flows", "lists", "people")
        if what in sure
    ]


WRITES: frozenset[str] = frozenset()
OPS = {"around": around}
