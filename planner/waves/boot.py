"""Boot order inside a wave: batches in which VMs start, what is needed before who needs it.

Every observed dependency between two VMs of the wave counts. A cycle is broken where it hurts
least: at its softest tie, then its least certain one, then by id; one note says how many were.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from planner.model import Dependency, Tie
from planner.names import visible

if TYPE_CHECKING:
    import networkx

_NAMED = 3  # cycles that the note names
_STRENGTH = {Tie.SOFT: 0, Tie.ORDER: 1, Tie.HARD: 2}


def _needs(vms: Sequence[str], dependencies: Iterable[Dependency]) -> networkx.DiGraph:
    import networkx

    inside = set(vms)
    graph = networkx.DiGraph()
    graph.add_nodes_from(vms)
    for item in dependencies:
        if item.tie is Tie.APART:
            continue  # whoever must be apart needs nothing of the other
        if item.source in inside and item.target in inside and item.source != item.target:
            weight = (_STRENGTH[item.tie], item.confidence)
            known = graph.get_edge_data(item.target, item.source)
            if known is None or known["weight"] < weight:
                graph.add_edge(item.target, item.source, weight=weight)
    return graph


def _mutual(graph: networkx.DiGraph) -> list[tuple[str, str]]:
    """Return the softer tie of every pair that needs each other; one pass, however many there are."""
    ties = graph.edges(data="weight")
    cut = []
    for needed, user, weight in ties:
        back = graph.get_edge_data(user, needed)
        if back is not None and (weight, user, needed) < (back["weight"], needed, user):
            cut.append((needed, user))
    return cut


def _break_cycles(graph: networkx.DiGraph) -> list[tuple[str, str]]:
    import networkx

    cut = _mutual(graph)
    graph.remove_edges_from(cut)
    todo: list[Any] = [set(graph)]
    while todo:
        nodes = todo.pop()
        part = graph if len(nodes) == len(graph) else graph.subgraph(nodes)
        for inside in networkx.strongly_connected_components(part):
            if len(inside) < 2:
                continue
            ties = graph.subgraph(inside).edges(data="weight")
            needed, user, _ = min(ties, key=lambda tie: (tie[2], tie[1], tie[0]))
            cut.append((needed, user))
            todo.append(set(inside))
        graph.remove_edges_from(cut)
    return sorted(cut)


def boot_batches(
    vms: Sequence[str], dependencies: Iterable[Dependency], names: Mapping[str, str]
) -> tuple[tuple[tuple[str, ...], ...], tuple[str, ...]]:
    """Return the batches (VM ids, each batch in the order of ``vms``) and a note on broken cycles, if any.

    ``names`` maps ids to names for the notes.
    """
    import networkx

    graph = _needs(vms, dependencies)
    cut = _break_cycles(graph)
    rank = {vm: at for at, vm in enumerate(vms)}
    batches = tuple(
        tuple(sorted(batch, key=rank.__getitem__)) for batch in networkx.topological_generations(graph)
    )
    return batches, _notes(cut, names)


def _notes(cut: Sequence[tuple[str, str]], names: Mapping[str, str]) -> tuple[str, ...]:
    named = [
        f"{visible(names.get(user, user))} needs {visible(names.get(needed, needed))}"
        for needed, user in cut[:_NAMED]
    ]
    if not named:
        return ()
    more = f" and {len(cut) - _NAMED} more" if len(cut) > _NAMED else ""
    if len(cut) == 1:
        said = f"{named[0]} and, directly or not, the other way round; the first of the two"
    else:
        circles = f"{len(cut)} ties close a circle, directly or not ({', '.join(named)}{more})"
        said = f"{circles}; the first of each pair"
    return (f"boot order: {said} starts without waiting",)
