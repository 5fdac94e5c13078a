"""Why a group moves in its wave: what binds is named for each earlier wave, and what others would cost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from planner.checks.check import Work
from planner.errors import BadInput
from planner.model import Finding, Inventory, Severity, Tie
from planner.waves.explain import Why
from tests.planner.sketch import check, disk, estate, needs, vm
from tests.planner.waves.laid import SATURDAYS, desk, homes, made
from tests.planner.waves.test_desk import kept


def asked(inventory: Inventory, what: str, **more: Any) -> Why:
    return desk(inventory, made(inventory, **dict(more)), **dict(more)).why(what)


def reasons(found: Why) -> list[str]:
    """The reasons against the first wave."""
    return list(found.tried[0].why)


def test_a_full_wave_and_the_cap_that_fills_it() -> None:
    inventory = estate(vm("a"), vm("b"))
    full: dict[str, Any] = {"caps": {"vms": 1}, "windows": SATURDAYS}
    late = next(name for name, wave in homes(made(inventory, **full)).items() if wave == "W02")
    found = asked(inventory, late, **full)
    assert (found.wave, reasons(found)) == ("W02", ["W01 holds 2 VMs, its cap is 1"])
    assert found.earlier is None
    assert found.later is not None
    assert (found.later.wave, found.later.delta.waves) == ("W03", 0)
    owned = estate(vm("a", owner="ann"), vm("b", owner="ann"))
    caps: dict[str, Any] = {"caps": {"groups_per_owner": 1}, "windows": SATURDAYS}
    late = next(name for name, wave in homes(made(owned, **caps)).items() if wave == "W02")
    assert reasons(asked(owned, late, **caps)) == ["W01 holds 2 groups of owner ann, its cap is 1"]


def test_order_apart_and_pins() -> None:
    inventory = estate(vm("a"), vm("b"), ties=(needs("b", "a", Tie.ORDER),))
    assert reasons(asked(inventory, "b", windows=SATURDAYS)) == [
        "b needs a first, and both would move in W01"
    ]
    stages = estate(
        vm("d", application="shop", environment="dev"), vm("p", application="shop", environment="prod")
    )
    said = reasons(asked(stages, "p", windows=SATURDAYS))
    assert said == ["dev of shop moves before prod, and both would move in W01"]
    pair = {"apart": [{"a": "a", "b": "b", "why": "twins"}], "windows": SATURDAYS}
    two = estate(vm("a"), vm("b"))
    late = next(name for name, wave in homes(made(two, **pair)).items() if wave == "W02")
    assert reasons(asked(two, late, **pair)) == ["a and b must not share a wave (twins)"]
    pinned = asked(two, "b", windows=SATURDAYS, pins=[{"what": "b", "wave": "W03"}])
    assert pinned.held == ("b is pinned to W03 of 2026-10-17 22:00 UTC in the settings",)
    assert pinned.later is None


def test_tasks_windows_pilots_and_services() -> None:
    inventory = estate(vm("a"), vm("b"))
    finding = Finding("slow", Severity.WARNING, "id-a", "a", "is odd", "mend it")
    late = check("slow", Work(30, lead_days=20))
    tasks: dict[str, Any] = {"windows": SATURDAYS, "waves": {"starts": "2026-09-19"}}
    more: dict[str, Any] = {"findings": (finding,), "own_checks": (late,)}
    found = desk(inventory, made(inventory, **more, **tasks), **more, **tasks).why("a")
    assert found.wave > "W01"
    assert reasons(found)[0].startswith("a has tasks that must be done 20 days before its seed")
    freeze = {"start": "2026-10-01T00:00", "end": "2026-10-05T00:00", "only": ["a"], "why": "close"}
    found = asked(inventory, "a", windows=SATURDAYS, freezes=[freeze])
    assert reasons(found)[0] == "W01 of 2026-10-03 22:00 UTC overlaps a freeze for a (close)"
    pilots = asked(inventory, "a", windows=SATURDAYS, waves={"pilots": ["b"]})
    assert "pilots move before everybody else" in reasons(pilots)[0]
    served = estate(vm("a"), vm("dc", tier="directory"))
    assert "is a shared service: those move last" in reasons(asked(served, "dc", windows=SATURDAYS))[0]


def test_a_line_that_carries_no_more_by_then() -> None:
    big = estate(vm("a", disk(size_bytes=10**12)), vm("b", disk(size_bytes=10**12)))
    slow: dict[str, Any] = {"windows": SATURDAYS, "link": {"rate_mbit": 14}, "caps": {"vms": 2}}
    late = max(homes(made(big, **slow)).items(), key=lambda item: item[1])
    assert late[1] != "W01"
    assert any("the line carries" in said for said in reasons(asked(big, late[0], **slow)))


def test_an_earlier_wave_that_would_do_is_told_with_its_cost() -> None:
    inventory = estate(vm("a"), vm("b"), vm("c"), ties=(needs("a", "b", Tie.SOFT, traffic_bytes=10**10),))
    caps: dict[str, Any] = {"caps": {"vms": 2}, "windows": SATURDAYS, "pins": [{"what": "b", "wave": "W03"}]}
    first = made(inventory, **caps)
    move = desk(inventory, first, **caps).move("a", "W04")
    edit = kept(move)
    then = made(inventory, [edit], first, standing=move.standing, **caps)
    found = desk(inventory, then, [edit], **caps).why("a")
    assert found.held == (
        "a is held in W04 of 2026-10-24 22:00 UTC by edit 1 (move a to W04, mia on 2026-10-02)",
    )
    assert found.earlier is not None
    assert found.earlier.wave == "W03"
    assert found.earlier.delta.stretch_gb == pytest.approx(-70.0)
    assert found.earlier.delta.cut_share == pytest.approx(-1.0)


def test_an_application_is_asked_for_by_one_of_its_groups() -> None:
    inventory = estate(*(vm(name, application="shop") for name in "ab"))
    with pytest.raises(BadInput, match="shop is 2 move groups"):
        asked(inventory, "shop", windows=SATURDAYS)
    found = asked(inventory, "a", windows=SATURDAYS)
    assert (found.with_it, found.tried) == (("b",), ())


def test_hostile_names_are_visible_in_every_sentence() -> None:
    bad = "x\x1b[31m"
    inventory = estate(
        vm(bad, id="1"), vm("b"), ties=(replace(needs("b", "b2"), source="1", target="id-b", tie=Tie.ORDER),)
    )
    found = asked(inventory, "1", windows=SATURDAYS)
    assert found.wave == "W02"
    assert not any("\x1b" in said for one in found.tried for said in one.why)
