"""A place whose tables show the columns that a person chose: which, and in which order, is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tui.actions.action import Action
from tui.screens.place import PlaceScreen
from tui.widgets.table import VirtualTable


class ColumnedPlace(PlaceScreen):
    """A place with tables; columns are chosen for the one with the focus."""

    def liked(self, table: VirtualTable) -> str:
        """Return what the preferences call a table; empty where its columns are not a person's."""
        return f"{self.place_id}.{table.id}"

    def in_hand(self) -> VirtualTable | None:
        """Return the table whose columns would be chosen now."""
        table = self.focused
        return table if isinstance(table, VirtualTable) and self.liked(table) else None

    def recall(self, table: VirtualTable) -> None:
        """Show the columns of a table that a person chose before."""
        wanted = self.wherry.preferences.columns.get(self.liked(table), ())
        known = {column.asked: index for index, column in enumerate(table.columns)}
        if chosen := [known[name] for name in wanted if name in known]:
            table.choose(chosen)

    def on_mount(self) -> None:
        """Show the columns a person chose before, in every table."""
        for table in self.query(VirtualTable):
            self.recall(table)
        super().on_mount()

    def why_not(self, action: Action) -> str:
        """Return why an action cannot be used here now."""
        if action.id == "columns" and self.ready and self.in_hand() is None:
            return "go to a table first: tab"
        return super().why_not(action)

    def action_columns(self) -> None:
        """Choose the columns."""
        from tui.dialogs.columns import Columns

        if (table := self.in_hand()) is not None:
            self.app.push_screen(
                Columns(table.columns, table.chosen),
                lambda columns: self.keep_columns(table, columns) if columns is not None else None,
            )

    def keep_columns(self, table: VirtualTable, columns: Sequence[int]) -> None:
        """Show these columns of a table, now and whenever it is seen again."""
        table.choose(columns)
        names = tuple(table.columns[index].asked for index in columns)
        old = self.wherry.preferences
        self.wherry.keep(replace(old, columns={**old.columns, self.liked(table): names}))
