"""Order between groups: ties become precedence, cycles are told and never merged."""

from __future__ import annotations

from planner.model import MoveGroup, Tie
from planner.waves.order import order_ties, precedence
from tests.planner.sketch import needs


def group(name: str, **more: bool) -> MoveGroup:
    return MoveGroup(name, (f"id-{name}",), **more)


def test_the_needed_group_comes_first_and_only_order_ties_count() -> None:
    found = precedence(
        [group("web"), group("app"), group("db")],
        [needs("web", "app", Tie.ORDER), needs("app", "db", Tie.ORDER), needs("db", "web", Tie.SOFT)],
    )
    assert found.before == {"web": {"app"}, "app": {"db"}, "db": frozenset()}
    assert found.generation == {"db": 0, "app": 1, "web": 2}
    assert (found.longest_chain, found.cycles, found.notes) == (3, (), ())


def test_ties_inside_a_group_to_services_and_to_strangers_are_no_precedence() -> None:
    pair = MoveGroup("pair", ("id-a", "id-b"))
    ties = [needs("a", "b", Tie.ORDER), needs("a", "dns", Tie.ORDER), needs("a", "gone", Tie.ORDER)]
    assert order_ties([pair, group("dns", shared_services=True)], ties) == []


def test_a_cycle_is_noted_and_its_ties_dropped_while_ties_out_of_it_hold() -> None:
    ties = [needs(a, b, Tie.ORDER) for a, b in (("a", "b"), ("b", "a"), ("c", "a"))]
    found = precedence([group("a"), group("b"), group("c")], ties)
    assert found.before == {"a": frozenset(), "b": frozenset(), "c": {"a"}}
    assert found.cycles == (("a", "b"),)
    assert "a, b" in found.notes[0]
    assert found.generation["a"] == found.generation["b"] == 0


def test_no_groups_is_no_order() -> None:
    assert precedence([], []).longest_chain == 0
