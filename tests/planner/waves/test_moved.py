"""Changes by hand held against a plan that breaks rules already: what makes nothing worse is open."""

from __future__ import annotations

from typing import Any

import pytest

from planner.waves.moved import changed, standing
from planner.waves.problem import Apart, Assignment, Caps, Item, Link, Order, Problem, Room, Slot
from tests.planner.sketch import estate, vm
from tests.planner.waves.laid import SATURDAYS, desk, homes, made


def problem(*items: dict[str, Any], caps: Caps | None = None, slots: int = 4, **more: Any) -> Problem:
    """Items called a, b, c, ... of one VM each, and undated slots."""
    return Problem(
        items=tuple(
            Item(**{"name": "abcdef"[at], "vms": 1, "size_bytes": 0, **said}) for at, said in enumerate(items)
        ),
        slots=more.pop("said_slots", (Slot(None, 0, caps or Caps()),) * slots),
        **more,
    )


def broken(asked: Problem, before: Assignment, after: Assignment) -> list[tuple[str, str]]:
    """The kind of each rule that a change breaks, and whose it is."""
    _, delta = changed(standing(asked, before), after)
    return [(one.kind, one.whose) for one in delta.broken]


def test_a_wave_over_its_cap_gives_and_takes_nothing_more() -> None:
    full = problem({}, {}, {}, {}, {"vms": 2}, caps=Caps(vms=2))
    assert broken(full, (0, 0, 0, 0, 2), (0, 0, 0, 1, 2)) == [], "three are over it still, and less"
    assert broken(full, (0, 0, 0, 1, 2), (1, 0, 0, 0, 2)) == [], "one for another"
    assert broken(full, (0, 0, 0, 1, 2), (0, 0, 0, 0, 2)) == [("cap", "")]
    assert broken(full, (0, 0, 0, 1, 2), (0, 0, 0, 2, 2)) == [("cap", "")], "another wave is another cap"
    assert broken(full, (0, 0, 0, 1, 2), (2, 1, 1, 1, 2)) == [("cap", ""), ("cap", "")]


@pytest.mark.parametrize(
    ("cap", "said"),
    [
        ("bytes_per_datastore", lambda whose: {"datastores": ((whose, 10),)}),
        ("disks_per_host", lambda whose: {"hosts": ((whose, 10),)}),
        ("items_per_owner", lambda whose: {"owner": whose}),
        ("items_per_team", lambda whose: {"team": whose}),
    ],
)
def test_caps_of_each_owner_or_datastore_are_told_apart(cap: str, said: Any) -> None:
    most = 15 if cap in ("bytes_per_datastore", "disks_per_host") else 1
    mine, theirs = said("mine"), said("theirs")
    asked = problem(mine, mine, mine, theirs, theirs, caps=Caps(**{cap: most}))
    before = (0, 0, 0, 0, 1)
    assert broken(asked, before, (0, 0, 1, 0, 1)) == []
    assert broken(asked, before, (0, 0, 0, 0, 0)) == [("cap", "theirs")]
    assert broken(asked, before, (0, 0, 1, 0, 0)) == [("cap", "theirs")]
    assert broken(asked, (0, 0, 1, 0, 1), (0, 0, 0, 0, 1)) == [("cap", "mine")]


def test_what_the_target_has_no_room_for_holds_nobody_back() -> None:
    asked = problem({"vcpus": 4}, {"vcpus": 4}, room=Room(vcpus=6))
    assert broken(asked, (0, 0), (0, 1)) == []


def test_what_is_late_may_be_less_late() -> None:
    in_time, late = Slot(None, 0, Caps()), Slot(None, 0, Caps(), late="2026-10-12")
    asked = problem({}, {}, said_slots=(in_time, late, late, late))
    assert broken(asked, (2, 0), (1, 0)) == []
    assert broken(asked, (2, 0), (3, 0)) == [("late", "")]
    assert broken(asked, (2, 0), (2, 1)) == [("late", "")]


def test_a_pair_that_shares_a_wave_may_share_another() -> None:
    asked = problem({}, {}, {}, apart=(Apart(0, 1), Apart(0, 2)))
    assert broken(asked, (0, 0, 1), (2, 2, 1)) == []
    assert broken(asked, (0, 0, 1), (1, 1, 1)) == [("apart", "")]


def test_an_order_that_is_broken_may_be_broken_by_less() -> None:
    asked = problem({}, {}, {}, order=(Order(0, 1, 1), Order(0, 2, 1)))
    assert broken(asked, (2, 1, 3), (1, 1, 3)) == []
    assert broken(asked, (1, 1, 3), (2, 1, 3)) == [("order", "")]
    assert broken(asked, (2, 1, 3), (2, 1, 2)) == [("order", "")]


def test_a_closed_wave_is_left_for_an_open_one_and_for_no_other() -> None:
    asked = problem({"allowed": frozenset({2})}, {"pinned": 2}, {"earliest": 2})
    assert broken(asked, (0, 0, 0), (2, 0, 0)) == []
    assert broken(asked, (0, 0, 0), (1, 0, 0)) == [("allowed", "")]
    assert broken(asked, (0, 0, 0), (0, 1, 0)) == [("pinned", "")]
    assert broken(asked, (0, 0, 0), (0, 0, 1)) == []
    assert broken(asked, (0, 0, 1), (0, 0, 0)) == [("earliest", "")]


def test_a_line_that_is_too_slow_is_held_against_each_wave() -> None:
    line = Link(bytes_s=(1.0,) * 168, begins_s=0.0)
    slots = tuple(Slot(start, 1, Caps()) for start in (100.0, 200.0, 300.0))
    asked = problem(*({"seed_bytes": size} for size in (150, 150, 100)), said_slots=slots, link=line)
    assert broken(asked, (0, 0, 2), (0, 1, 2)) == []
    assert broken(asked, (0, 1, 2), (0, 0, 2)) == [("link", "")]
    assert broken(asked, (0, 1, 2), (1, 1, 1)) == [("link", "")], "the first wave is better, the next is not"


def test_a_group_leaves_its_application_in_a_wave_that_is_late() -> None:
    inventory = estate(*(vm(name, application="shop") for name in ("web", "db")), vm("other"))
    found = made(inventory, windows=SATURDAYS, pins=[{"what": "web", "wave": "W03"}])
    where = homes(found)
    assert (where["web"], where["other"]) == ("W03", "W01")
    asked: dict[str, Any] = {"windows": SATURDAYS, "waves": {"exit": "2026-09-01"}}
    verdict = desk(inventory, found, **asked).move("web", "W02")
    assert verdict.refused == ()
    refused = desk(inventory, found, **asked).move("web", "W04").refused
    assert len(refused) == 1
    assert "after the exit date" in refused[0]


def test_a_wave_over_its_cap_is_emptied_step_by_step_on_the_desk() -> None:
    inventory = estate(*(vm(name) for name in "abcd"))
    found = made(inventory, caps={"vms": 4}, windows=SATURDAYS)
    assert set(homes(found).values()) == {"W01"}
    laid = desk(inventory, found, caps={"vms": 2}, windows=SATURDAYS)
    verdict = laid.move("a", "W02")
    assert verdict.refused == ()
    assert verdict.delta.violations == 0
    both = laid.shift([(group, 1) for name in "ab" for group in laid.named(name)])
    assert (both.refused, both.delta.violations) == ((), -1)
    three = laid.shift([(group, 1) for name in "abc" for group in laid.named(name)])
    assert three.refused == ("W02 holds 3 VMs, its cap is 2",)
