"""Move groups: which VMs must move together, and the chain of reasons that says so.

A group is closed over hard ties. Ties from users to shared services (directory, DNS, ...) do not
close one, or the whole estate would be a group; a shared disk does, whoever shares it, and so does a
person's word. A VM that stays keeps everything tied to it: no group is ever split.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.errors import NotFound
from planner.graph import Edge, shared_services
from planner.graph.decided import Rulings
from planner.graph.edge import PERSON, PHYSICAL
from planner.graph.edges import dependency_edge, hard_dependencies, platform_hard_edges
from planner.model import VM, Inventory, MoveGroup, Reason, Tie
from planner.names import visible

if TYPE_CHECKING:
    from planner.settings import Settings

_NAME_WIDTH = 60
_SEPARATORS = " -_.0123456789"


class _Closure:
    """Union-find over VM ids; the root of a set is its first VM in inventory order."""

    def __init__(self, ids: Iterable[str]) -> None:
        self._parent = {vm: vm for vm in ids}
        self._rank = {vm: at for at, vm in enumerate(self._parent)}

    def __contains__(self, vm: str) -> bool:
        return vm in self._parent

    @property
    def ids(self) -> Set[str]:
        """All ids it knows."""
        return self._parent.keys()

    def root(self, vm: str) -> str:
        while self._parent[vm] != vm:
            self._parent[vm] = vm = self._parent[self._parent[vm]]
        return vm

    def unite(self, a: str, b: str) -> bool:
        a, b = sorted((self.root(a), self.root(b)), key=self._rank.__getitem__)
        self._parent[b] = a
        return a != b


def closing(edge: Edge, hubs: frozenset[str]) -> bool:
    """True when the tie puts its two ends into one group."""
    if edge.tie is not Tie.HARD:
        return False
    # A tie between a service and its user is not: the service is extended or built there first.
    return edge.kind in PHYSICAL or edge.kind == PERSON or (edge.source in hubs) == (edge.target in hubs)


def hard_edges(inventory: Inventory, ids: Iterable[str], hubs: frozenset[str]) -> Iterator[Edge]:
    """Yield the edges between VMs of ``ids`` that put their ends into one group."""
    known = frozenset(ids)
    rulings = Rulings(inventory.decisions)
    for edge in platform_hard_edges(inventory, rulings.refused_pairs):
        if edge.source in known and edge.target in known and closing(edge, hubs):
            yield edge
    for item in hard_dependencies(inventory, known):
        edge = dependency_edge(item, rulings.on(item))
        if closing(edge, hubs):
            yield edge


def _closed(
    inventory: Inventory, ids: Iterable[str], hubs: frozenset[str]
) -> tuple[_Closure, list[tuple[Edge, Reason]]]:
    closure, tree = _Closure(ids), []
    rulings = Rulings(inventory.decisions)
    for edge in platform_hard_edges(inventory, rulings.refused_pairs):
        inside = edge.source in closure and edge.target in closure
        if inside and closing(edge, hubs) and closure.unite(edge.source, edge.target):
            tree.append((edge, Reason(edge.source, edge.target, edge.reason)))
    for item in hard_dependencies(inventory, closure.ids):
        if closure.root(item.source) != closure.root(item.target):
            edge = dependency_edge(item, rulings.on(item))  # built for the few that unite two groups
            if closing(edge, hubs):
                closure.unite(edge.source, edge.target)
                tree.append((edge, Reason(edge.source, edge.target, edge.reason)))
    return closure, tree


@dataclass(frozen=True, slots=True)
class _Survey:
    """The closure over all VMs that can move, and who is in no group and why."""

    hubs: frozenset[str]
    closure: _Closure
    tree: list[tuple[Edge, Reason]]
    out: dict[str, str]


def _survey(inventory: Inventory, settings: Settings) -> _Survey:
    hubs = frozenset(shared_services(inventory, settings))
    stays = set(settings.exclude)
    movable = [vm for vm in inventory.vms if vm.movable]
    closure, tree = _closed(inventory, (vm.id for vm in movable), hubs)
    held: dict[str, VM] = {}
    for vm in movable:
        if vm.name in stays or vm.id in stays:
            held.setdefault(closure.root(vm.id), vm)
    out: dict[str, str] = {}
    for vm in inventory.vms:
        if vm.template:
            out[vm.id] = "a template is not replicated; deploy it again at the target"
        elif vm.placeholder:
            out[vm.id] = "a placeholder of another replication has no content of its own"
        elif vm.cluster_agent:
            out[vm.id] = "an agent of its cluster stays; the cluster at the target makes its own"
        elif vm.name in stays or vm.id in stays:
            out[vm.id] = "excluded by the settings"
        elif keeper := held.get(closure.root(vm.id)):
            out[vm.id] = f"must move together with {visible(keeper.name)}, which is excluded by the settings"
    return _Survey(hubs, closure, tree, out)


def left_out(inventory: Inventory, settings: Settings) -> dict[str, str]:
    """Return the VMs that are in no group, id to one sentence why, in inventory order."""
    return _survey(inventory, settings).out


def _prefix(names: Sequence[str]) -> str:
    # The first and the last in order differ the most: what they share, all share.
    low, high = min(names), max(names)
    length = next((at for at, (a, b) in enumerate(zip(low, high, strict=False)) if a != b), len(low))
    common = low[:length].rstrip(_SEPARATORS)
    return common if len(common) >= 3 else ""


def _title(members: Sequence[VM]) -> str:
    first = members[0]
    if len(members) > 1:
        applications = {vm.application.strip() for vm in members}
        if len(applications) == 1 and (only := applications.pop()):
            return visible(only, _NAME_WIDTH)
        if prefix := _prefix([vm.name for vm in members]):
            return visible(prefix, _NAME_WIDTH)
    return visible(first.name, _NAME_WIDTH) or visible(first.id, _NAME_WIDTH)


def _unique(name: str, taken: set[str]) -> str:
    candidate, number = name, 1
    while candidate.casefold() in taken:
        number += 1
        candidate = f"{name} ({number})"
    taken.add(candidate.casefold())
    return candidate


def move_groups(inventory: Inventory, settings: Settings) -> tuple[MoveGroup, ...]:
    """Return the groups in inventory order of their first VM; names are unique and harmless.

    Templates, placeholders, excluded VMs and what is tied to those are left out (``left_out``).
    """
    return groups_and_rest(inventory, settings)[0]


def groups_and_rest(
    inventory: Inventory, settings: Settings
) -> tuple[tuple[MoveGroup, ...], Mapping[str, str]]:
    """Return what ``move_groups`` and ``left_out`` do, in one go."""
    found = _survey(inventory, settings)
    closure, hubs = found.closure, found.hubs
    members: dict[str, list[VM]] = {}
    for vm in inventory.vms:
        if vm.id not in found.out:  # whoever is left out takes the whole set along: none is cut
            members.setdefault(closure.root(vm.id), []).append(vm)
    reasons: dict[str, list[Reason]] = {}
    for edge, reason in found.tree:
        reasons.setdefault(closure.root(edge.source), []).append(reason)
    taken: set[str] = set()
    groups = tuple(
        MoveGroup(
            name=_unique(_title(group), taken),
            vms=tuple(vm.id for vm in group),
            reasons=tuple(reasons.get(root, ())),
            shared_services=any(vm.id in hubs for vm in group),
        )
        for root, group in members.items()
    )
    return groups, found.out


def why(groups: Sequence[MoveGroup], vm: str) -> tuple[Reason, ...]:
    """Return the chain of reasons that leads from the first VM of its group to ``vm``.

    Empty for the first VM and for a VM that moves alone; raises NotFound when no group holds it.
    """
    for group in groups:
        if vm in group.vms:
            return _chain(group, vm)
    raise NotFound(f"VM {vm} is in no move group", "look among the unplanned VMs of the plan")


def _chain(group: MoveGroup, vm: str) -> tuple[Reason, ...]:
    links: dict[str, list[Reason]] = {}
    for reason in group.reasons:
        links.setdefault(reason.a, []).append(reason)
        links.setdefault(reason.b, []).append(reason)
    # The reasons are a tree: walking from the far end, each VM has one step towards the first.
    came: dict[str, Reason] = {}
    queue, seen = [group.vms[0]], {group.vms[0]}
    for here in queue:
        for reason in links.get(here, ()):
            there = reason.b if reason.a == here else reason.a
            if there not in seen:
                seen.add(there)
                came[there] = reason
                queue.append(there)
    chain: list[Reason] = []
    while vm in came:
        reason = came[vm]
        chain.append(reason)
        vm = reason.a if reason.b == vm else reason.b
    return tuple(reversed(chain))
