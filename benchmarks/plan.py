"""From a workbook to a plan: the 131-VM RVTools export where it is at hand, and larger made ones.

The workbook is not part of the project; WHERRY_RVTOOLS_DATA names the folder that holds it.
"""

from __future__ import annotations

import os
import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from planner.checks.registry import run_checks
from planner.fingerprint import inventory_fingerprint
from planner.model import VM, Dependency, Inventory, Tie
from planner.planning import make_plan
from planner.samples import sample_path
from planner.settings import Caps, Settings
from planner.sources.document import read_document

_WORKBOOK = "nutanix_BillSampleNextRvtoolsFinal.xlsx"
_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "data" / "rvtools"


def _plan(inventory: Inventory, settings: Settings) -> int:
    plan = make_plan(
        project="bench",
        inventory=inventory,
        inventory_fingerprint=inventory_fingerprint(inventory),
        settings=settings,
        created_at="2026-01-01T00:00:00Z",
        findings=run_checks(inventory).findings,
    )
    return len(plan.waves)


def _median(act: Any, runs: int) -> float:
    spent = []
    for _ in range(runs):
        begun = time.perf_counter()
        act()
        spent.append(time.perf_counter() - begun)
    return statistics.median(spent)


def _many(count: int) -> Inventory:
    """Return copies of the lab's VMs and dependencies, ``count`` VMs in all."""
    base = read_document(sample_path("lab") / "inventory.json")
    vms: list[VM] = []
    ties: list[Dependency] = []
    for copy in range((count + len(base.vms) - 1) // len(base.vms)):
        tag = f"-{copy:05d}"
        vms += [
            replace(
                vm,
                id=vm.id + tag,
                name=vm.name + tag,
                application=(vm.application + tag) if vm.application else "",
                disks=tuple(
                    replace(disk, path=disk.path and disk.path + tag, lun=disk.lun and disk.lun + tag)
                    for disk in vm.disks
                ),
                nics=(),
            )
            for vm in base.vms
        ]
        ties += [
            replace(tie, source=tie.source + tag, target=tie.target + tag)
            for tie in base.dependencies
            if tie.tie is not Tie.ORDER
        ]
    kept = {vm.id for vm in vms[:count]}
    return replace(
        base,
        vms=tuple(vms[:count]),
        dependencies=tuple(tie for tie in ties if tie.source in kept and tie.target in kept),
    )


def run(quick: bool) -> dict[str, Any]:
    """Return seconds from source to plan; one run when ``quick``, else medians of five."""
    runs = 1 if quick else 5
    rows: list[dict[str, Any]] = []
    workbook = Path(os.environ.get("WHERRY_RVTOOLS_DATA", _BESIDE)) / _WORKBOOK
    unit = "s"
    if workbook.is_file():
        from planner.sources.rvtools import read_rvtools

        settings = Settings()
        read_rvtools(workbook)  # imports
        rows.append(
            {
                "what": "131-VM workbook, file to plan",
                "value": round(_median(lambda: _plan(read_rvtools(workbook), settings), runs), 3),
                "unit": unit,
            }
        )
    else:
        rows.append({"what": "131-VM workbook, file to plan", "value": None, "unit": "not run: not at hand"})
    for count in (1_000,) if quick else (1_000, 10_000):
        inventory = _many(count)
        settings = Settings(caps=Caps(vms=100, tib=16.0))
        seconds = round(_median(lambda: _plan(inventory, settings), runs if count < 5000 else 1), 3)  # noqa: B023
        rows.append({"what": f"{count:,} VMs in memory, checks and plan", "value": seconds, "unit": unit})
    return {"name": "plan", "unit": unit, "rows": rows, "host": facts()}
