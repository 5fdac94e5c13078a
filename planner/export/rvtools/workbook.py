"""An inventory as an RVTools workbook. No cell is ever a formula or a link, whatever its text begins with.

Rows are written as they come, so that memory does not grow with the estate. The same inventory gives
the same bytes with the same writer library.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from planner.export.plain_text import write_text
from planner.export.rvtools.facts import Source
from planner.export.rvtools.versions import SheetTable, Version, tables_of
from planner.model import Inventory

Report = Callable[[str, int, int], None]
_CELL_LIMIT = 32_767  # characters Excel keeps in a cell
_TIME = "yyyy/mm/dd hh:mm:ss"
_TIME_TEXT = "%Y/%m/%d %H:%M:%S"
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "default_date_format": _TIME,
}


def time_text(cell: datetime) -> str:
    """Return a time as RVTools writes it where a cell is text."""
    return cell.strftime(_TIME_TEXT)


def _write(sheet: Any, table: SheetTable, text_times: bool) -> None:
    string, number = sheet.write_string, sheet.write_number
    for at, header in enumerate(table.headers):
        string(0, at, header[:_CELL_LIMIT])
    for row, cells in enumerate(table.rows, 1):
        for at, cell in enumerate(cells):
            if cell is None:
                continue
            if isinstance(cell, str):
                write_text(sheet, row, at, cell[:_CELL_LIMIT])
            elif isinstance(cell, datetime):
                if text_times:
                    string(row, at, time_text(cell))
                else:
                    sheet.write_datetime(row, at, cell)
            else:
                number(row, at, cell)


def write_workbook(
    inventory: Inventory, version: Version, target: Path, report: Report | None = None
) -> None:
    """Write the .xlsx file of an inventory of one vCenter; ``report`` is told of sheets done."""
    import xlsxwriter

    source = Source(inventory)
    total = len(version.headers)
    workbook = xlsxwriter.Workbook(str(target), _OPTIONS)
    try:
        created = datetime.fromisoformat(inventory.taken_at).astimezone(UTC).replace(tzinfo=None)
    except ValueError:
        created = datetime(2000, 1, 1)  # noqa: DTZ001 - a workbook's times carry no zone
    workbook.set_properties({"title": f"RVTools {version.name}", "created": created})
    for done, table in enumerate(tables_of(source, version), 1):
        _write(workbook.add_worksheet(table.name), table, version.text_times)
        if report:
            report(target.name, done, total)
    workbook.close()
