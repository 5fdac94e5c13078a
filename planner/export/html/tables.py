"""Tables of the printout as HTML: numbers to the right, severities in colour, each column once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from planner.export.html.markup import Html, Part, joined, tag
from planner.export.printout import Cell, Table

# Short words and times of a clock, which are broken at blanks only.
_WHOLE = re.compile(r"[a-z]{1,12}|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?")
_COLOURS = {"blocker": "bad", "warning": "warn", "approved": "good", "not approved": "warn"}


def number(value: float) -> str:
    """Return a number with its thousands parted: whole, with one decimal, or two where it is small."""
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.2f}" if 0 < abs(value) < 10 else f"{value:,.1f}"


def _cell(value: Cell) -> Html:
    if isinstance(value, str):
        whole = "whole" if _WHOLE.fullmatch(value) else None
        return tag("td", value, class_=_COLOURS.get(value, whole))
    return tag("td", number(value), class_="number")


def rows_of(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Html:
    """Return a table of these rows."""
    body = list(rows)
    numeric = [
        sum(not isinstance(row[at], str) for row in body) * 2 > len(body) for at in range(len(columns))
    ]
    head = [
        tag("th", column, class_="number" if right else None, scope="col")
        for column, right in zip(columns, numeric, strict=True)
    ]
    lines = [tag("tr", *map(_cell, row)) for row in body]
    table = tag("table", tag("thead", tag("tr", *head)), tag("tbody", *lines))
    return tag("div", table, class_="scroll")


def table_of(table: Table, *columns: str, where: Callable[[dict[str, Cell]], bool] | None = None) -> Html:
    """Return the named columns of a table, or all; ``where`` chooses rows by column."""
    wanted = [table.columns.index(column) for column in columns or table.columns]
    rows = [
        [row[at] for at in wanted]
        for row in table.rows
        if where is None or where(dict(zip(table.columns, row, strict=True)))
    ]
    return rows_of([table.columns[at] for at in wanted], rows)


def facts(pairs: Iterable[tuple[str, Part]]) -> Html:
    """Return a list of names and values; empty values are left out."""
    kept = [joined((tag("dt", name), tag("dd", value))) for name, value in pairs if value not in ("", None)]
    return tag("dl", *kept, class_="facts")
