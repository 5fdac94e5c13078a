"""Tasks for tests of remedies: one of every fix, findings and checks that make them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from planner.checks.check import Check, Work
from planner.fixes import FIXES, NEED_OFF
from planner.model import Finding, Severity
from planner.plan import PlannedTask, Wave
from planner.remedies import task_id

CHECKS = tuple(
    Check(f"own.{fix}", f"{fix} is due", {}, "it is", f"do {fix}", work=Work(10, fix=fix)) for fix in FIXES
)
BY_HAND = Check("own.by-hand", "somebody has to look", {}, "it is", "look", work=Work(45))


def findings(fixes: Mapping[str, Iterable[str]], names: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return a finding for each fix of each VM; ``names`` is VM id → name."""
    return tuple(
        Finding(f"own.{fix}", Severity.WARNING, vm, names[vm], f"{names[vm]} needs {fix}", f"do {fix}")
        for vm, wanted in fixes.items()
        for fix in wanted
    )


def with_tasks(wave: Wave, fixes: Mapping[str, Iterable[str]]) -> Wave:
    """Return the wave with a task for each fix of each VM."""
    tasks = tuple(
        PlannedTask(
            id=task_id(f"own.{fix}", vm),
            check=f"own.{fix}",
            vm=vm,
            title=f"{fix} is due",
            found=(f"{vm} needs {fix}",),
            remedy=f"do {fix}",
            effort_min=10,
            outage=fix in NEED_OFF,
            fix=fix if fix in FIXES else "",
        )
        for vm, wanted in fixes.items()
        for fix in wanted
    )
    return wave.model_copy(update={"tasks": tasks})
