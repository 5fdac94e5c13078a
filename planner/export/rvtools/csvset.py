"""An inventory as the folder of csv files that RVTools writes: one file a sheet, separated by semicolons.

Line breaks inside a cell become blanks, as RVTools has it since 3.10. These files are read by programs
that expect the values as they are, so nothing is put before a text that begins with a sign.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from planner.export.rvtools.facts import Cell, Source
from planner.export.rvtools.versions import Version, tables_of
from planner.export.rvtools.workbook import time_text
from planner.model import Inventory

Report = Callable[[str, int, int], None]


def _plain(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return " ".join(cell.splitlines()) if "\n" in cell or "\r" in cell else cell
    return time_text(cell) if isinstance(cell, datetime) else cell


def write_csv_set(inventory: Inventory, version: Version, folder: Path, report: Report | None = None) -> None:
    """Write ``RVTools_tabvInfo.csv`` and its sisters into a new folder; UTF-8 with a byte order mark."""
    folder.mkdir()
    total = len(version.headers)
    for done, table in enumerate(tables_of(Source(inventory), version), 1):
        path = folder / f"RVTools_tab{table.name}.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
            writer.writerow(table.headers)
            writer.writerows(map(_plain, row) for row in table.rows)
        if report:
            report(folder.name, done, total)
