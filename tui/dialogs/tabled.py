"""A box around a table that is filtered, sorted, copied and written by the keys of every table.

Its own keys stay: a box that has other keys besides gives them in its ``BINDINGS``.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from textual.binding import Binding
from textual.content import Content

from planner.names import visible
from tui.dialogs.columns import Columns
from tui.dialogs.dialog import Answer, Dialog
from tui.dialogs.form import Ask, Form
from tui.text import count
from tui.widgets.filter_bar import FilterBar
from tui.widgets.sift import Sift
from tui.widgets.table import VirtualTable
from tui.widgets.table_file import copied_words, text_of, write_shown


class Tabled(Dialog[Answer]):
    """Subclasses compose ``filter_bar`` above the table, and give ``keys`` and the ``file`` that W offers."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("slash", "filter", "filter", show=False),
        Binding("s", "sort", "sort", show=False),
        Binding("S", "reverse", "the other way round", show=False),
        Binding("v", "columns", "columns", show=False),
        Binding("y", "copy", "copy the row", show=False),
        Binding("Y", "copy_all", "copy all", show=False),
        Binding("W", "write", "write a csv file", show=False),
    ]
    file: ClassVar[str] = "table.csv"

    @property
    def keys(self) -> str:
        """Which keys work."""
        raise NotImplementedError

    def filter_bar(self, example: str) -> FilterBar:
        """Return the line of the filter; it is there while it is used."""
        bar = FilterBar(example, self._completed)
        bar.display = False
        return bar

    @property
    def table(self) -> VirtualTable:
        """The table."""
        return self.query_one(VirtualTable)

    @property
    def bar(self) -> FilterBar:
        """The line of the filter."""
        return self.query_one(FilterBar)

    @cached_property
    def sift(self) -> Sift:
        """What is filtered."""
        return Sift(self.table)

    def tell(self, text: str = "") -> None:
        """Say something below the box, else what is shown and which keys work."""
        table = self.table
        words = [f"{count(len(table.order))} match"] if self.sift.text else []
        words += [table.sort_words] if table.sorted_by is not None else []
        said = text or (f"▲ {visible(self.sift.problem)}" if self.sift.problem else "")
        self.query_one(".box").border_subtitle = Content(said or " · ".join([*words, self.keys]))

    def _completed(self, text: str) -> str:
        return self.sift.completed(text)

    def action_filter(self) -> None:
        """Write a filter."""
        self.bar.display = True
        self.bar.write()

    def on_filter_bar_changed(self, event: FilterBar.Changed) -> None:
        """Filter while typing."""
        self.sift.set(event.text)
        self.tell()

    def on_filter_bar_done(self, event: FilterBar.Done) -> None:
        """Go to the table, unless the filter cannot be read."""
        self.bar.is_sent = False
        if not self.sift.problem:
            self._to_table()

    def _to_table(self) -> None:
        self.bar.display = bool(self.bar.text)
        self.table.focus()

    def action_leave(self) -> None:
        """Take the filter away, then close the box."""
        if self.bar.text or self.bar.writing:
            self.bar.set("")
            self._to_table()
        else:
            super().action_leave()

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.table.sort_next()
        self.tell()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.table.sort_by(self.table.sorted_by, not self.table.reverse)
        self.tell()

    def on_virtual_table_sorted(self) -> None:
        """Say it."""
        self.tell()

    def action_columns(self) -> None:
        """Choose the columns, while the box is open."""
        table = self.table
        self.app.push_screen(
            Columns(table.columns, table.chosen), lambda chosen: table.choose(chosen) if chosen else None
        )

    def action_copy(self) -> None:
        """Copy the row under the cursor."""
        if self.table.key is not None:
            self._copy(text_of(self.table, {self.table.key}))

    def action_copy_all(self) -> None:
        """Copy the table as it is filtered."""
        self._copy(text_of(self.table))

    def _copy(self, text: str) -> None:
        self.app.copy_to_clipboard(text)
        self.tell(copied_words(text))

    def action_write(self) -> None:
        """Write the table as it is filtered to a csv file."""
        if self.app.is_web:
            self.tell("▲ a browser only looks: run 'wherry ui' to write files")
            return
        ask = Ask("path", "File", str(Path.cwd() / self.file), needed=True)
        self.app.push_screen(
            Form("Write this table", [ask], "Write"),
            lambda said: self.tell(write_shown(self.table, said["path"])[0]) if said else None,
        )
