"""Packing: caps hold, order holds, the bound is a bound."""

from __future__ import annotations

from planner.model import MoveGroup, Tie
from planner.units import TIB
from planner.waves.order import Precedence, precedence
from planner.waves.pack import Limits, Load, order_violations, oversize_notes, pack, waves_bound
from tests.planner.sketch import needs

TEN = Limits.of(vms=10, tib=1.0)


def order(names: str, *ties: tuple[str, str]) -> Precedence:
    groups = [MoveGroup(name, (f"id-{name}",)) for name in names]
    return precedence(groups, [needs(a, b, Tie.ORDER) for a, b in ties])


def loads(**vms: int) -> list[Load]:
    return [Load(name, count, 0) for name, count in vms.items()]


def test_first_fit_fills_gaps_and_takes_light_risk_first() -> None:
    found = pack(loads(a=6, b=6, c=4, d=4), order("abcd"), TEN)
    assert found == (("a", "c"), ("b", "d"))
    risky = [Load("a", 1, 0, risk=10), Load("b", 10, 0, risk=0)]
    assert pack(risky, order("ab"), TEN) == (("b",), ("a",))


def test_bytes_are_a_cap_like_vms() -> None:
    found = pack([Load("a", 1, TIB), Load("b", 1, 1), Load("c", 1, 0)], order("abc"), TEN)
    assert found == (("a", "c"), ("b",))


def test_what_is_needed_moves_in_an_earlier_wave() -> None:
    found = pack(loads(a=1, b=1, c=1), order("abc", ("a", "b"), ("b", "c")), TEN)
    assert found == (("c",), ("b",), ("a",))
    assert pack(loads(a=1, b=1), order("ab", ("a", "b")), TEN, lag=0) == (("b", "a"),)


def test_a_group_above_the_caps_moves_whole_and_alone_and_is_noted() -> None:
    big = [*loads(a=1, big=11, z=1), Load("fat", 1, 2 * TIB)]
    names = ["a", "big", "z", "fat"]
    plain = precedence([MoveGroup(name, (name,)) for name in names], [])
    found = pack(big, plain, TEN)
    assert sorted(found) == [("a", "z"), ("big",), ("fat",)]
    notes = oversize_notes(big, TEN)
    assert len(notes) == 2
    assert all("exceeds the caps" in note for note in notes)


def test_the_same_input_in_another_order_packs_the_same() -> None:
    items = loads(a=3, b=5, c=7, d=2, e=9)
    assert pack(items, order("abcde"), TEN) == pack(items[::-1], order("edcba"), TEN)


def test_bounds() -> None:
    assert waves_bound([], TEN, 0) == 0
    assert waves_bound(loads(a=5, b=5, c=1), TEN, 1) == 2  # VMs: 11 of 10
    assert waves_bound([Load("a", 1, TIB), Load("b", 1, 1)], TEN, 1) == 2  # bytes
    assert waves_bound(loads(a=6, b=6, c=6), TEN, 1) == 3  # no two fit together
    assert waves_bound(loads(a=1, b=1), TEN, 2) == 2  # the chain
    assert waves_bound(loads(big=30, a=1), TEN, 1) == 2  # not four: a big one takes one wave


def test_order_violations_count_backward_ties_only() -> None:
    waves = (("a",), ("b", "c"))
    assert order_violations(waves, [("a", "b"), ("b", "a"), ("b", "c")]) == 1
