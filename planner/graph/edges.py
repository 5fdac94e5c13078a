"""Every tie of an estate as edges: storage, platform, dependencies, and what people say.

An edge runs from the VM that needs to the VM that is needed; ties without a direction (shared
disks, vApps, DRS rules) are marked ``mutual`` and stand in one direction only. What is shared by
many is a chain of edges, not every pair, so that the graph stays as large as the estate.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import replace

from planner.graph.chains import Pair
from planner.graph.decided import Rulings, said_by
from planner.graph.edge import PERSON, Edge
from planner.graph.platform import rule_edges, tolerance_edges, vapp_edges
from planner.graph.storage import clone_edges, volume_edges
from planner.model import Decision, Dependency, Inventory, Ruling, Tie
from planner.names import visible


def dependency_edge(item: Dependency, ruling: Decision | None = None) -> Edge:
    """Return a dependency as an edge; ``ruling`` is what a person decided on it."""
    port = f" (port {item.port})" if item.port is not None else ""
    by_person = ruling is not None and ruling.ruling not in (Ruling.ACCEPT, Ruling.REFUSE)
    return Edge(
        item.source,
        item.target,
        item.tie,
        PERSON if by_person else "dependency",
        visible(item.reason or "one needs the other") + port,
        visible(item.evidence),
        item.confidence,
        port=item.port,
        weight_bytes=item.traffic_bytes,
        decision="" if ruling is None else Ruling.ACCEPT if by_person else ruling.ruling.value,
        decided="" if ruling is None else said_by(ruling),
    )


def hard_dependencies(inventory: Inventory, known: Set[str]) -> Iterator[Dependency]:
    """Yield the hard ones between two VMs that are known; no object is built for any other."""
    hard = Tie.HARD
    for item in inventory.dependencies:
        if item.tie is hard and item.source != item.target and item.source in known and item.target in known:
            yield item


def _dependency_edges(inventory: Inventory, rulings: Rulings) -> Iterator[Edge]:
    known = {vm.id for vm in inventory.vms}
    for item in inventory.dependencies:
        if item.source in known and item.target in known and item.source != item.target:
            yield dependency_edge(item, rulings.on(item))


def _apart_edges(inventory: Inventory) -> Iterator[Edge]:
    known = {vm.id for vm in inventory.vms}
    for item in inventory.decisions:
        if item.ruling is Ruling.APART and item.a in known and item.b in known:
            yield Edge(
                item.a,
                item.b,
                Tie.APART,
                PERSON,
                visible(item.why or "must not move together"),
                said_by(item),
                mutual=True,
                decision=Ruling.ACCEPT.value,
                decided=said_by(item),
            )


def platform_hard_edges(inventory: Inventory, refused: frozenset[Pair]) -> Iterator[Edge]:
    """Yield the hard ties that the inventory itself shows, the strongest first."""
    yield from volume_edges(inventory)
    yield from clone_edges(inventory)
    yield from tolerance_edges(inventory)
    yield from vapp_edges(inventory, refused)


def edges(inventory: Inventory) -> tuple[Edge, ...]:
    """Return every tie: shared volumes, linked clones, fault tolerance, vApps, dependencies, rules.

    The order is the order in which reasons convince. Refused ones are left out (``refused_edges``),
    and so are dependencies on VMs that the inventory does not hold (``unknown_ends``).
    """
    rulings = Rulings(inventory.decisions)
    return (
        *_accepted(platform_hard_edges(inventory, rulings.refused_pairs), rulings),
        *_dependency_edges(inventory, rulings),
        *_accepted(rule_edges(inventory, rulings.refused_pairs), rulings),
        *_apart_edges(inventory),
    )


def _accepted(found: Iterable[Edge], rulings: Rulings) -> Iterator[Edge]:
    """Yield ties that the inventory shows with what a person said of the two VMs."""
    for edge in found:
        item = rulings.pairs.get(frozenset((edge.source, edge.target))) if rulings.pairs else None
        if item is not None and item.ruling is Ruling.ACCEPT:
            yield replace(edge, decision=Ruling.ACCEPT.value, decided=said_by(item))
        else:
            yield edge


def refused_edges(inventory: Inventory) -> tuple[Edge, ...]:
    """Return what was seen and a person refused: dependencies, and pairs of one vApp or DRS rule."""
    rulings = Rulings(inventory.decisions)
    return (
        *(dependency_edge(item, rulings.on(item)) for item in inventory.refused),
        *(_refused_pairs(inventory, rulings) if rulings.refused_pairs else ()),
    )


def _refused_pairs(inventory: Inventory, rulings: Rulings) -> Iterator[Edge]:
    vms = {vm.id: vm for vm in inventory.vms}
    for item in rulings.pairs.values():
        if item.ruling is Ruling.REFUSE and item.a in vms and item.b in vms:
            two = replace(inventory, vms=(vms[item.a], vms[item.b]))
            none: frozenset[Pair] = frozenset()
            for edge in (*vapp_edges(two, none), *rule_edges(two, none)):
                yield replace(edge, decision=Ruling.REFUSE.value, decided=said_by(item))


def unknown_ends(inventory: Inventory) -> tuple[str, ...]:
    """Return the VM ids that dependencies name and the inventory does not hold, sorted."""
    known = {vm.id for vm in inventory.vms}
    named = {end for item in inventory.dependencies for end in (item.source, item.target)}
    return tuple(sorted(named - known))
