"""From findings to tasks: what is to be done before a wave is seeded, by whom, and until when.

    findings of one check on one VM ──▶ one task, due ``lead_days`` before the seed has to begin
    findings whose work is shared   ──▶ one task for all VMs of the wave

A finding without work, one that is waived and one that is only worth knowing make no task. Tasks are
no part of what is approved: clearing one does not void an approval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from planner.checks.check import Check, Work
from planner.checks.estate import names_of
from planner.fixes import FIXES, NEED_OFF
from planner.model import VM, Estimate, Finding, Severity
from planner.names import content_id
from planner.plan import PlannedTask
from planner.settings import Settings, Window
from planner.units import show_count
from planner.waves.content import writable

_ID_DIGITS = 8


def task_id(check: str, *vms: str) -> str:
    """Return the id of a task: it names check and VMs, so that it is the same in every plan."""
    return content_id("task", check, *sorted(vms))[:_ID_DIGITS]


def due(window: Window | None, seed_h: Estimate, lead_days: int) -> str:
    """Return until when a task is to be done: ISO 8601 in UTC, empty when the wave has no window.

    The seed begins its P95 before the window; the task is due ``lead_days`` before that.
    """
    if window is None:
        return ""
    try:
        at: datetime = window.start_utc - timedelta(hours=seed_h.p95, days=lead_days)
    except OverflowError:  # a seed of centuries: whatever the date, it is over
        return "0001-01-01T00:00Z"
    return at.replace(tzinfo=None).isoformat(timespec="minutes") + "Z"


def _owner(vm: VM, settings: Settings) -> str:
    return vm.owner or settings.owners.get(vm.application, "") or settings.remedies.owner


def _task(
    vm: VM, check: Check, work: Work, found: Iterable[Finding], settings: Settings, until: str
) -> PlannedTask:
    fix = work.fix if work.fix in FIXES else ""
    return PlannedTask(
        id=task_id(check.id, vm.id),
        check=check.id,
        vm=vm.id,
        title=writable(check.title),
        found=tuple(dict.fromkeys(writable(item.message) for item in found)),
        remedy=writable(check.remedy),
        owner=writable(_owner(vm, settings)),
        effort_min=work.minutes(),
        outage=work.outage or fix in NEED_OFF,
        due=until,
        fix=fix,
    )


def _shared_task(vms: Sequence[VM], check: Check, work: Work, settings: Settings, until: str) -> PlannedTask:
    """Return the task of all VMs of a wave; other VMs make it another task, which no old tick covers."""
    return PlannedTask(
        id=task_id(check.id, *(vm.id for vm in vms)),
        check=check.id,
        vm="",
        title=writable(check.title),
        found=(f"{show_count(len(vms), 'VM')}: {writable(names_of(vms))}",),
        remedy=writable(check.remedy),
        owner=writable(settings.remedies.owner),
        effort_min=work.minutes(len(vms)),
        due=until,
    )


def planned_tasks(
    members: Sequence[VM],
    findings: Mapping[str, Sequence[Finding]],
    checks: Mapping[str, Check],
    settings: Settings,
    window: Window | None,
    seed_h: Estimate,
) -> tuple[PlannedTask, ...]:
    """Return the tasks of a wave, the first due first. ``findings`` is by VM id, ``checks`` by id."""
    tasks: list[tuple[str, str, PlannedTask]] = []
    shared: dict[str, list[VM]] = {}
    for vm in members:
        by_check: dict[str, list[Finding]] = {}
        for item in findings.get(vm.id, ()):
            if item.subject_kind == "vm" and not item.waiver:
                by_check.setdefault(item.check, []).append(item)
        for name, found in by_check.items():
            check = checks.get(name)
            if check is None or check.work is None:
                continue
            if check.work.shared:
                shared.setdefault(name, []).append(vm)
                continue
            if all(item.severity is Severity.INFO for item in found):
                continue
            until = due(window, seed_h, check.work.lead_days)
            tasks.append((until, vm.name, _task(vm, check, check.work, found, settings, until)))
    for name, vms in shared.items():
        check = checks[name]
        assert check.work is not None
        until = due(window, seed_h, check.work.lead_days)
        tasks.append((until, "", _shared_task(vms, check, check.work, settings, until)))
    return tuple(task for *_, task in sorted(tasks, key=lambda item: (*item[:2], item[2].check, item[2].vm)))
