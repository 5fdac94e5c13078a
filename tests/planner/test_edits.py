"""Edits outlast discoveries, or are named: what each comes to on the groups of an inventory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from planner.edits import Act, Edit, by_hand, ends_of
from planner.errors import BadInput, Blocked
from planner.groups import move_groups
from planner.model import Inventory
from planner.waves.hand import Hand
from tests.planner.sketch import estate, needs, settings, vm
from tests.planner.waves.laid import SATURDAYS, homes, made

THREE = estate(*(vm(name, instance_uuid=f"u-{name}") for name in "abc"))
START = "2026-10-10T22:00:00+00:00"


def edit(act: Act, *names: str, inventory: Inventory = THREE, **more: Any) -> Edit:
    vms = {item.name: item for item in inventory.vms}
    partners = ends_of(vms[name] for name in more.pop("partners", ()))
    fields: dict[str, Any] = {
        "what": names[0],
        "number": 1,
        "who": "mia",
        "at": "2026-10-02T08:00:00Z",
        **more,
    }
    return Edit(act=act, vms=ends_of(vms[name] for name in names), partners=partners, **fields)


def read(*edits: Edit, inventory: Inventory = THREE, **more: Any) -> tuple[list[list[str]], Hand]:
    said = settings(windows=SATURDAYS, **more)
    groups, hand = by_hand(edits, move_groups(inventory, said), inventory, said)
    return [list(group.vms) for group in groups], hand


def test_vms_are_found_again_by_id_then_uuid_then_name() -> None:
    move = edit(Act.MOVE, "a", wave="W02", start=START)
    assert read(move)[1].pins == {"a": 1}
    moved_in = replace(THREE, vms=(vm("a-new", id="other", instance_uuid="u-a"), *THREE.vms[1:]))
    assert read(move, inventory=moved_in)[1].pins == {"a-new": 1}
    by_name = replace(THREE, vms=(vm("A", id="other"), *THREE.vms[1:]))
    assert read(move, inventory=by_name)[1].pins == {"A": 1}


def test_a_vm_that_is_gone_is_told_and_planning_goes_on() -> None:
    left = replace(THREE, vms=THREE.vms[1:])
    _, hand = read(edit(Act.MOVE, "a", wave="W02", start=START), inventory=left)
    said = "edit 1 (move a to W02, mia on 2026-10-02) can no longer hold: its VMs are in no move group"
    assert (hand.pins, hand.notes) == ({}, (said,))
    found = made(left, [edit(Act.MOVE, "a", wave="W02", start=START)], windows=SATURDAYS)
    assert said in found.notes


def test_a_wave_is_its_window_wherever_that_stands_now() -> None:
    move = edit(Act.MOVE, "a", wave="W02", start=START)
    earlier = [{"start": "2026-09-26T22:00:00"}, *SATURDAYS]
    groups = move_groups(THREE, settings())
    assert by_hand([move], groups, THREE, settings(windows=earlier))[1].pins == {"a": 2}
    with pytest.raises(BadInput, match=r"edit 1 \(move a to W02.*2026-10-10 22:00 UTC is not open") as error:
        by_hand([move], groups, THREE, settings(windows=SATURDAYS[:1]))
    assert error.value.hint == "take it back: wherry plan undo 1"
    with pytest.raises(BadInput, match=r"cannot hold: the window") as error:
        by_hand([replace(move, saved=False)], groups, THREE, settings(windows=SATURDAYS[:1]))
    assert "undo" not in str(error.value.hint), "there is no such edit yet"
    undated = edit(Act.MOVE, "a", wave="W02")
    assert by_hand([undated], groups, THREE, settings())[1].pins == {"a": 1}


def test_the_newest_move_counts_and_edits_that_contradict_each_other_are_named() -> None:
    first = edit(Act.MOVE, "a", wave="W02", start=START)
    then = replace(first, number=2, wave="W03", start="2026-10-17T22:00:00+00:00")
    assert read(first, then)[1].pins == {"a": 2}
    tied = replace(THREE, dependencies=(needs("a", "b"),))
    other = edit(Act.MOVE, "b", wave="W03", start="2026-10-17T22:00:00+00:00", number=2)
    with pytest.raises(BadInput, match=r"edit 2 .* can no longer hold: a is also in edit 1"):
        read(first, other, inventory=tied)


def test_merges_split_again_and_moves_follow_the_first() -> None:
    merge = edit(Act.MERGE, "a", partners=("c",), other="c")
    assert read(merge)[0] == [["id-a", "id-c"], ["id-b"]]
    split = edit(Act.SPLIT, "c", other="c", number=2)
    assert read(merge, split)[0] == [["id-a"], ["id-b"], ["id-c"]]
    move = edit(Act.MOVE, "a", wave="W02", start=START)
    away = edit(Act.MOVE, "c", wave="W03", start="2026-10-17T22:00:00+00:00", number=2)
    groups, hand = read(move, away, replace(merge, number=3))
    assert (groups, hand.pins) == ([["id-a", "id-c"], ["id-b"]], {"a": 1})
    mixed = estate(vm("a"), vm("c", tier="directory"))
    with pytest.raises(BadInput, match="only one of the two is a shared service"):
        read(edit(Act.MERGE, "a", partners=("c",), other="c", inventory=mixed), inventory=mixed)


def test_a_lock_pins_what_was_in_the_wave_until_it_is_lifted() -> None:
    lock = edit(Act.LOCK, "a", "b", wave="W02", start=START)
    _, hand = read(lock)
    assert (hand.pins, hand.locked) == ({"a": 1, "b": 1}, frozenset({1}))
    _, hand = read(lock, replace(lock, act=Act.UNLOCK, number=2))
    assert (hand.pins, hand.locked) == ({}, frozenset())


def test_a_plan_that_cannot_keep_an_edit_names_it() -> None:
    move = edit(Act.MOVE, "a", wave="W02", start=START)
    with pytest.raises(BadInput, match=r"edit 1 .* can no longer hold: a is pinned to W01"):
        made(THREE, [move], windows=SATURDAYS, pins=[{"what": "a", "wave": "W01"}])
    both = [move, edit(Act.MOVE, "b", wave="W02", start=START, number=2)]
    with pytest.raises(Blocked, match=r"this can no longer hold with it: edit [12] \(move [ab] to W02"):
        made(THREE, both, windows=SATURDAYS, caps={"vms": 1})
    tied = replace(THREE, dependencies=(needs("a", "b"),))
    assert homes(made(tied, [move], windows=SATURDAYS))["b"] == "W02"


def test_names_are_made_visible() -> None:
    hostile = edit(Act.MOVE, "a", wave="W02", what="x\x1b[2J")
    assert "\x1b" not in hostile.said


def test_without_edits_nothing_is_asked() -> None:
    groups, hand = read()
    assert (len(groups), hand) == (3, Hand())
