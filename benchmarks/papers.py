"""The papers of a plan of 10,000 VMs: processor time, size and peak of each format, in a child of its own.

At 100,000 VMs only the largest of them, and no groups are searched for: they stand by their order. One
size can be measured alone (``--vms=10000``); what was measured of the other is kept then.

The peers write the same cells, made beforehand: plain xlsxwriter, as it is, and Python's csv module.
"""

from __future__ import annotations

import csv
import json
import os
import resource
import time
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

from benchmarks.host import facts
from planner.checks.registry import run_checks
from planner.export import handover
from planner.export.formats import FORMATS
from planner.export.printout import Printout, Table
from planner.export.sheets import tables
from planner.ground import ground_of
from planner.model import MoveGroup
from planner.planning import make_plan
from planner.settings import Caps, Settings
from planner.synth.estate import make_estate
from planner.synth.recipe import Recipe
from planner.waves.arrange import Draw

_FIGURES = Path(__file__).resolve().parents[1] / "docs" / "benchmarks.json"
_QUICK = 1_000  # VMs
_LARGE = 100_000
_OF_LARGE = ("json", "ansible", "xlsx")
_VMS_IN_ORDER = 250  # in a wave of those

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


def _in_order(groups: Sequence[MoveGroup], most: int) -> dict[str, int]:
    """Return a slot for each VM: groups as they come, ``most`` VMs a slot, shared services behind them."""
    standing: dict[str, int] = {}
    for kind in (False, True):
        slot, filled = max(standing.values(), default=-1) + 1, 0
        for group in groups:
            if group.shared_services is not kind:
                continue
            if filled and filled + len(group.vms) > most:
                slot, filled = slot + 1, 0
            standing.update(dict.fromkeys(group.vms, slot))
            filled += len(group.vms)
    return standing


def _printout(count: int) -> Printout:
    inventory = make_estate(Recipe(vms=count, seed=1)).inventory
    settings = Settings(caps=Caps(vms=100, tib=16.0))
    readiness = run_checks(inventory, settings)
    ground = ground_of(inventory, settings, readiness.findings)
    plan = make_plan(
        project="bench",
        inventory=inventory,
        inventory_fingerprint="0" * 64,
        settings=settings,
        created_at="2026-01-01T00:00:00Z",
        findings=readiness.findings,
        draw=Draw(effort="quick"),
        ground=ground,
        standing=_in_order(ground.groups, _VMS_IN_ORDER) if count >= _LARGE else None,
    )
    return Printout(plan, inventory, readiness.findings, unknown=readiness.unknown, settings=settings)


def _row(name: str, count: int, ours: dict[str, float]) -> dict[str, Any]:
    took = f"{ours['size'] / 1e6:.1f} MB, {ours['mib']:.0f} MiB more at its peak"
    return {"what": f"{name}, {count:,} VMs: {took}", "value": round(ours["s"], 2), "unit": "s"}


def _large(count: int) -> list[dict[str, Any]]:
    """Return the rows of the largest formats."""
    printout = _printout(count)
    return [_row(name, count, _apart(partial(FORMATS[name].render, printout))) for name in _OF_LARGE]


def _small(count: int) -> list[dict[str, Any]]:
    """Return the rows of every format, workbook and csv beside their peers."""
    printout = _printout(count)
    rows: list[dict[str, Any]] = []
    for name, chosen in FORMATS.items():
        ours = _apart(lambda chosen=chosen: chosen.render(printout))  # type: ignore[misc]
        row = _row(name, count, ours)
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
    return [*rows, _row(f"plain xlsxwriter, the same {cells:,} cells", count, peer)]


def kept(count: int, path: Path) -> list[dict[str, Any]]:
    """Return the rows of a size that stand in the figures already, none without them."""
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return [row for row in known.get("papers", {}).get("rows", ()) if f", {count:,} VMs: " in row["what"]]


def run(quick: bool, vms: str = "") -> dict[str, Any]:
    """Return processor seconds, MB and MiB of peak for each format; workbook and csv beside their peers.

    With ``vms``, 10000 or 100000, that size alone is measured. Raises ValueError for another.
    """
    if vms not in ("", *map(str, _SIZES)):
        raise ValueError(f"size {vms} is none of {', '.join(map(str, _SIZES))}")
    if quick:
        rows = _small(_QUICK)
    else:
        rows = []
        for count, measure in _SIZES.items():
            rows += measure(count) if vms in ("", str(count)) else kept(count, _FIGURES)
    return {"name": "papers", "unit": "s", "rows": rows, "host": facts()}


_SIZES: dict[int, Callable[[int], list[dict[str, Any]]]] = {10_000: _small, _LARGE: _large}
