"""The plan before: what is under way keeps its place, what is not stays near where it was."""

from __future__ import annotations

from typing import Any

import pytest

from planner.errors import BadInput, Blocked
from planner.fingerprint import inventory_fingerprint
from planner.model import Inventory, Tie
from planner.plan import Plan
from planner.planning import make_plan
from planner.waves.arrange import Draw
from tests.planner.sketch import estate, needs, plan, settings, vm

SATURDAYS = [{"start": f"2026-10-{day:02d}T22:00:00"} for day in (3, 10, 17, 24)]


def again(inventory: Inventory, last: Plan, *frozen: str, **more: Any) -> Plan:
    return make_plan(
        project="test",
        inventory=inventory,
        inventory_fingerprint=inventory_fingerprint(inventory),
        settings=settings(**more),
        created_at="2026-10-01T08:00:00+00:00",
        last=last,
        frozen=frozen,
        draw=Draw(effort="quick"),
    )


def homes(found: Plan) -> dict[str, str]:
    return {vm.name: wave.name for wave in found.waves for vm in wave.vms}


def test_a_wave_under_way_stays_as_it_is_and_takes_nobody_in() -> None:
    vms = tuple(vm(name) for name in "abcd")
    first = plan(estate(*vms[:2]), caps={"vms": 4}, windows=SATURDAYS)
    grown = estate(*vms, ties=(needs("a", "c", Tie.ORDER),))
    with pytest.raises(Blocked, match="no plan can keep every rule"):
        again(grown, first, "W01", caps={"vms": 4}, windows=SATURDAYS)
    free = estate(*vms, ties=(needs("c", "a", Tie.ORDER),))
    kept = again(free, first, "W01", caps={"vms": 4}, windows=SATURDAYS)
    assert kept.waves[0].fingerprint == first.waves[0].fingerprint
    assert homes(kept) == {"a": "W01", "b": "W01", "c": "W02", "d": "W02"}
    assert kept.after == first.fingerprint


def test_windows_that_would_move_a_wave_under_way_are_refused() -> None:
    first = plan(estate(vm("a")), windows=SATURDAYS)
    with pytest.raises(BadInput, match="wave W01 is under way"):
        again(estate(vm("a")), first, "W01", windows=SATURDAYS[1:])
    assert again(estate(vm("a")), first, windows=SATURDAYS[1:]).waves


def test_a_new_vm_does_not_turn_everything_over() -> None:
    names = [f"v{at}" for at in range(8)]
    first = plan(estate(*(vm(name) for name in names)), caps={"vms": 3})
    kept = again(estate(vm("new"), *(vm(name) for name in names)), first, caps={"vms": 3})
    assert kept.score.stability == 1.0
    before, after = homes(first), homes(kept)
    assert all(before[name] == after[name] for name in names)
    assert first.score.stability is None


def test_planning_twice_after_the_same_plan_gives_the_same() -> None:
    inventory = estate(*(vm(f"v{at}") for at in range(6)))
    first = plan(estate(vm("v0")), caps={"vms": 3})
    assert (
        again(inventory, first, caps={"vms": 3}).fingerprint
        == again(inventory, first, caps={"vms": 3}).fingerprint
    )
