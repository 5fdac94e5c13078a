"""The papers of a plan of 10,000 VMs: processor time, size and peak of each format, in a child of its own.

The peers write the same cells, made beforehand: plain xlsxwriter, as it is, and Python's csv module.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import time
from collections.abc import Callable
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from planner.checks.registry import run_checks
from planner.export import handover
from planner.export.formats import FORMATS
from planner.export.printout import Printout, Table
from planner.export.sheets import tables
from planner.planning import make_plan
from planner.settings import Caps, Settings
from planner.synth.estate import make_estate
from planner.synth.recipe import Recipe
from planner.waves.arrange import Draw

_CSV = {
    "csv": handover.assignment,
    "csv-groups": handover.groups,
    "csv-waves": handover.waves,
    "csv-deps": handover.deps,
    "csv-exceptions": handover.exceptions,
}


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * resource.getpagesize()


def _apart(act: Callable[[], bytes]) -> dict[str, float]:
    """Return processor seconds, bytes written and MiB above what stood there before, of a forked child."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(read)
            before = _resident_bytes()
            begun = time.process_time()
            made = act()
            spent = time.process_time() - begun
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
            told = {"s": spent, "size": len(made), "mib": max(peak, 0) / 2**20}
            os.write(write, json.dumps(told).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        text = answer.read()
    os.waitpid(pid, 0)
    if not text:
        raise RuntimeError("a paper could not be made")
    found: dict[str, float] = json.loads(text)
    return found


def _plain_workbook(sheets: list[Table]) -> bytes:
    import xlsxwriter

    buffer = BytesIO()
    workbook = xlsxwriter.Workbook(buffer)
    for number, table in enumerate(sheets):
        sheet = workbook.add_worksheet(f"Sheet {number}")
        for at, row in enumerate((table.columns, *table.rows)):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(at, column, cell)
                else:
                    sheet.write_number(at, column, cell)
    workbook.close()
    return buffer.getvalue()


def _plain_csv(table: Table) -> bytes:
    out = StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(table.columns)
    writer.writerows(table.rows)
    return out.getvalue().encode()


def _printout(count: int) -> Printout:
    inventory = make_estate(Recipe(vms=count, seed=1)).inventory
    settings = Settings(caps=Caps(vms=100, tib=16.0))
    readiness = run_checks(inventory, settings)
    plan = make_plan(
        project="bench",
        inventory=inventory,
        inventory_fingerprint="0" * 64,
        settings=settings,
        created_at="2026-01-01T00:00:00Z",
        findings=readiness.findings,
        draw=Draw(effort="quick"),
    )
    return Printout(plan, inventory, readiness.findings, unknown=readiness.unknown, settings=settings)


def run(quick: bool) -> dict[str, Any]:
    """Return processor seconds, MB and MiB of peak for each format; workbook and csv beside their peers."""
    count = 1_000 if quick else 10_000
    printout = _printout(count)
    rows: list[dict[str, Any]] = []
    for name, chosen in FORMATS.items():
        ours = _apart(lambda chosen=chosen: chosen.render(printout))  # type: ignore[misc]
        took = f"{ours['size'] / 1e6:.1f} MB, {ours['mib']:.0f} MiB more at its peak"
        row: dict[str, Any] = {
            "what": f"{name}, {count:,} VMs: {took}",
            "value": round(ours["s"], 2),
            "unit": "s",
        }
        if name in _CSV:
            table = _CSV[name](printout)
            peer = _apart(lambda table=table: _plain_csv(table))  # type: ignore[misc]
            row["time_ratio_to csv module"] = round(ours["s"] / max(peer["s"], 1e-6), 1)
        rows.append(row)
    sheets = list(tables(printout))
    peer = _apart(lambda: _plain_workbook(sheets))
    book = next(row for row in rows if row["what"].startswith("xlsx"))
    book["time_ratio_to plain xlsxwriter"] = round(book["value"] / peer["s"], 2)
    cells = sum(len(table.rows) * len(table.columns) for table in sheets)
    rows.append(
        {
            "what": f"plain xlsxwriter, the same {cells:,} cells: {peer['size'] / 1e6:.1f} MB, "
            f"{peer['mib']:.0f} MiB more at its peak",
            "value": round(peer["s"], 2),
            "unit": "s",
        }
    )
    return {"name": "papers", "unit": "s", "rows": rows, "host": facts()}
