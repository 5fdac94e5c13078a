"""Order between move groups: who must be at the target before whom.

Order ties between VMs become precedence between their groups. Cycles are reported as they are and
their inner ties are not enforced; groups of a cycle are never merged. Ties to shared services are
no precedence: those are extended or built at the target first and leave last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from planner.graph.cycles import between_groups
from planner.model import Dependency, MoveGroup
from planner.names import visible


@dataclass(frozen=True, slots=True)
class Precedence:
    """``before`` maps a group's name to the names that must be earlier; it has no cycles.

    ``generation`` is the number of the topological generation a group falls into; groups of one
    cycle share it. ``longest_chain`` counts groups.
    """

    before: Mapping[str, frozenset[str]]
    generation: Mapping[str, int]
    cycles: tuple[tuple[str, ...], ...]
    longest_chain: int
    notes: tuple[str, ...]


def order_ties(groups: Sequence[MoveGroup], dependencies: Iterable[Dependency]) -> list[tuple[str, str]]:
    """Return (later group, earlier group) for every order tie between two plain groups."""
    return [(later.name, earlier.name) for later, earlier, _ in between_groups(groups, dependencies)]


def precedence(groups: Sequence[MoveGroup], dependencies: Iterable[Dependency]) -> Precedence:
    """Return the precedence between ``groups`` that the order ties among their VMs ask for."""
    import networkx

    graph = networkx.DiGraph()
    graph.add_nodes_from(group.name for group in groups)
    graph.add_edges_from((earlier, later) for later, earlier in order_ties(groups, dependencies))
    condensed = networkx.condensation(graph)
    members = {node: sorted(data["members"]) for node, data in condensed.nodes(data=True)}
    component = {name: node for node, names in members.items() for name in names}
    generation: dict[str, int] = {}
    chain = 0
    for number, nodes in enumerate(networkx.topological_generations(condensed)):
        chain = number + 1
        generation.update((name, number) for node in nodes for name in members[node])
    before = {
        name: frozenset(other for other in graph.predecessors(name) if component[other] != component[name])
        for name in graph
    }
    cycles = tuple(sorted(tuple(names) for names in members.values() if len(names) > 1))
    notes = tuple(
        f"order ties form a cycle and are not enforced among: {', '.join(visible(name) for name in cycle)}; "
        "drop one of the ties"
        for cycle in cycles
    )
    return Precedence(before, generation, cycles, chain, notes)
