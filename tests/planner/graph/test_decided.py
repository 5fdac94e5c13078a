"""What people decided on ties: it counts, it is remembered by who is meant, the newest word wins."""

from __future__ import annotations

from typing import Any

from planner.graph import edges, refused_edges
from planner.graph.decided import End, Remembered, decided
from planner.groups import move_groups
from planner.model import Decision, Inventory, Ruling, Tie
from tests.planner.sketch import disk, estate, needs, settings, vm


def said(ruling: Ruling, a: str, b: str = "", number: int = 1, **more: Any) -> Remembered:
    decision = Decision(
        ruling, f"id-{a}", f"id-{b}" if b else "", **{"who": "mia", "at": "2026-10-01T08:00:00Z", **more}
    )
    return Remembered(number, decision, End(f"id-{a}", name=a), End(f"id-{b}", name=b) if b else None)


def _pair(**more: Any) -> Inventory:
    return estate(vm("a"), vm("b"), ties=(needs("a", "b", confidence=0.5, port=80, **more),))


def _sizes(inventory: Inventory) -> list[int]:
    return [len(group.vms) for group in move_groups(inventory, settings())]


def test_without_decisions_it_is_the_inventory_itself() -> None:
    inventory = _pair()
    assert decided(inventory, ()) is inventory


def test_a_refused_tie_closes_no_group_and_is_kept_to_be_shown() -> None:
    assert _sizes(_pair()) == [2]
    found = decided(_pair(), [said(Ruling.REFUSE, "b", "a", why="old job")])
    assert _sizes(found) == [1, 1]
    assert edges(found) == ()
    (edge,) = refused_edges(found)
    assert (edge.decision, edge.decided) == ("refuse", "mia on 2026-10-01: old job")


def test_a_decision_for_a_port_leaves_the_others() -> None:
    found = decided(_pair(), [said(Ruling.REFUSE, "a", "b", port=443)])
    assert (_sizes(found), found.refused) == ([2], ())
    found = decided(_pair(), [said(Ruling.REFUSE, "a", "b", port=80)])
    assert _sizes(found) == [1, 1]


def test_an_accepted_tie_is_sure_and_says_who_said_so() -> None:
    found = decided(_pair(), [said(Ruling.ACCEPT, "a", "b")])
    (edge,) = edges(found)
    assert (edge.confidence, edge.decision, edge.kind) == (1.0, "accept", "dependency")


def test_the_newest_word_counts_whatever_order_they_come_in() -> None:
    words = [said(Ruling.ACCEPT, "a", "b", 2), said(Ruling.REFUSE, "b", "a", 1)]
    assert _sizes(decided(_pair(), words)) == [2]
    later = said(Ruling.REFUSE, "a", "b", 3, port=80)
    assert _sizes(decided(_pair(), [later, *words])) == [1, 1]


def test_what_only_a_person_knows_closes_a_group_even_with_a_hub() -> None:
    inventory = estate(vm("app"), vm("dc", tier="directory"), ties=(needs("app", "dc"),))
    assert _sizes(inventory) == [1, 1]
    found = decided(inventory, [said(Ruling.HARD, "app", "dc", why="one outage")])
    assert _sizes(found) == [2]
    assert {edge.kind for edge in edges(found)} == {"dependency", "person"}


def test_order_becomes_a_dependency_and_apart_an_edge_that_closes_nothing() -> None:
    words = [said(Ruling.ORDER, "b", "a", 1), said(Ruling.APART, "a", "b", 2, why="cluster")]
    found = decided(estate(vm("a"), vm("b")), words)
    assert [(d.source, d.target, d.tie) for d in found.dependencies] == [("id-b", "id-a", Tie.ORDER)]
    assert {(e.tie, e.kind) for e in edges(found)} == {(Tie.ORDER, "person"), (Tie.APART, "person")}
    assert _sizes(found) == [1, 1]


def test_ends_are_found_by_uuid_or_one_name_after_a_new_discovery() -> None:
    words = [
        Remembered(
            1,
            Decision(Ruling.REFUSE, "old-1", "old-2", who="mia", at="2026-10-01T08:00:00Z"),
            End("old-1", "uuid-a", "renamed"),
            End("old-2", "", "B"),
        )
    ]
    inventory = estate(vm("a", instance_uuid="uuid-a"), vm("b"), ties=(needs("a", "b"),))
    assert len(decided(inventory, words).refused) == 1
    twice = estate(*inventory.vms, vm("B"), ties=inventory.dependencies)
    found = decided(twice, words)
    assert found.refused == ()
    assert found.notes[-1] == "1 decision on ties name VMs that the inventory does not hold"


def test_storage_is_not_parted_by_a_word() -> None:
    shared = estate(vm("a", disk(path="[d] x.vmdk")), vm("b", disk(path="[d] x.vmdk")))
    assert _sizes(decided(shared, [said(Ruling.REFUSE, "a", "b")])) == [2]


def test_a_vapp_holds_on_over_pairs_that_nobody_refused() -> None:
    inventory = estate(*(vm(name, vapp="shop") for name in "abc"))
    one = [said(Ruling.REFUSE, "a", "b", 1)]
    assert _sizes(decided(inventory, one)) == [3]  # c still holds both
    two = [*one, said(Ruling.REFUSE, "c", "b", 2)]
    assert sorted(_sizes(decided(inventory, two))) == [1, 2]


def test_a_word_on_a_pair_stands_on_its_ties_of_vapps_and_rules() -> None:
    inventory = estate(vm("a", vapp="shop", rules=("keep",)), vm("b", vapp="shop", rules=("keep",)))
    found = decided(inventory, [said(Ruling.ACCEPT, "a", "b", why="asked")])
    assert {(e.kind, e.decision, e.decided) for e in edges(found)} == {
        ("vapp", "accept", "mia on 2026-10-01: asked"),
        ("rule", "accept", "mia on 2026-10-01: asked"),
    }
    assert refused_edges(found) == ()
    found = decided(inventory, [said(Ruling.REFUSE, "b", "a", why="old")])
    assert edges(found) == ()
    assert {(e.kind, e.reason, e.decision, e.decided) for e in refused_edges(found)} == {
        ("vapp", "both belong to vApp shop", "refuse", "mia on 2026-10-01: old"),
        ("rule", "both are named in DRS rule keep", "refuse", "mia on 2026-10-01: old"),
    }
