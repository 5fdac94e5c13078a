"""Every format there is, on a plan that has a bit of everything: tasks of one VM and of a whole wave."""

from __future__ import annotations

from pathlib import Path

import pytest

from planner.checks.check import Work
from planner.export.formats import BUNDLES, FORMATS, export_plan
from planner.model import Finding, Severity
from tests.planner.sketch import check, estate, plan, settings, vm

WINDOW = [{"start": "2027-01-09T22:00:00", "hours": 6.0}]


@pytest.mark.parametrize("format", [name for name in FORMATS if name not in BUNDLES])
def test_a_plan_with_tasks_of_vms_and_of_waves(format: str, tmp_path: Path) -> None:
    checks = (check("own.alone", Work(30)), check("own.shared", Work(10, shared=True)))
    found = tuple(
        Finding(one.id, Severity.WARNING, f"id-{name}", name, f"{name} is odd", one.remedy)
        for one in checks
        for name in ("a", "b")
    )
    made = plan(estate(vm("a"), vm("b")), found, checks, windows=WINDOW)
    assert {task.vm for wave in made.waves for task in wave.tasks} == {"", "id-a", "id-b"}
    path = export_plan(
        made,
        inventory=estate(vm("a"), vm("b")),
        findings=found,
        settings=settings(windows=WINDOW),
        format=format,
        target=tmp_path,
    )
    assert path.stat().st_size > 0
