"""Order ties in a circle: shown, with the cheapest one to drop."""

from __future__ import annotations

from planner.graph.cycles import order_cycles
from planner.groups import move_groups
from planner.model import Tie
from tests.planner.sketch import estate, needs, settings, vm


def _order(later: str, earlier: str, confidence: float = 1.0):  # type: ignore[no-untyped-def]
    return needs(later, earlier, Tie.ORDER, confidence=confidence)


def _found(*ties, names: str = "abcd"):  # type: ignore[no-untyped-def]
    inventory = estate(*(vm(name) for name in names), ties=ties)
    return order_cycles(move_groups(inventory, settings()), inventory.dependencies)


def test_a_chain_is_no_circle() -> None:
    assert _found(_order("a", "b"), _order("b", "c")) == ()


def test_the_least_sure_tie_of_a_circle_is_the_one_to_drop() -> None:
    (cycle,) = _found(_order("a", "b"), _order("b", "c", 0.4), _order("c", "a", 0.7), _order("d", "a"))
    assert cycle.groups == ("a", "b", "c")
    assert sorted(cycle.round_trip) == ["a", "b", "c"]
    assert (cycle.drop.later, cycle.drop.earlier, cycle.opens) == ("b", "c", True)
    at = cycle.round_trip.index("a")
    assert cycle.round_trip[(at + 1) % 3] == "b"  # each waits for the next


def test_a_tie_that_opens_the_whole_knot_goes_before_a_cheaper_one() -> None:
    # Two circles share b -> a; dropping c -> b alone would leave d's.
    (cycle,) = _found(
        _order("b", "a"), _order("a", "c"), _order("c", "b", 0.1), _order("a", "d"), _order("d", "b", 0.1)
    )
    assert (cycle.drop.later, cycle.drop.earlier, cycle.opens) == ("b", "a", True)


def test_two_circles_without_a_common_tie_are_not_opened_by_one() -> None:
    (cycle,) = _found(_order("a", "b"), _order("b", "a", 0.3), _order("b", "c"), _order("c", "b"))
    assert not cycle.opens
    assert cycle.groups == ("a", "b", "c")


def test_shared_services_are_in_no_circle() -> None:
    inventory = estate(vm("a"), vm("dc", tier="directory"), ties=(_order("a", "dc"), _order("dc", "a")))
    assert order_cycles(move_groups(inventory, settings()), inventory.dependencies) == ()
