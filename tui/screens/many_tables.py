"""A place with several tables, of which one at a time has the filter line, marks, order and columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from textual import events

from tui.screens.table_place import TablePlace
from tui.widgets.column import Column
from tui.widgets.table import VirtualTable


class ManyTables(TablePlace):
    """A place with tables by id. Subclasses give ``columns_of`` and say in ``turned`` what else changes.

    What a person filters belongs to the table that has the focus, or had it before the filter line.
    """

    columns_of: Mapping[str, tuple[Column, ...]] = {}

    def __init__(self, first: str) -> None:
        super().__init__()
        self.active = first
        self._states: dict[str, tuple[str, str, Sequence[Any] | None, Sequence[int] | None]] = {}
        self._take(first)

    def _take(self, name: str) -> None:
        self.active = name
        self.columns = self.columns_of[name]
        self._filter, self._problem, self._filtered, self._matches = self._states.get(
            name, ("", "", None, None)
        )
        self.turned(name)

    def turned(self, name: str) -> None:
        """Another table has the filter line."""

    @property
    def table(self) -> VirtualTable:
        """The table that the filter belongs to."""
        return self.table_of(self.active)

    def table_of(self, name: str) -> VirtualTable:
        """Return a table by its id."""
        return self.query_one(f"#{name}", VirtualTable)

    def _swap(self, name: str) -> None:
        self._states[self.active] = (self._filter, self._problem, self._filtered, self._matches)
        self._take(name)

    def fill(self, name: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Show rows in a table, whichever has the filter line; its own filter stays."""
        before = self.active
        self._swap(name)
        self.set_rows(rows)
        self.describe_table()
        self._swap(before)

    def turn_to(self, name: str) -> None:
        """Give the filter line to another table."""
        if name == self.active:
            return
        if self.bar.text != self._filter:  # written a moment ago
            self._filter = self.bar.text
            self.filter_now()
        self._swap(name)
        self.bar.set(self._filter)
        self.show_notice()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The table that is gone to has the filter line."""
        name = event.widget.id
        if (
            self.ready
            and isinstance(event.widget, VirtualTable)
            and name is not None
            and name in self.columns_of
        ):
            self.turn_to(name)

    def liked(self, table: VirtualTable) -> str:
        """Return what the preferences call a table; those that go with another one have its columns."""
        return f"{self.place_id}.{table.id}" if table.id in self.columns_of else ""
