"""An RVTools workbook read, joined and stored, beside what its cells alone cost.

``python -m benchmarks.rvtools WHO WORKBOOK DIRECTORY`` is what one contender does, in a process of its own.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from benchmarks.workbook import write_workbook

_VMS, _QUICK_VMS = 20_000, 1_000
_SLOW_SHARE = 10  # openpyxl reads a workbook of a tenth of the VMs


def _wherry(workbook: Path, directory: Path) -> None:
    from planner.sources.rvtools import staged_rvtools
    from planner.store.adoption import adopt
    from planner.store.project import Project

    with Project.create(directory) as project, staged_rvtools(workbook) as staged, project.write() as db:
        adopt(db, staged)


def _calamine(workbook: Path, directory: Path) -> None:
    from python_calamine import CalamineWorkbook

    from planner.sources.rvtools.export import SPELLED

    with CalamineWorkbook.from_path(str(workbook)) as book:
        for name in book.sheet_names:
            if name in SPELLED.values():
                book.get_sheet_by_name(name).to_python()


def _openpyxl(workbook: Path, directory: Path) -> None:
    from openpyxl import load_workbook  # type: ignore[import-untyped]

    from planner.sources.rvtools.export import SPELLED

    book = load_workbook(workbook, read_only=True, data_only=True)
    for name in book.sheetnames:
        if name in SPELLED.values():
            for _ in book[name].iter_rows(values_only=True):
                pass


_CONTENDERS = {"wherry": _wherry, "calamine": _calamine, "openpyxl": _openpyxl}


def _spent(who: str, workbook: Path, directory: Path) -> tuple[float, float, float]:
    """Return seconds, seconds of processor time and MiB at the peak of one process with its children."""
    begun = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.rvtools", who, str(workbook), str(directory)],
        cwd=Path(__file__).resolve().parents[1],
    )
    _, status, used = os.wait4(process.pid, 0)
    passed = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{who} ended with {process.returncode}")
    return passed, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def _row(what: str, value: float, unit: str, peers: dict[str, float]) -> dict[str, Any]:
    ratios = {f"time_ratio_to {name}": round(value / peer, 2) for name, peer in peers.items() if peer}
    return {"what": what, "value": round(value, 2), "unit": unit, **ratios}


def run(quick: bool) -> dict[str, Any]:
    """Return seconds from file to store, medians of three runs of each in turn; one when ``quick``."""
    vms, runs = (_QUICK_VMS, 1) if quick else (_VMS, 3)
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="wherry-bench-") as place:
        book, small = Path(place) / "estate.xlsx", Path(place) / "small.xlsx"
        size = write_workbook(book, vms)
        write_workbook(small, vms // _SLOW_SHARE)
        spent: dict[str, list[tuple[float, float, float]]] = {"wherry": [], "calamine": []}
        for number in range(runs):
            for who, found in spent.items():
                found.append(_spent(who, book, Path(place) / f"{who}-{number}"))
        slow = _spent("openpyxl", small, Path(place))

        def median(who: str, at: int) -> float:
            return statistics.median(one[at] for one in spent[who])

        shown = f"{vms:,} VMs, {3 * vms:,} disks, {size['rows']:,} rows, {size['cells'] / 1e6:.1f} M cells"
        wall, cpu = "calamine", "calamine, processor time"
        rows += [
            _row(f"wherry: read, joined, stored ({shown})", median("wherry", 0), "s",
                 {wall: median("calamine", 0)}),
            _row("wherry, processor time", median("wherry", 1), "s", {cpu: median("calamine", 1)}),
            _row("calamine alone, the same sheets", median("calamine", 0), "s", {}),
            _row("calamine alone, processor time", median("calamine", 1), "s", {}),
            _row(f"openpyxl read-only, a workbook of {vms // _SLOW_SHARE:,} VMs, times {_SLOW_SHARE}",
                 slow[1] * _SLOW_SHARE, "s of processor time", {cpu: median("calamine", 1)}),
            _row("wherry, memory at its peak", median("wherry", 2), "MiB", {}),
        ]  # fmt: skip
    return {"name": "rvtools", "unit": "s", "rows": rows, "host": facts()}


if __name__ == "__main__":
    _CONTENDERS[sys.argv[1]](Path(sys.argv[2]), Path(sys.argv[3]))
