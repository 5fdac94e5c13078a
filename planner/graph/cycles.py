"""Order ties that go in a circle: shown as they are, with the cheapest tie to drop; none is dropped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from planner.model import Dependency, MoveGroup, Tie

_MOST_TRIED = 400  # ties of one knot of which each is tried


@dataclass(frozen=True, slots=True)
class OrderTie:
    """``later`` waits for ``earlier`` (names of groups) because of these dependencies."""

    later: str
    earlier: str
    because: tuple[Dependency, ...]

    @property
    def confidence(self) -> float:
        """How sure it is: as sure as the surest of its dependencies."""
        return max(item.confidence for item in self.because)


@dataclass(frozen=True, slots=True)
class Cycle:
    """Groups that wait for each other. ``drop`` is the cheapest tie to refuse.

    ``opens`` tells whether without it no circle is left among these groups. ``round_trip`` is one circle.
    """

    groups: tuple[str, ...]
    round_trip: tuple[str, ...]
    drop: OrderTie
    opens: bool


def between_groups(
    groups: Sequence[MoveGroup], dependencies: Iterable[Dependency]
) -> Iterator[tuple[MoveGroup, MoveGroup, Dependency]]:
    """Yield (later, earlier, because of) for every order tie between two groups that are no services."""
    home = {vm: group for group in groups for vm in group.vms}
    for item in dependencies:
        if item.tie is not Tie.ORDER:
            continue
        later, earlier = home.get(item.source), home.get(item.target)
        if later is None or earlier is None or later is earlier:
            continue
        if not (later.shared_services or earlier.shared_services):
            yield later, earlier, item


def order_cycles(groups: Sequence[MoveGroup], dependencies: Iterable[Dependency]) -> tuple[Cycle, ...]:
    """Return every knot of order ties between plain groups, sorted by name.

    Cheapest is the tie that opens the knot, is least sure, and stands on the fewest dependencies.
    """
    import networkx

    because: dict[tuple[str, str], list[Dependency]] = {}
    for later, earlier, item in between_groups(groups, dependencies):
        because.setdefault((later.name, earlier.name), []).append(item)
    ties = {pair: OrderTie(*pair, tuple(items)) for pair, items in because.items()}
    graph = networkx.DiGraph(list(ties))
    found = []
    for knot in networkx.strongly_connected_components(graph):
        if len(knot) < 2:
            continue
        inside = graph.subgraph(knot)
        circle = [earlier for _, earlier in networkx.find_cycle(inside, min(knot))]
        choices = sorted(
            (ties[pair] for pair in inside.edges),
            key=lambda tie: (tie.confidence, len(tie.because), tie.later, tie.earlier),
        )
        opening = next(
            (
                tie
                for tie in choices[:_MOST_TRIED]
                if networkx.is_directed_acyclic_graph(
                    networkx.restricted_view(inside, [], [(tie.later, tie.earlier)])
                )
            ),
            None,
        )
        on_circle = {*zip(circle, [*circle[1:], circle[0]], strict=True)}
        cheapest = next(tie for tie in choices if (tie.later, tie.earlier) in on_circle)
        found.append(Cycle(tuple(sorted(knot)), tuple(circle), opening or cheapest, opening is not None))
    return tuple(sorted(found, key=lambda cycle: cycle.groups))
