"""What places share whose table comes in pages from the study."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tui.screens.host import Host
from tui.widgets.column import Column
from tui.widgets.paged_table import PAGE, PagedTable


def fetch(host: Host, op: str, event: PagedTable.Wanted) -> None:
    """Have a page put where it is wanted."""
    table, number, pages = event.table, event.number, event.table.pages
    host.ask(op, {"first": number * PAGE, "count": PAGE}, lambda rows: table.put(pages, number, rows))


def with_all(host: Host, table: PagedTable, op: str, busy: str, do: Callable[[], None]) -> None:
    """Do something while the table holds all its rows, which are fetched first."""

    def got(rows: Sequence[Sequence[Any]]) -> None:
        held, table.rows = table.rows, [tuple(row) for row in rows]
        try:
            do()
        finally:
            table.rows = held

    host.ask(op, {"first": 0, "count": len(table.order)}, got, busy=busy)


def values_held(columns: Sequence[Column], table: PagedTable, name: str) -> list[str]:
    """Return values of a field for completion: those that are on the screen or were."""
    field = next((one.field for one in columns if one.asked == name and one.kind == "text"), None)
    seen = dict.fromkeys(str(row[field]) for _, row in table.pages.held()) if field else {}
    return [value for value in seen if value]
