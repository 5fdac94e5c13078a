"""Who talks to whom, hubs left out, as weighted ties: where a VM belongs by them, and communities."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.candidates import ports
from planner.model import Inventory, Tie

_RESOLUTION, _VMS = 4.0, 150  # Louvain's, and VMs for each unit of it: applications do not grow with estates
_MEDIAN_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Talk:
    """Ties by VM: the other end and what the tie weighs; and the ports a VM serves."""

    ties: Mapping[str, Mapping[str, float]]
    served: Mapping[str, frozenset[int]]


def _worth(size_bytes: int | None, confidence: float, port: int | None) -> float:
    """Return the weight of one tie: by port, how sure it is, and the magnitude of its traffic."""
    size = _MEDIAN_BYTES if size_bytes is None else size_bytes
    return ports.weight(port) * confidence * confidence * (1 + math.log10(1 + size) / 10)


def talk(inventory: Inventory, vms: Iterable[str]) -> Talk:
    """Return the ties among ``vms``; order and apart ties tell no application."""
    known = frozenset(vms)
    ties: dict[str, dict[str, float]] = {vm: {} for vm in known}
    served: dict[str, set[int]] = {}
    for item in inventory.dependencies:
        a, b = item.source, item.target
        if a == b or a not in known or b not in known or item.tie in (Tie.ORDER, Tie.APART):
            continue
        worth = _worth(item.traffic_bytes, item.confidence, item.port)
        ties[a][b] = ties[a].get(b, 0.0) + worth
        ties[b][a] = ties[b].get(a, 0.0) + worth
        if item.port is not None:
            served.setdefault(b, set()).add(item.port)
    return Talk(ties, {vm: frozenset(found) for vm, found in served.items()})


def leanings(vm: str, homes: Mapping[str, int], talked: Talk) -> dict[int, float]:
    """Return the share of a VM's ties that goes to each home; what has none counts in the whole."""
    found: dict[int, float] = {}
    total = 0.0
    for other, worth in talked.ties.get(vm, {}).items():
        total += worth
        home = homes.get(other)
        if home is not None:
            found[home] = found.get(home, 0.0) + worth
    return {home: worth / total for home, worth in found.items()} if total else {}


def communities(vms: Iterable[str], talked: Talk, seed: int = 0) -> list[set[str]]:
    """Return sets of VMs that talk among themselves more than with others (Louvain, seeded)."""
    import networkx

    known = sorted(vms)
    inside = frozenset(known)
    graph = networkx.Graph()
    graph.add_nodes_from(known)
    for vm in known:
        for other, worth in sorted(talked.ties.get(vm, {}).items()):
            if vm < other and other in inside:
                graph.add_edge(vm, other, weight=worth)
    resolution = max(_RESOLUTION, len(known) / _VMS)
    found = networkx.community.louvain_communities(graph, weight="weight", resolution=resolution, seed=seed)
    return sorted((set(one) for one in found), key=min)
