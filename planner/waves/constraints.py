"""Which groups share a wave, and which must come before which.

    groups ──networks that move whole, applications──▶ items ──order ties, environments──▶ Order

Groups of an environment of an application share a wave only as a wish: where the caps or an order tie
stand against it they are items of their own again. Order ties in a circle are told and not enforced.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from planner.model import VM, Dependency, MoveGroup
from planner.names import visible
from planner.waves.order import order_ties, precedence
from planner.waves.problem import Order
from planner.waves.words import environment, rank

if TYPE_CHECKING:
    import networkx

    from planner.settings import Settings

NOT_ENFORCED = "not enforced, as other ties run the other way round: "
_LAG = 1


@dataclass(frozen=True, slots=True)
class Shares:
    """Groups by item, the order between items, order ties nobody can keep, and notes."""

    members: tuple[tuple[MoveGroup, ...], ...]
    order: tuple[Order, ...]
    dropped: tuple[tuple[str, str], ...]  # (later group, earlier group)
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Kin:
    """What a group belongs to: its application and environment, empty when its VMs don't agree."""

    application: str
    environment: str


def kin(group: MoveGroup, vms: Sequence[VM]) -> Kin:
    """Return the one application and the one environment of a group's VMs."""
    applications = {vm.application.strip() for vm in vms}
    environments = {environment(vm.environment) for vm in vms}
    return Kin(
        applications.pop() if len(applications) == 1 else "",
        environments.pop() if len(environments) == 1 else "",
    )


class _Sets:
    """Sets of group numbers that share an item."""

    def __init__(self, count: int) -> None:
        self._root = list(range(count))

    def root(self, at: int) -> int:
        while self._root[at] != at:
            self._root[at] = at = self._root[self._root[at]]
        return at

    def unite(self, a: int, b: int) -> None:
        a, b = sorted((self.root(a), self.root(b)))
        self._root[b] = a

    def copy(self) -> _Sets:
        twin = _Sets(0)
        twin._root = list(self._root)
        return twin


def _whole_networks(groups: Sequence[MoveGroup], networks: Callable[[MoveGroup], Iterable[str]]) -> _Sets:
    sets = _Sets(len(groups))
    first: dict[str, int] = {}
    for at, group in enumerate(groups):
        for network in networks(group):
            sets.unite(first.setdefault(network, at), at)
    return sets


def _families(
    kins: Sequence[Kin], loose: Sequence[bool], part: Sequence[Hashable], fits: Callable[[list[int]], bool]
) -> list[list[int]]:
    """Return the groups of each environment of each application that may share an item.

    One that fits into a wave as a whole falls into its parts.
    """
    found: dict[Kin, list[int]] = {}
    for at, item in enumerate(kins):
        if item.application and loose[at]:
            found.setdefault(item, []).append(at)
    parts: dict[tuple[Kin, Hashable], list[int]] = {}
    for item, members in found.items():
        if len(members) > 1 and fits(members):
            for at in members:
                parts.setdefault((item, part[at]), []).append(at)
    return [members for members in parts.values() if len(members) > 1]


def _circles(graph: networkx.DiGraph) -> list[set[int]]:
    import networkx

    return [part for part in networkx.strongly_connected_components(graph) if len(part) > 1]


def _over(sets: _Sets, ties: Iterable[tuple[int, int]]) -> networkx.DiGraph:
    """Return the order between items: an edge from the earlier to the later, by first group number."""
    import networkx

    graph = networkx.DiGraph()
    graph.add_edges_from((sets.root(a), sets.root(b)) for a, b in ties)
    return graph


def _applications(sets: _Sets, families: list[list[int]], ties: Sequence[tuple[int, int]]) -> _Sets:
    """Unite families; those an order tie runs through, alone or in a circle, stay apart."""
    todo = families
    while True:
        found = sets.copy()
        for family in todo:
            for other in family[1:]:
                found.unite(family[0], other)
        graph = _over(found, ties)
        torn = {node for part in _circles(graph) for node in part}
        torn |= {a for a, b in graph.edges if a == b}
        kept = [family for family in todo if found.root(family[0]) not in torn]
        if len(kept) == len(todo):
            return found
        todo = kept


def _environment_ties(
    kins: Sequence[Kin], item_of: Callable[[int], int], order: Sequence[str]
) -> dict[tuple[int, int], str]:
    """Return (earlier item, later item) → why, for the environments of each application, in order."""
    places: dict[str, dict[int, set[int]]] = {}
    for at, item in enumerate(kins):
        place = rank(item.environment, order)
        if item.application and place is not None:
            places.setdefault(item.application, {}).setdefault(place, set()).add(item_of(at))
    ties: dict[tuple[int, int], str] = {}
    for application, by_place in places.items():
        for before, after in pairwise(sorted(by_place)):
            why = f"{order[before]} of {visible(application)} moves before {order[after]}"
            for a in sorted(by_place[before]):
                for b in sorted(by_place[after]):
                    if a != b:
                        ties[a, b] = why
    return ties


def _without_circles(
    firm: dict[tuple[int, int], str], wished: dict[tuple[int, int], str]
) -> tuple[dict[tuple[int, int], str], list[tuple[int, int]]]:
    """Return the ties that can all be kept, and the wished ones that run in a circle with others."""
    import networkx

    graph = networkx.DiGraph()
    graph.add_edges_from((*firm, *wished))
    within = {node: number for number, part in enumerate(_circles(graph)) for node in part}
    bad = [(a, b) for a, b in wished if a in within and within[a] == within.get(b) and (a, b) not in firm]
    gone = set(bad)
    kept = {**{tie: why for tie, why in wished.items() if tie not in gone}, **firm}
    return kept, bad


def share(
    groups: Sequence[MoveGroup],
    members: Callable[[MoveGroup], Sequence[VM]],
    dependencies: Iterable[Dependency],
    settings: Settings,
    fits: Callable[[Sequence[MoveGroup]], bool],
    loose: Callable[[MoveGroup], bool],
    part: Callable[[MoveGroup], Hashable] = lambda group: None,
) -> Shares:
    """Return the items of ``groups`` and the order between them.

    ``fits`` says whether groups fit into one wave together, ``loose`` whether a group may be joined with
    others of its application (a pinned one may not); of an application those with the same ``part`` are.
    """
    whole = set(settings.waves.whole_networks)
    number = {group.name: at for at, group in enumerate(groups)}
    kins = [kin(group, members(group)) for group in groups]
    ties = order_ties(groups, dependencies)
    known = precedence(groups, dependencies)
    circle = {name: at for at, names in enumerate(known.cycles) for name in names}
    lost = [(b, a) for b, a in ties if b in circle and circle[b] == circle.get(a)]
    unkept = set(lost)
    firm = [(number[a], number[b]) for b, a in dict.fromkeys(ties) if (b, a) not in unkept]
    sets = _whole_networks(
        groups,
        lambda group: {nic.network for vm in members(group) for nic in vm.nics} & whole if whole else (),
    )
    if settings.waves.whole_applications:
        families = _families(
            kins,
            [loose(group) for group in groups],
            [part(group) for group in groups],
            lambda at: fits([groups[n] for n in at]),
        )
        sets = _applications(sets, families, firm)
    roots = sorted({sets.root(at) for at in range(len(groups))})
    inner = {(groups[b].name, groups[a].name) for a, b in firm if sets.root(a) == sets.root(b)}
    torn = {node: at for at, part in enumerate(_circles(_over(sets, firm))) for node in part}
    cross = {
        (sets.root(a), sets.root(b)): f"{visible(groups[b].name)} needs {visible(groups[a].name)} first"
        for a, b in firm
        if sets.root(a) != sets.root(b)
    }
    inner |= {
        (groups[b].name, groups[a].name)
        for a, b in firm
        if sets.root(a) in torn and torn[sets.root(a)] == torn.get(sets.root(b))
    }
    cross = {(a, b): why for (a, b), why in cross.items() if a not in torn or torn[a] != torn.get(b)}
    wished = _environment_ties(kins, sets.root, settings.waves.environments)
    kept, bad = _without_circles(cross, wished)
    place = {root: at for at, root in enumerate(roots)}
    item: list[list[MoveGroup]] = [[] for _ in roots]
    for at, group in enumerate(groups):
        item[place[sets.root(at)]].append(group)
    notes = [*known.notes]
    notes += [f"{NOT_ENFORCED}{wished[tie]}" for tie in bad]
    if inner:
        notes.append(f"networks that move whole leave {len(inner)} order ties inside one wave or in a circle")
    return Shares(
        members=tuple(tuple(found) for found in item),
        order=tuple(Order(place[a], place[b], _LAG, why) for (a, b), why in sorted(kept.items())),
        dropped=tuple(dict.fromkeys((*lost, *sorted(inner)))),
        notes=tuple(notes),
    )


def order_among(
    members: Sequence[Sequence[MoveGroup]],
    kin_of: Callable[[MoveGroup], Kin],
    dependencies: Iterable[Dependency],
    settings: Settings,
) -> tuple[Order, ...] | None:
    """Return the order between items that are shared already, as ``share`` has it when nothing is a circle.

    None for a tie within an item. Whether anything is a circle is for the caller to know.
    """
    groups = [group for found in members for group in found]
    item_of = [at for at, found in enumerate(members) for _ in found]
    home = {group.name: at for group, at in zip(groups, item_of, strict=True)}
    firm = {
        (home[earlier], home[later]): f"{visible(later)} needs {visible(earlier)} first"
        for later, earlier in dict.fromkeys(order_ties(groups, dependencies))
    }
    if any(a == b for a, b in firm):
        return None
    kins = [kin_of(group) for group in groups]
    wished = _environment_ties(kins, item_of.__getitem__, settings.waves.environments)
    return tuple(Order(a, b, _LAG, why) for (a, b), why in sorted({**wished, **firm}.items()))
