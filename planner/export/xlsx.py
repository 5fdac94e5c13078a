"""Tables as a workbook: one sheet a table, formatted, frozen header, filters, ready to print.

No cell is ever a formula or a link: all text is written as strings, whatever it starts with. The
same plan gives the same bytes on every machine with the same writer library. Sheets of a large plan are
made one after the other and go to temporary files row by row, so that memory does not grow with them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from math import ceil
from tempfile import TemporaryDirectory
from typing import Any

from planner.errors import NoSpace
from planner.export.plain_text import write_text
from planner.export.printout import Cell, Printout, Table
from planner.names import visible

_TITLE_LIMIT = 31  # and of a sheet's name
_WIDTHS = (8, 66)  # a fingerprint of 64 digits stands on one line
_MANY, _NARROWER = 8, 44  # more columns than that are kept narrower, to be read on paper
_LINE, _HIGHEST = 15.0, 409.0  # points of a line, and the most that a row may have
_PAIR = 2  # columns of a list of things and their values
_SEEN_ROWS = 2000  # rows that widths are measured by
_LARGE = 5000  # VMs from which rows go to temporary files
_MOST_ROWS = 1_048_575  # below the header, where Excel ends
_OPTIONS = {
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_RED, _AMBER, _GREEN, _BLUE, _GREY, _VIOLET = "#F4C7C3", "#FCE8B2", "#CDE8D0", "#CFE2F3", "#E7E9ED", "#E3D5F0"
# (start of the sheet's title, first and last column, None = the last there is) → text → colour of its cell
_COLOURS: tuple[tuple[str, int, int | None, dict[str, str]], ...] = (
    ("Findings", 0, 0, {"blocker": _RED, "warning": _AMBER}),
    ("Risks", 7, 7, {"high": _RED, "medium": _AMBER, "low": _GREEN}),
    ("Calendar", 3, None, {"CUTOVER": _RED, "seed": _BLUE, "watch": _AMBER, "prepare": _GREY, "keep": _GREEN,
                           "freeze": _VIOLET, "holiday": _VIOLET}),
    ("LUN request", 1, 1, {"to be made": _RED, "wanted": _AMBER, "listed": _GREEN}),
    ("Approvals", 2, 2, {"approved": _GREEN, "not approved": _AMBER}),
    ("Roles", 1, None, {"D": _BLUE, "A": _RED, "C": _GREEN, "I": _GREY}),
)  # fmt: skip
# Sheets whose columns are narrow: widths by column, the last one holds for all that follow.
_NARROW = {"Calendar": (10, 30, 24, 9), "Roles": (26, 12), "Runbook": (11, 5, 24, 48, 26, 24, 24, 8, 10)}
_FROZEN = {"Calendar": 3, "Roles": 1}


def created(printout: Printout) -> datetime:
    """Return when the plan was made, in UTC; a workbook's times carry no zone."""
    try:
        return datetime.fromisoformat(printout.plan.created_at).astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return datetime(2000, 1, 1)  # noqa: DTZ001 - a workbook's times carry no zone


def _widths(table: Table) -> list[int]:
    for start, said in _NARROW.items():
        if table.title.startswith(start) and table.title != "Runbooks":
            return [said[min(at, len(said) - 1)] for at in range(len(table.columns))]
    low, high = _WIDTHS
    if len(table.columns) > _MANY:
        high = _NARROWER
    longest = [len(column) + 3 for column in table.columns]  # the filter's button covers three
    for row in table.rows[:_SEEN_ROWS]:
        for at, cell in enumerate(row):
            longest[at] = max(longest[at], len(str(cell)) + 1)
    return [min(max(width, low), high) for width in longest]


def _height(row: Sequence[Cell], widths: Sequence[int]) -> float:
    """Return the points a row needs: not every reader finds out itself what wrapped text takes.

    A line holds less than its width says, because words are not broken.
    """
    lines = 1
    for cell, width in zip(row, widths, strict=True):
        if isinstance(cell, str) and len(cell) * 1.12 > lines * max(width, 1):
            lines = ceil(len(cell) * 1.12 / max(width, 1))
    return min(_LINE * lines, _HIGHEST)


def _sheet_name(title: str, taken: set[str]) -> str:
    """Return a name that every reader takes: 31 characters, none of ``[]:*?/\\``, no two alike in any case.

    ``taken`` are the names before it; it is added to them.
    """
    plain = re.sub(r"[\[\]:*?/\\]", "-", title).strip("'")[:_TITLE_LIMIT] or "Sheet"
    name, number = plain, 1
    while name.casefold() in taken:
        number += 1
        name = f"{plain[: _TITLE_LIMIT - len(str(number)) - 1]}~{number}"
    taken.add(name.casefold())
    return name


def _fitting(table: Table) -> Table:
    """Return a table as a sheet can hold it; what is left out is counted in its last row."""
    if len(table.rows) <= _MOST_ROWS:
        return table
    rest = len(table.rows) - _MOST_ROWS + 1
    last = (f"{rest:,} more rows do not fit into a sheet", *[""] * (len(table.columns) - 1))
    return Table(table.title, table.columns, (*table.rows[: _MOST_ROWS - 1], last))


def _print_set_up(sheet: Any, table: Table, heading: str) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)  # A4
    sheet.fit_to_pages(1, 0)
    sheet.hide_gridlines(0)  # printed too: much of it is filled in by hand
    sheet.repeat_rows(0)
    sheet.set_margins(left=0.4, right=0.4, top=0.7, bottom=0.6)
    # An ampersand begins a code there: doubled it stands for itself.
    sheet.set_header(f"&L{heading.replace('&', '&&')[:100]}&R{table.title.replace('&', '&&')}")
    sheet.set_footer("&LPage &P of &N&R&A")


def _write(workbook: Any, table: Table, name: str, heading: str, formats: dict[str, Any]) -> None:
    sheet = workbook.add_worksheet(name)
    widths = _widths(table)
    for at, width in enumerate(widths):
        sheet.set_column(at, at, width)
    # The filter's button takes three characters of a head.
    sheet.set_row(0, _height(table.columns, [width - 3 for width in widths]))
    for at, column in enumerate(table.columns):
        sheet.write_string(0, at, column, formats["head"])
    # In a list of things and their values numbers stand under the text.
    side = "left" if len(table.columns) == _PAIR else ""
    for number, row in enumerate(table.rows, 1):
        if (height := _height(row, widths)) > _LINE:
            sheet.set_row(number, height)
        for at, cell in enumerate(row):
            if isinstance(cell, str):
                write_text(sheet, number, at, cell, formats["text"])
            elif isinstance(cell, int):
                sheet.write_number(number, at, cell, formats[f"count{side}"])
            else:
                sheet.write_number(number, at, cell, formats[f"decimal{side}"])
    sheet.freeze_panes(1, next((at for start, at in _FROZEN.items() if table.title == start), 1))
    sheet.autofilter(0, 0, max(len(table.rows), 1), len(table.columns) - 1)
    _print_set_up(sheet, table, heading)
    for start, first, last, colours in _COLOURS:
        if table.title == start and table.rows:
            end = len(table.columns) - 1 if last is None else last
            for text, colour in colours.items():
                rule = {"type": "cell", "criteria": "==", "value": f'"{text}"', "format": formats[colour]}
                if end >= first:
                    sheet.conditional_format(1, first, len(table.rows), end, rule)


def render(printout: Printout) -> bytes:
    """Return the plan's workbook."""
    from planner.export.sheets import tables

    plan = printout.plan
    heading = f"{visible(plan.project)}: migration plan {plan.fingerprint[:16]}"
    large = sum(len(wave.vms) for wave in plan.waves) >= _LARGE
    return workbook_of("Migration plan", created(printout), tables(printout), heading, large=large)


def workbook_of(
    title: str, created: datetime, sheets: Iterable[Table], heading: str = "", *, large: bool = False
) -> bytes:
    """Return the bytes of a workbook with one sheet for each table; ``created`` carries no zone.

    ``heading`` is printed on every page, by default the title. Tables are taken one by one; rows of a
    ``large`` workbook go to temporary files. Raises NoSpace when there is no room for those.
    """
    if not large:
        return _made(title, created, sheets, heading, {**_OPTIONS, "in_memory": True})
    from xlsxwriter.exceptions import FileCreateError

    try:
        with TemporaryDirectory(prefix="wherry-xlsx-") as folder:
            options = {**_OPTIONS, "constant_memory": True, "tmpdir": folder}
            return _made(title, created, sheets, heading, options)
    except (OSError, FileCreateError) as error:
        raise NoSpace(
            "the workbook cannot be made: the folder of temporary files takes no more",
            "free some space there, or name another one in TMPDIR",
        ) from error


def _made(
    title: str, created: datetime, sheets: Iterable[Table], heading: str, options: Mapping[str, Any]
) -> bytes:
    import xlsxwriter

    buffer = BytesIO()
    workbook = xlsxwriter.Workbook(buffer, options)
    workbook.set_properties({"title": title, "created": created})
    wrapped = {"text_wrap": True, "valign": "top"}
    formats = {
        "head": workbook.add_format(
            {"bold": True, "bg_color": "#1F3A5F", "font_color": "#FFFFFF", "text_wrap": True, "border": 1,
             "valign": "top"}
        ),
        "text": workbook.add_format(wrapped),
        "count": workbook.add_format({"num_format": "#,##0", "valign": "top"}),
        "decimal": workbook.add_format({"num_format": "#,##0.00", "valign": "top"}),
        "countleft": workbook.add_format({"num_format": "#,##0", "valign": "top", "align": "left"}),
        "decimalleft": workbook.add_format({"num_format": "#,##0.00", "valign": "top", "align": "left"}),
        **{
            colour: workbook.add_format({"bg_color": colour})
            for colour in (_RED, _AMBER, _GREEN, _BLUE, _GREY, _VIOLET)
        },
    }  # fmt: skip
    taken: set[str] = set()
    for table in sheets:
        _write(workbook, _fitting(table), _sheet_name(table.title, taken), heading or title, formats)
    workbook.close()
    return buffer.getvalue()
