"""Where a move group that is too large could be cut: the cheapest cuts, what each would cost, never taken.

    VMs ──shared storage──▶ blocks ──refusable ties──▶ weighted graph ──▶ cheapest cut, cut that fits

Storage has infinite weight: VMs that share it are one block. Other ties weigh the traffic seen on them;
a tie without a known one weighs what the usual tie of its group does.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import TYPE_CHECKING, Any

from planner.graph.edge import Edge
from planner.units import MIB

if TYPE_CHECKING:
    import networkx

_LARGEST = 300  # blocks up to which the cheapest of all cuts is computed (Stoer and Wagner)
_ENDS = 8  # blocks between which cuts are tried for one that fits
_MOST_OF_A_VAPP = 60  # members of a vApp of which every pair has to be refused


@dataclass(frozen=True, slots=True)
class Weight:
    """What VMs take of a wave's caps; bytes are the least they take unless ``sized``."""

    vms: int
    size_bytes: int
    sized: bool = True

    def fits(self, caps: Weight) -> bool | None:
        """Return whether it is within caps, None when it may be above them: not all of it is known."""
        if self.vms > caps.vms or self.size_bytes > caps.size_bytes:
            return False
        return True if self.sized else None


@dataclass(frozen=True, slots=True)
class Cut:
    """One way to part a group: who goes, which ties must be refused for it, and the traffic on them."""

    part: tuple[str, ...]  # the smaller side
    refuse: tuple[Edge, ...]
    traffic_bytes: int
    unknown: int  # ties whose traffic nobody knows
    fits: bool | None  # both sides are within the caps; None = as far as their disks are known


@dataclass(frozen=True, slots=True)
class Oversize:
    """A group above the caps. ``cheapest`` is None when storage holds all of it together.

    ``fitting`` is the cheapest cut found that brings both sides under the caps, else the cheapest that may,
    None when none does. ``exact`` tells whether no cut is cheaper than ``cheapest``; ``joints`` are VMs whose
    removal would part it. Bytes are the least it has unless ``sized``.
    """

    vms: tuple[str, ...]
    vm_count: int
    size_bytes: int
    sized: bool
    cheapest: Cut | None
    fitting: Cut | None
    exact: bool
    joints: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Blocks:
    """A group with its storage contracted: ``graph`` has block numbers as nodes."""

    graph: networkx.Graph
    members: dict[int, list[str]]
    ties: dict[tuple[int, int], list[Edge]]


def _pairs_of_vapps(edges: Sequence[Edge]) -> Iterator[Edge]:
    """Yield edges with those of a vApp as every pair: to part it, each pair across must be refused."""
    vapps: dict[str, list[Edge]] = {}
    for edge in edges:
        if edge.kind == "vapp":
            vapps.setdefault(edge.reason, []).append(edge)
        else:
            yield edge
    for reason, found in vapps.items():
        ids = dict.fromkeys(end for edge in found for end in (edge.source, edge.target))
        if len(ids) <= _MOST_OF_A_VAPP:
            first = found[0]
            for a, b in combinations(ids, 2):
                yield Edge(a, b, first.tie, "vapp", reason, first.evidence, mutual=True)
        else:
            yield from (Edge(e.source, e.target, e.tie, "volume", e.reason) for e in found)


def _blocks(vms: Sequence[str], edges: Sequence[Edge]) -> _Blocks:
    import networkx

    ties = list(_pairs_of_vapps(edges))
    bound = networkx.utils.UnionFind(vms)
    for edge in ties:
        if not edge.refusable:
            bound.union(edge.source, edge.target)
    numbers: dict[str, int] = {}
    members: dict[int, list[str]] = {}
    for vm in vms:
        number = numbers.setdefault(bound[vm], len(numbers))
        members.setdefault(number, []).append(vm)
    at = {vm: number for number, found in members.items() for vm in found}
    between: dict[tuple[int, int], list[Edge]] = {}
    for edge in ties:
        a, b = sorted((at[edge.source], at[edge.target]))
        if a != b:
            between.setdefault((a, b), []).append(edge)
    known = [edge.weight_bytes for found in between.values() for edge in found if edge.weight_bytes]
    usual = max(round(median(known)), 1) if known else MIB
    graph = networkx.Graph()
    graph.add_nodes_from(members)
    for (a, b), found in between.items():
        weight = sum(usual if edge.weight_bytes is None else max(edge.weight_bytes, 1) for edge in found)
        graph.add_edge(a, b, weight=weight)
    return _Blocks(graph, members, between)


def weight_of(vms: Sequence[str], sizes: Mapping[str, int], bare: Collection[str]) -> Weight:
    """Return what VMs take together; of those in ``bare`` not all disks are known."""
    return Weight(len(vms), sum(sizes.get(vm, 0) for vm in vms), not any(vm in bare for vm in vms))


def oversize(
    vms: Sequence[str],
    edges: Sequence[Edge],
    sizes: Mapping[str, int],
    caps: Weight,
    bare: Collection[str] = (),
) -> Oversize | None:
    """Return what to do about a group above ``caps``, None for one that is not, as far as is known.

    ``edges`` are those that close the group, ``sizes`` bytes by VM id, ``bare`` the ids of VMs of which not
    all disks are known.
    """
    total = weight_of(vms, sizes, bare)
    if total.fits(caps) is not False:
        return None
    import networkx

    blocks = _blocks(vms, edges)
    weights = {number: weight_of(found, sizes, bare) for number, found in blocks.members.items()}
    tried: list[tuple[int, Cut]] = []
    exact = False
    if len(blocks.members) > 1 and networkx.is_connected(blocks.graph):
        if exact := len(blocks.members) <= _LARGEST:
            _, (side, _) = networkx.stoer_wagner(blocks.graph)
            tried.append(_cut(blocks, set(side), weights, total, caps))
        for side in _candidates(blocks.graph, weights):
            tried.append(_cut(blocks, side, weights, total, caps))
    tried.sort(key=lambda item: (item[0], len(item[1].refuse), item[1].part))
    joints = (
        vm for number in sorted(networkx.articulation_points(blocks.graph)) for vm in blocks.members[number]
    )
    return Oversize(
        vms=tuple(vms),
        vm_count=total.vms,
        size_bytes=total.size_bytes,
        sized=total.sized,
        cheapest=tried[0][1] if tried else None,
        fitting=next((cut for fits in (True, None) for _, cut in tried if cut.fits is fits), None),
        exact=exact,
        joints=tuple(joints),
    )


def _cut(
    blocks: _Blocks, side: set[int], weights: dict[int, Weight], total: Weight, caps: Weight
) -> tuple[int, Cut]:
    """Return what a side costs in weight, and the cut."""
    here = Weight(
        sum(weights[number].vms for number in side),
        sum(weights[number].size_bytes for number in side),
        all(weights[number].sized for number in side),
    )
    rest = all(one.sized for number, one in weights.items() if number not in side)
    there = Weight(total.vms - here.vms, total.size_bytes - here.size_bytes, rest)
    both = {here.fits(caps), there.fits(caps)}
    smaller = side if here.vms <= there.vms else set(blocks.members) - side
    refuse = [edge for (a, b), found in blocks.ties.items() if (a in side) != (b in side) for edge in found]
    cost = sum(
        blocks.graph[a][b]["weight"] for a, b in blocks.ties if (a in side) != (b in side)
    )  # fmt: skip
    return cost, Cut(
        part=tuple(vm for number in sorted(smaller) for vm in blocks.members[number]),
        refuse=tuple(refuse),
        traffic_bytes=sum(edge.weight_bytes or 0 for edge in refuse),
        unknown=sum(edge.weight_bytes is None for edge in refuse),
        fits=False if False in both else None if None in both else True,
    )


def _candidates(graph: networkx.Graph, weights: dict[int, Weight]) -> Iterator[set[int]]:
    """Yield sides that are cheap or even: minimum cuts between distant blocks, bridges, a bisection."""
    import networkx

    for a, b in networkx.bridges(graph):
        rest = networkx.restricted_view(graph, [], [(a, b)])
        yield set(networkx.node_connected_component(rest, a))
    ends = _distant(graph, weights)
    for a, b in combinations(ends, 2):
        _, (side, _) = networkx.minimum_cut(graph, a, b, capacity="weight")
        yield set(side)
    if len(graph) <= 10 * _LARGEST:
        yield set(networkx.community.kernighan_lin_bisection(graph, weight="weight", seed=0)[0])
        yield from _grown(graph, ends, weights)


def _distant(graph: networkx.Graph, weights: dict[int, Weight]) -> list[int]:
    """Return a few blocks far from each other, the largest first."""
    import networkx

    ends = [max(sorted(graph), key=lambda number: weights[number].vms)]
    far: dict[int, int] = dict(networkx.single_source_shortest_path_length(graph, ends[0]))
    while len(ends) < min(_ENDS, len(graph)):
        best = max((n for n in sorted(graph) if n not in ends), key=lambda n: (far[n], weights[n].vms))
        ends.append(best)
        for number, steps in networkx.single_source_shortest_path_length(graph, best).items():
            far[number] = min(far[number], steps)
    return ends


def _grown(graph: Any, ends: Iterable[int], weights: dict[int, Weight]) -> Iterator[set[int]]:
    """Yield sides that grow from each end by the block most tied to them, at every size up to half."""
    half = sum(one.vms for one in weights.values()) // 2
    for start in ends:
        side, pull, vms = {start}, {n: graph[start][n]["weight"] for n in graph[start]}, weights[start].vms
        while pull:
            best = max(sorted(pull), key=pull.__getitem__)
            vms += weights[best].vms
            if vms > half:
                break
            pull.pop(best)
            side.add(best)
            for other in graph[best]:
                if other not in side:
                    pull[other] = pull.get(other, 0) + graph[best][other]["weight"]
        yield set(side)
