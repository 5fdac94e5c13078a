"""Two plans side by side: every kind of difference is told, and equal plans have none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from planner.checks.check import Work
from planner.compare import Moved, Rewindowed, compare
from planner.model import Finding, Severity
from planner.plan import Plan
from planner.units import GIB
from tests.planner.sketch import check, estate, plan, vm

TWO = estate(vm("a"), vm("b"))
WINDOWS = [{"start": f"2026-10-{day:02d}T22:00:00"} for day in (3, 10)]


def made(**more: Any) -> Plan:
    return plan(TWO, windows=WINDOWS, **more)


def test_a_plan_is_like_itself() -> None:
    found = compare(made(), made())
    assert found.same
    assert not any(value for value in found.as_dict().values())


def test_waves_vms_windows_and_score() -> None:
    found = compare(made(), made(caps={"vms": 1}))
    assert found.waves_added == ("W02",)
    (moved,) = found.moved
    assert (moved.before, moved.after) == ("W01", "W02")
    assert found.score["waves"] == (1, 2)
    assert compare(made(caps={"vms": 1}), made()).waves_gone == ("W02",)
    later = plan(TWO, windows=WINDOWS[1:])
    assert compare(made(), later).windows == (
        Rewindowed("W01", "2026-10-03T22:00:00+00:00", "2026-10-10T22:00:00+00:00"),
    )
    longer = plan(TWO, windows=[{**WINDOWS[0], "hours": 9}])
    assert [one.wave for one in compare(made(), longer).windows] == ["W01"]
    assert compare(made(), plan(TWO)).windows[0].after == ""


def test_vms_that_come_and_go() -> None:
    more = plan(replace(TWO, vms=(*TWO.vms, vm("c"))), windows=WINDOWS)
    assert compare(made(), more).moved == (Moved("id-c", "c", "", "W01"),)
    assert compare(more, made()).moved == (Moved("id-c", "c", "W01", ""),)
    assert compare(made(), made(exclude=["b"])).moved == (Moved("id-b", "b", "W01", ""),)


def test_remaps_tasks_and_notes() -> None:
    raw = made(
        remaps=[{"disk": "a/2000", "to": "rdm-virtual"}], luns=[{"name": "naa.t", "size_bytes": 10 * GIB}]
    )
    (remap,) = compare(made(), raw).remaps
    assert (remap.vm, remap.before, remap.after) == ("id-a", "vmdk", "rdm-virtual naa.t")
    finding = Finding("slow", Severity.WARNING, "id-a", "a", "is odd", "mend it")
    odd = check("slow", Work(30, lead_days=2))
    tasked = made(findings=(finding,), own_checks=(odd,))
    (task,) = compare(made(), tasked).tasks
    assert (task.vm, task.before, task.after[:3]) == ("id-a", "", "W01")
    undated = compare(made(), plan(TWO))
    assert any("no windows are set" in note for note in undated.notes_added)
    assert compare(plan(TWO), made()).notes_gone == undated.notes_added
