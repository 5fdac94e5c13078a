"""Tables as a workbook: one sheet a table, formatted, frozen header, filters.

No cell is ever a formula or a link: all text is written as strings, whatever it starts with. The
same plan gives the same bytes on every machine with the same writer library.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from planner.export.printout import Cell, Printout, Table, tables

_CELL_LIMIT = 32_767  # characters Excel keeps in a cell
_WIDTHS = (8, 66)  # a fingerprint of 64 digits stands on one line
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


def _created(printout: Printout) -> datetime:
    try:
        return datetime.fromisoformat(printout.plan.created_at).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return datetime(2000, 1, 1)  # noqa: DTZ001 - a workbook's times carry no zone


def _text(cell: Cell) -> str:
    text = str(cell)
    return text if len(text) <= _CELL_LIMIT else text[: _CELL_LIMIT - 1] + "…"


def _widths(table: Table) -> list[int]:
    low, high = _WIDTHS
    longest = [len(column) + 3 for column in table.columns]  # the filter's button covers three
    for row in table.rows:
        for at, cell in enumerate(row):
            longest[at] = max(longest[at], len(_text(cell)) + 1)
    return [min(max(width, low), high) for width in longest]


def _write(workbook: Any, table: Table, formats: dict[str, Any]) -> None:
    sheet = workbook.add_worksheet(table.title)
    for at, width in enumerate(_widths(table)):
        sheet.set_column(at, at, width)
    for at, column in enumerate(table.columns):
        sheet.write_string(0, at, column, formats["head"])
    for number, row in enumerate(table.rows, 1):
        for at, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(number, at, _text(cell), formats["text"])
            elif isinstance(cell, int):
                sheet.write_number(number, at, cell, formats["count"])
            else:
                sheet.write_number(number, at, cell, formats["decimal"])
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(len(table.rows), 1), len(table.columns) - 1)
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    if table.title == "Findings" and table.rows:
        for severity in ("blocker", "warning"):
            rule = {"type": "cell", "criteria": "==", "value": f'"{severity}"', "format": formats[severity]}
            sheet.conditional_format(1, 0, len(table.rows), 0, rule)


def render(printout: Printout) -> bytes:
    """Return the plan's workbook."""
    return workbook_of("Migration plan", _created(printout), tables(printout))


def workbook_of(title: str, created: datetime, sheets: Iterable[Table]) -> bytes:
    """Return the bytes of a workbook with one sheet for each table; ``created`` carries no zone."""
    import xlsxwriter

    buffer = BytesIO()
    workbook = xlsxwriter.Workbook(buffer, _OPTIONS)
    workbook.set_properties({"title": title, "created": created})
    wrapped = {"text_wrap": True, "valign": "top"}
    formats = {
        "head": workbook.add_format(
            {"bold": True, "bg_color": "#1F3A5F", "font_color": "#FFFFFF", "text_wrap": True, "border": 1}
        ),
        "text": workbook.add_format(wrapped),
        "count": workbook.add_format({"num_format": "#,##0", "valign": "top"}),
        "decimal": workbook.add_format({"num_format": "#,##0.00", "valign": "top"}),
        "blocker": workbook.add_format({"bg_color": "#F4C7C3"}),
        "warning": workbook.add_format({"bg_color": "#FCE8B2"}),
    }
    for table in sheets:
        _write(workbook, table, formats)
    workbook.close()
    return buffer.getvalue()
