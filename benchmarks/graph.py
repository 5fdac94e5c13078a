"""The dependency graph: hubs and move groups of 100,000 VMs with 600,000 dependencies, cuts, suggestions.

The peer is networkx: the same hard ties put into a Graph and ``connected_components`` of it, which is
all it gives; reasons, hubs and names are extra.
"""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from benchmarks.host import facts
from planner.candidates.suggest import suggestions
from planner.graph import hubs
from planner.graph.cuts import Weight, oversize
from planner.graph.edge import Edge
from planner.groups import hard_edges, move_groups
from planner.model import VM, Dependency, Inventory, Tie
from planner.settings import Settings
from planner.units import MIB

_SIZES = (2, 3, 4, 5, 6, 8, 11)  # VMs of an application, as often as one another
_PORTS = (443, 8080, 5432, 1433, 22)
_PEER = "networkx connected components"


def _word(number: int) -> str:
    """Return a name of four letters for each number."""
    return "".join(chr(97 + number // 26**place % 26) for place in range(4))


def _estate(count: int, ties: int) -> Inventory:
    """Return applications tied hard inside, every VM with four of many hubs, soft ties between the rest."""
    draw = random.Random(7)
    hub_count = max(count // 400, 4)
    vms, made = [VM(f"h{n}", f"fra-p-dc-{n:03d}") for n in range(hub_count)], []
    while len(vms) < count:
        name = _word(len(made))
        members = [f"{name}-{n}" for n in range(min(draw.choice(_SIZES), count - len(vms)))]
        vms += [VM(vm, f"fra-p-{vm.replace('-', '-web-')}") for vm in members]
        made.append(members)
    found = [
        Dependency(b, a, Tie.HARD, "calls", draw.choice(_PORTS), "bench", 1.0, draw.randrange(10**9))
        for members in made
        for a, b in pairwise(members)
    ]
    found += [
        Dependency(vm.id, f"h{draw.randrange(hub_count)}", Tie.SOFT, "uses", port, "bench", 1.0, 1000)
        for vm in vms[hub_count:]
        for port in (53, 389, 443)
    ]
    users = vms[hub_count:]
    while len(found) < ties:
        a, b = draw.choice(users), draw.choice(users)
        found.append(Dependency(a.id, b.id, Tie.SOFT, "calls", draw.choice(_PORTS), "bench", 0.8, 1000))
    return Inventory("bench", "2026-01-01T00:00:00Z", tuple(vms), dependencies=tuple(found[:ties]))


def _timed(act: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.process_time()
    made = act()
    return time.process_time() - begun, made


def _components(inventory: Inventory) -> int:
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(vm.id for vm in inventory.vms)
    graph.add_edges_from((tie.source, tie.target) for tie in inventory.dependencies if tie.tie is Tie.HARD)
    return sum(1 for _ in networkx.connected_components(graph))


def _cut(blocks: int) -> float:
    """Return the seconds for the cuts of one group of that many VMs with three ties each."""
    draw = random.Random(7)
    names = [f"v{n}" for n in range(blocks)]
    ties = [
        Edge(
            vm, names[draw.randrange(at)], Tie.HARD, "dependency", "calls", weight_bytes=draw.randrange(10**6)
        )
        for at, vm in enumerate(names)
        for _ in range(3)
        if at
    ]
    spent_s, found = _timed(lambda: oversize(names, ties, {}, Weight(blocks // 2 + 5, 1 << 60)))
    if found is None or found.cheapest is None:
        raise AssertionError("a group of soft blocks can be parted")
    return float(spent_s)


def run(quick: bool) -> dict[str, Any]:
    """Return processor seconds and peak memory; a tenth of everything when ``quick``."""
    count, ties, blocks = (10_000, 60_000, 60) if quick else (100_000, 600_000, 300)
    inventory, settings = _estate(count, ties), Settings()
    import networkx  # noqa: F401 - its import is not what is measured

    peer_s, components = _timed(lambda: _components(inventory))
    hubs_s, found = _timed(lambda: hubs(inventory, settings))
    groups_s, groups = _timed(lambda: move_groups(inventory, settings))
    if len(groups) != components:
        raise AssertionError("the peer finds as many groups")
    ids = [vm.id for vm in inventory.vms]
    known = frozenset(hub.vm for hub in found)
    edges_s, closing = _timed(lambda: sum(1 for _ in hard_edges(inventory, ids, known)))
    suggest_s, offered = _timed(lambda: suggestions(inventory, known))
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    estate = f"{count:,} VMs, {ties:,} dependencies"
    ratio = f"time_ratio_to {_PEER}"
    rows = [
        {"what": f"hubs of {estate}", "value": round(hubs_s, 2), "unit": "s of CPU"},
        {"what": "hubs found", "value": len(found), "unit": "VMs"},
        {
            "what": "move groups with hubs, reasons and names",
            "value": round(groups_s, 2),
            "unit": "s of CPU",
            ratio: round(groups_s / peer_s, 1),
        },
        {"what": "move groups", "value": len(groups), "unit": "groups"},
        {"what": _PEER, "value": round(peer_s, 2), "unit": "s of CPU"},
        {"what": f"all {closing:,} closing edges as objects", "value": round(edges_s, 2), "unit": "s of CPU"},
        {"what": f"{len(offered):,} suggestions", "value": round(suggest_s, 2), "unit": "s of CPU"},
        {"what": "peak memory, the estate included", "value": peak_bytes // MIB, "unit": "MiB"},
        {"what": f"cuts of a group of {blocks} VMs", "value": round(_cut(blocks), 2), "unit": "s of CPU"},
    ]
    return {"name": "graph", "unit": "s", "rows": rows, "host": facts()}
