"""What stands in the way of a plan among the groups: those above the caps, and circles of order ties.

Each comes with its cheapest remedy as ties to refuse, by the keys of ``tui.study.ops.edges``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from planner.graph.edge import PERSON
from planner.sized import holds_all
from tui.study.between import between
from tui.study.ops.edges import key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from planner.graph import Edge
    from planner.graph.cuts import Cut
    from tui.study.room import Room


def oversized(room: Room) -> list[dict[str, Any]]:
    """Return the groups above the caps; what parting one costs is asked for one by one."""
    from planner.graph.oversized import above_caps

    vms, caps = room.known.vms, room.settings.caps
    return [
        {
            "group": group.name,
            "vms": len(group.vms),
            "size_bytes": sum(vms[vm].disk_bytes for vm in group.vms),
            "sized": all(holds_all(vms[vm], room.inventory.gaps) for vm in group.vms),
            "caps_vms": caps.vms,
            "caps_tib": caps.tib,
        }
        for group in above_caps(room.known.groups, room.inventory, room.settings)
    ]


def cut(room: Room, name: str) -> dict[str, Any] | None:
    """Return what parting a group above the caps would cost; None for one within them."""
    from planner.graph.oversized import oversized as parted

    kept = room.kept.setdefault("cuts", {})
    if kept.get("of") is not room.known:
        kept.clear()
        kept["of"] = room.known
    _, group = between(room).group(name)
    if name not in kept:
        kept[name] = parted((group,), room.inventory, room.settings).get(group.name)
    found = kept[name]
    if found is None:
        return None
    return {
        "group": name,
        "vms": len(group.vms),
        "exact": found.exact,
        "cheapest": _cut(room, found.cheapest),
        "fitting": _cut(room, found.fitting),
        "joints": [room.known.vms[vm].name for vm in found.joints],
    }


def _cut(room: Room, cut: Cut | None) -> dict[str, Any] | None:
    if cut is None:
        return None
    vms = room.known.vms
    return {
        "part": [vms[vm].name for vm in cut.part],
        "refuse": [_tie(room, edge) for edge in cut.refuse],
        "traffic_bytes": cut.traffic_bytes,
        "unknown": cut.unknown,
        "fits": cut.fits,
    }


def _tie(room: Room, edge: Edge) -> dict[str, Any]:
    vms = room.known.vms
    return {
        "source_name": vms[edge.source].name,
        "target_name": vms[edge.target].name,
        "reason": edge.reason,
        "sure": edge.confidence,
        "said": edge.kind == PERSON,
    }


def cycles(room: Room) -> list[dict[str, Any]]:
    """Return groups that wait for each other, each with the cheapest tie to drop."""
    from planner.graph.cycles import order_cycles

    wanted = {edge: key_of(edge) for edge in room.known.edges if edge.tie == "order"}
    found = []
    for cycle in order_cycles(room.known.groups, room.inventory.dependencies):
        ends = {(item.source, item.target, item.port) for item in cycle.drop.because}
        drop = [edge for edge in wanted if (edge.source, edge.target, edge.port) in ends]
        found.append(
            {
                "groups": cycle.groups,
                "circle": cycle.round_trip,
                "later": cycle.drop.later,
                "earlier": cycle.drop.earlier,
                "opens": cycle.opens,
                "drop": [{**_tie(room, edge), "key": wanted[edge]} for edge in drop],
            }
        )
    return found


def part(room: Room, name: str, fitting: bool = False, why: str = "") -> dict[str, Any]:
    """Take a cut: refuse every tie that it needs refused, take back those that people added."""
    from planner.errors import BadInput

    cut(room, name)
    found = room.kept["cuts"][name]
    chosen = found and (found.fitting if fitting else found.cheapest)
    if not chosen:
        raise BadInput("there is no such cut of this group", "take the other one, or raise the caps")
    return _drop(room, chosen.refuse, why)


def untie(room: Room, keys: list[str], why: str = "") -> dict[str, Any]:
    """Open a circle: refuse these order ties, take back those that people added."""
    from planner.errors import BadInput

    wanted = set(keys)
    edges = [edge for edge in room.known.edges if edge.tie == "order" and key_of(edge) in wanted]
    if not edges or len(edges) < len(wanted):
        raise BadInput("a tie of this circle is no longer there", "look at the circles again")
    return _drop(room, edges, why)


def _drop(room: Room, edges: Sequence[Edge], why: str) -> dict[str, Any]:
    """Let ties count no more. What people added goes first: it takes back every word on its two VMs."""
    from planner.model import Ruling
    from tui.acts.deciding import decide_ties, forget

    said = dict.fromkeys(tuple(sorted((edge.source, edge.target))) for edge in edges if edge.kind == PERSON)
    seen = dict.fromkeys((edge.source, edge.target, edge.port) for edge in edges if edge.kind != PERSON)
    for pair in said:
        forget(room.project, pair)
    refused = 0
    if seen:
        inventory = None if said else room.inventory
        refused = decide_ties(room.project, Ruling.REFUSE, list(seen), why=why, inventory=inventory)
    return {"refused": refused, "taken_back": len(said)}


WRITES = frozenset({"knots.part", "knots.untie"})
OPS = {
    "knots.oversized": oversized,
    "knots.cut": cut,
    "knots.cycles": cycles,
    "knots.part": part,
    "knots.untie": untie,
}
