"""Findings become tasks: one a check and VM, with an owner and a date, outside what is approved."""

from __future__ import annotations

import pytest

from planner.checks.check import About, Work
from planner.checks.registry import all_checks, run_checks
from planner.fixes import FIXES
from planner.model import Estimate, Finding, Severity
from planner.plan import Plan, PlannedTask
from planner.remedies import due, task_id
from planner.samples import sample_path
from planner.settings import Window
from planner.sources.document import read_document
from planner.store import ticks
from planner.store.project import Project
from tests.planner.sketch import check, estate, plan, vm

WINDOW = [{"start": "2027-01-09T22:00:00"}]
PLAIN = Work(20)


def finding(name: str = "own.cbt", who: str = "a", said: str = "odd", **more: str) -> Finding:
    return Finding(name, Severity.WARNING, f"id-{who}", who, said, "mend it", **more)


def planned(
    *found: Finding, work: Work | None = PLAIN, vms: tuple[object, ...] = (), **settings: object
) -> Plan:
    checks = tuple(check(name, work) for name in dict.fromkeys(item.check for item in found))
    return plan(estate(*(vms or (vm("a"), vm("b")))), found, checks, **settings)  # type: ignore[arg-type]


def tasks(*found: Finding, **more: object) -> tuple[PlannedTask, ...]:
    return tuple(task for wave in planned(*found, **more).waves for task in wave.tasks)  # type: ignore[arg-type]


def test_all_disks_of_a_vm_are_one_task_and_another_vm_is_another() -> None:
    found = tasks(
        finding(said="disk 1"),
        finding(said="disk 2"),
        finding(said="disk 1"),
        finding(who="b", said="disk 9"),
    )
    assert [(task.vm, task.found, task.effort_min) for task in found] == [
        ("id-a", ("disk 1", "disk 2"), 20),
        ("id-b", ("disk 9",), 20),
    ]
    assert len({task.id for task in found}) == 2
    assert found[0].id == task_id("own.cbt", "id-a")


def test_what_is_waived_has_no_work_or_is_no_vm_makes_no_task() -> None:
    assert tasks(finding(waiver="accepted by ann until May")) == ()
    assert tasks(finding(), work=None) == ()
    assert tasks(finding(subject_kind="host")) == ()
    assert len(tasks(finding(), finding(waiver="this one only"))) == 1
    unknown = plan(estate(vm("a")), (finding("no.such"),))
    assert unknown.waves[0].tasks == ()


@pytest.mark.parametrize(
    ("owner", "application", "settings", "expected"),
    [
        ("ann", "shop", {"owners": {"shop": "bob"}}, "ann"),
        ("", "shop", {"owners": {"shop": "bob"}, "remedies": {"owner": "eve"}}, "bob"),
        ("", "other", {"owners": {"shop": "bob"}, "remedies": {"owner": "eve"}}, "eve"),
        ("", "", {}, ""),
    ],
)
def test_the_owner_is_the_vms_then_its_applications_then_the_default(
    owner: str, application: str, settings: dict[str, object], expected: str
) -> None:
    members = (vm("a", owner=owner, application=application),)
    (task,) = tasks(finding(), vms=members, **settings)
    assert task.owner == expected


def test_a_task_is_due_its_lead_before_the_slow_seed_begins() -> None:
    found = planned(finding(), work=Work(20, lead_days=3), windows=WINDOW)
    (wave,) = found.waves
    assert wave.window is not None
    (task,) = wave.tasks
    seed_s = wave.estimate.seed_h.p95 * 3600
    begins = wave.window.start_utc.timestamp() - seed_s - 3 * 86400
    from datetime import datetime

    assert datetime.fromisoformat(task.due).timestamp() == pytest.approx(begins, abs=60)
    assert tasks(finding())[0].due == ""


def test_a_seed_of_centuries_still_has_a_date() -> None:
    window = Window.model_validate(WINDOW[0])
    assert due(window, Estimate(1e7, 1e9), lead_days=1) == "0001-01-01T00:00Z"


def test_the_first_due_comes_first() -> None:
    found = (finding("own.late", "a"), finding("own.soon", "b"))
    checks = (check("own.late", Work(1, lead_days=1)), check("own.soon", Work(1, lead_days=9)))
    made = plan(estate(vm("a"), vm("b")), found, checks, windows=WINDOW)
    assert [task.check for wave in made.waves for task in wave.tasks] == ["own.soon", "own.late"]


def test_a_fix_that_needs_the_vm_off_is_an_outage_whatever_the_check_says() -> None:
    for fix in FIXES:
        (task,) = tasks(finding(), work=Work(5, fix=fix))
        assert task.fix == fix
        assert task.outage is (fix in ("upgrade-hardware", "disk-mode"))
    (by_hand,) = tasks(finding(), work=Work(5, outage=True, fix="no-such-fix"))
    assert (by_hand.fix, by_hand.outage) == ("", True)


def test_totals_of_a_wave_count_one_outage_a_vm() -> None:
    found = (finding("own.one"), finding("own.two"), finding("own.two", "b"))
    (wave,) = planned(*found, work=Work(40, outage=True)).waves
    assert (wave.effort_min, wave.outages) == (120, 2)


def test_clearing_a_task_leaves_the_approval_valid_and_makes_another_plan() -> None:
    before, after = planned(finding(), vms=(vm("a"),)), planned(vms=(vm("a"),))
    assert before.waves[0].tasks
    assert before.waves[0].fingerprint == after.waves[0].fingerprint
    assert before.fingerprint != after.fingerprint


def test_a_plan_from_before_there_were_tasks_keeps_its_fingerprint() -> None:
    bare = planned()
    body = bare.model_dump(mode="json", by_alias=True)
    for wave in body["waves"]:
        del wave["tasks"]
    older = Plan.model_validate(body)
    assert older == bare
    assert older.fingerprint == bare.fingerprint


def test_hostile_names_are_carried_as_they_are() -> None:
    (task,) = tasks(finding(said="a\x1b[31m\ud800"), vms=(vm("a", owner="\u202e=1"),))
    assert task.found == ("a\x1b[31m?",)
    assert task.owner == "\u202e=1"


def test_the_newest_tick_of_a_task_counts(tmp_path: object) -> None:
    (task,) = tasks(finding())
    other = replace_id(task)
    with Project.create(tmp_path / "move") as project:  # type: ignore[operator]
        ticks.tick(project, "W01", task, "ann", "first")
        ticks.tick(project, "W01", other, "bob", "another")
        last = ticks.tick(project, "W01", task, "eve", "second \x1b")
        assert ticks.newest(project)[task.id] == last
        assert set(ticks.newest(project)) == {task.id, other.id}


def replace_id(task: PlannedTask) -> PlannedTask:
    return task.model_copy(update={"id": "00000000"})


def test_shared_work_is_one_task_a_wave_with_its_vms_counted() -> None:
    names = "abcde"
    found = tuple(finding(who=name, said=f"{name} has tags") for name in names)
    work = Work(10, shared=True, each_min=0.3)
    made = planned(*found, work=work, vms=tuple(map(vm, names)), remedies={"owner": "eve"})
    (wave,) = made.waves
    (task,) = wave.tasks
    assert (task.vm, task.found, task.effort_min) == ("", ("5 VMs: a, b, c and 2 more",), 12)
    assert (task.owner, task.fix, wave.outages, wave.subject(task)) == ("eve", "", 0, "(whole wave)")
    assert task.id == task_id("own.cbt", *(f"id-{name}" for name in reversed(names)))


def test_a_shared_task_about_other_vms_is_another_one() -> None:
    work = Work(10, shared=True)
    (before,) = tasks(finding(), finding(who="b"), work=work)
    (after,) = tasks(finding(), work=work)
    assert before.id != after.id


def test_what_is_only_worth_knowing_makes_no_task_unless_shared() -> None:
    info = Finding("own.cbt", Severity.INFO, "id-a", "a", "odd", "mend it")
    assert tasks(info) == ()
    assert len(tasks(info, finding())) == 1
    assert len(tasks(info, work=Work(10, shared=True))) == 1


def test_shared_work_takes_no_vm_down_and_is_no_fix() -> None:
    for wrong in ({"outage": True}, {"fix": "consolidate"}):
        with pytest.raises(ValueError, match="shared"):
            Work(10, shared=True, **wrong)  # type: ignore[arg-type]


def test_no_check_of_ours_has_work_that_never_becomes_a_task() -> None:
    idle = [
        check.id
        for check in all_checks()
        if check.about is About.VM and check.work and not check.work.shared
        if set(check.severities.values()) == {Severity.INFO}
    ]
    assert idle == []


def test_the_sample_estate_asks_for_work_that_somebody_would_do() -> None:
    read = read_document(sample_path("estate") / "inventory.json")
    made = plan(read, run_checks(read).findings)
    hours = sum(wave.effort_min for wave in made.waves) / 60
    assert 50 < hours < 250
    assert not any(task.vm for wave in made.waves for task in wave.tasks if task.check == "platform.tags")
