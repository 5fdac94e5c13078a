"""Two plans side by side: every kind of difference is told, and equal plans have none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from planner.checks.check import Work
from planner.compare import Moved, Regrouped, Rewindowed, compare
from planner.model import Finding, Severity, Tie
from planner.plan import Plan
from planner.units import GIB
from tests.planner.sketch import check, disk, estate, needs, plan, vm

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
        Rewindowed("W01", "2026-10-03T22:00:00+00:00", "2026-10-10T22:00:00+00:00", 6.0, 6.0),
    )
    longer = plan(TWO, windows=[{**WINDOWS[0], "hours": 9}])
    assert [(one.wave, one.before_h, one.after_h) for one in compare(made(), longer).windows] == [
        ("W01", 6.0, 9.0)
    ]
    assert compare(made(), plan(TWO)).windows[0].after == ""


def test_vms_that_come_and_go() -> None:
    more = plan(replace(TWO, vms=(*TWO.vms, vm("c"))), windows=WINDOWS)
    assert compare(made(), more).moved == (Moved("id-c", "c", "", "W01"),)
    assert compare(more, made()).moved == (Moved("id-c", "c", "W01", ""),)
    assert compare(made(), made(exclude=["b"])).moved == (Moved("id-b", "b", "W01", ""),)


def test_a_disk_that_is_left_out_is_a_difference() -> None:
    disks = (disk("2000", bus=0, unit=0), disk("2001", bus=0, unit=1))
    send = {"disk": "a/2001", "send": "never", "why": "swap"}
    (remap,) = compare(plan(estate(vm("a", *disks))), plan(estate(vm("a", *disks)), sends=[send])).remaps
    assert (remap.before, remap.after) == ("vmdk", "vmdk, sent never")


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


def test_groups_that_were_merged_and_not_those_that_lost_a_vm_to_the_settings() -> None:
    tied = plan(replace(TWO, dependencies=(needs("a", "b", Tie.HARD),)), windows=WINDOWS)
    found = compare(made(), tied)
    assert found.groups == (Regrouped("a", 1, 2), Regrouped("b", 1, 0))
    assert compare(tied, made()).groups == (Regrouped("a", 2, 1), Regrouped("b", 0, 1))
    assert compare(made(), made(exclude=["b"])).groups == ()
    assert not found.moved


def test_a_task_of_a_wave_is_one_task_when_fewer_vms_need_it() -> None:
    inventory = estate(*(vm(name) for name in "abc"))
    findings = tuple(
        Finding("tags", Severity.WARNING, f"id-{name}", name, "is odd", "mend it") for name in "abc"
    )
    odd = check("tags", Work(30, shared=True))
    asked: dict[str, Any] = {"windows": WINDOWS, "findings": findings, "own_checks": (odd,)}
    whole = plan(inventory, **asked)
    fewer = plan(inventory, caps={"vms": 2}, **asked)
    first, second = compare(whole, fewer).tasks
    kept, gone = (len(wave.vms) for wave in fewer.waves)
    assert first.before.endswith(", 3 VMs")
    assert first.after.endswith(f", {kept} VM{'s' if kept > 1 else ''}")
    assert first.after.startswith("W01")
    assert (second.before, second.after[:3]) == ("", "W02")
    assert kept + gone == 3
    assert compare(fewer, whole).tasks[0].after == first.before
