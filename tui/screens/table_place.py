"""A place around one table: its filter, marks, order and columns, and taking it elsewhere.

The filter language is the same everywhere; its words are the table's columns. Subclasses give
``columns``, fill the table in ``show`` and may answer filters in their own way (``matching``).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic
from typing import Any, ClassVar

from textual.widgets import Input

from planner.errors import WherryError
from planner.names import visible
from tui.actions.action import Action
from tui.filtering import STILL_READ
from tui.screens.columned import ColumnedPlace
from tui.text import count, plural
from tui.widgets.column import Column
from tui.widgets.filter_bar import FilterBar
from tui.widgets.table import VirtualTable
from tui.widgets.table_file import copied_words, text_of, write_shown

_OF_ROWS = ("mark", "mark.all", "copy")
_WAIT_S = 3.0  # from enter in the filter line; then keys go to the rows that are there


class TablePlace(ColumnedPlace):
    """A place around one table with a filter."""

    columns: tuple[Column, ...] = ()  # places with several tables set both as they turn to one
    noun: str = "row"
    filters: str = "inventory"  # whose saved filters are used: as 'wherry filters save --for' says
    spares_line: ClassVar[bool] = False  # on a narrow screen the filter's line is there only while in use

    def __init__(self) -> None:
        super().__init__()
        self.example = ""  # of a filter
        self._filter = ""
        self._problem = ""
        self._filtered: Sequence[Any] | None = None  # the rows the matches were made for
        self._matches: Sequence[int] | None = None
        self._sent_at = float("-inf")  # when enter was pressed in the filter line

    # its parts

    def filter_bar(self, example: str) -> FilterBar:
        """Return the line for the filter, to be composed above the table."""
        self.example = example
        return FilterBar(example, self.completed)

    @property
    def table(self) -> VirtualTable:
        """The table of the place."""
        return self.query_one(VirtualTable)

    @property
    def at(self) -> VirtualTable:
        """The table that the keys of tables are about."""
        return self.table

    @property
    def bar(self) -> FilterBar:
        """The line of the filter."""
        return self.query_one(FilterBar)

    def liked(self, table: VirtualTable) -> str:
        """Return what the preferences call a table: the place's own is called like the place."""
        return self.place_id if table is self.table else super().liked(table)

    def in_hand(self) -> VirtualTable | None:
        """Return the table whose columns would be chosen now: the place's own unless one has the focus."""
        return super().in_hand() or self.table

    def set_rows(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Show other rows; filter, marks and cursor stay."""
        if rows is self.table.rows and rows is self._filtered:
            return
        if self._filter:
            self._match(rows)
        self._filtered = rows
        self.table.set_rows(rows, self._matches)

    # filtering

    @property
    def vocabulary(self) -> Any:
        """The words of the filter here: those of ``planner.places``, else the columns."""
        from planner.places import TABLES
        from tui.widgets.vocabulary import vocabulary_of

        return TABLES.get(self.filters) or vocabulary_of(self.columns)

    def matching(self, text: str, rows: Sequence[tuple[Any, ...]]) -> Sequence[int]:
        """Return which rows match a filter, by index; raises BadInput."""
        from planner.query import parse

        wanted = parse(text, self.vocabulary, self.wherry.session.saved_filters(self.filters))
        return [index for index, row in enumerate(rows) if wanted.matches(row)]

    def completed(self, text: str) -> str:
        """Return the text with what could follow, empty for nothing."""
        from planner.completion import complete

        saved = self.wherry.session.saved_filters(self.filters)
        found = complete(text, len(text), self.vocabulary, self.values_of, saved)
        return found[0].whole if found else ""

    def values_of(self, name: str) -> Sequence[str]:
        """Return values that a field has in this table, for completion."""
        from tui.widgets.vocabulary import values_in

        return values_in(self.columns, self.table.rows, name)

    def _match(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._problem = ""
        if not self._filter:
            self._matches = None
            return
        try:
            self._matches = self.matching(self._filter, rows)
        except WherryError as error:
            self._problem = f"{error.message}: {error.hint}" if error.hint else error.message
            # the last good matches stay

    def filter_now(self) -> None:
        """Filter the rows again: what they are filtered by has changed."""
        self._match(self.table.rows)
        self.table.set_matches(self._matches)
        self.describe_table()
        self.show_notice()

    def on_filter_bar_changed(self, event: FilterBar.Changed) -> None:
        """Filter while typing."""
        if self.ready:
            self.filter_by(event.text)
            self.show_bar()

    def filter_by(self, text: str) -> None:
        """Filter by what is written."""
        self._filter = text
        self.filter_now()

    def on_filter_bar_done(self, event: FilterBar.Done) -> None:
        """Go to the table."""
        self.bar.is_sent = False
        self.leave_line()

    def leave_line(self) -> None:
        """Go from the filter to its table, unless it cannot be read."""
        if not self._problem or self.is_filtering():
            self._sent_at = monotonic()
            self.table.focus()

    def is_filtering(self) -> bool:
        """Return whether what the filter names is still being read; who filters elsewhere has more."""
        if not self._filter:
            return False
        return self._problem.startswith(STILL_READ) or (not self.table.rows and not self.view.complete)

    def is_under_way(self) -> bool:
        """Return whether keys wait for a filter that was sent; who still writes waits for nothing."""
        return self.bar.is_sent or (monotonic() - self._sent_at < _WAIT_S and self.is_filtering())

    def complaint(self) -> str:
        """What is wrong with the filter."""
        return self._problem

    def action_filter(self) -> None:
        """Write a filter."""
        self._sent_at = float("-inf")
        self.bar.display = True
        self.bar.write()

    def clear_filter(self) -> None:
        """Show all rows of the place's own table."""
        self.bar.set("")

    def has_room(self) -> bool:
        """Return whether the filter's line may stay while nobody uses it."""
        return self.wide

    def show_bar(self) -> None:
        """Show the filter's line, or give its row to the table."""
        if self.spares_line and self.ready:
            self.bar.display = bool(self.bar.text) or self.writing or self.has_room()

    def on_descendant_blur(self) -> None:
        """Who leaves an empty filter needs its line no more."""
        self.call_after_refresh(self.show_bar)

    def action_saved_filters(self) -> None:
        """Use a saved filter."""
        from tui.dialogs.pick import Choice, Pick

        saved = self.wherry.session.saved_filters(self.filters)
        choices = [Choice(f"@{name}", name, text) for name, text in sorted(saved.items())]
        empty = "no saved filter yet: write one with /, then keep it with F"
        self.app.push_screen(Pick("Saved filters", choices, empty), self._use)

    def _use(self, text: str | None) -> None:
        if text is not None:
            self.bar.set(text)
            self.table.focus()

    def action_save_filter(self) -> None:
        """Keep the filter under a name."""
        from tui.dialogs.form import Ask, Form

        text = self.bar.text
        if not text or self._problem:
            self.say("write a filter that works first: /", "warn")
            return
        ask = Ask("name", "Name of this filter", needed=True, placeholder="unplanned")
        self.app.push_screen(Form("Save the filter", [ask]), lambda said: self._keep(said, text))

    def _keep(self, said: dict[str, str] | None, text: str) -> None:
        if said is not None:
            args = {"name": said["name"], "text": text, "place": self.filters}
            self.wherry.ask("filters.save", args, lambda _: self._kept(said["name"]))

    def _kept(self, name: str) -> None:
        self.wherry.read_again()
        self.say(f"saved: @{visible(name)} in any filter, f lists them", "good")

    # marking, sorting, columns

    def why_not(self, action: Action) -> str:
        """Return why an action cannot be used here now: there is nothing to mark or copy."""
        if why := super().why_not(action):
            return why
        empty = self.ready and not self.at.order
        if empty and (action.id in _OF_ROWS or (action.id == "open" and self.at.has_focus)):
            return "no row is shown here"
        if action.id == "filter" and empty and not self.at.rows and not self.bar.text:
            return "there is nothing to filter yet"
        return ""

    def action_mark(self) -> None:
        """Mark the row under the cursor."""
        self.table.turn_mark()
        self.describe_table()
        self.show_notice()

    def action_mark_all(self) -> None:
        """Mark all rows that are shown; once they all are, take all marks away."""
        shown = set(self.table.shown_keys())
        self.table.mark(set() if shown <= self.table.marks else self.table.marks | shown)
        self.describe_table()
        self.show_notice()

    def chosen(self) -> list[Any]:
        """Return the keys of the marked rows in the table's order, else that of the row under the cursor."""
        marks = self.table.marks
        if marks:
            return [row[0] for row in self.table.rows if row[0] in marks]
        return [self.table.key] if self.table.key is not None else []

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.at.sort_next()
        self.describe_table()

    def action_reverse(self) -> None:
        """Turn the order round."""
        self.at.sort_by(self.at.sorted_by, not self.at.reverse)
        self.describe_table()

    def on_virtual_table_sorted(self, event: VirtualTable.Sorted) -> None:
        """Say it in the border."""
        self.describe_table()

    def describe_table(self) -> None:
        """Say in the border what the table shows; places with more to say override it."""
        from textual.content import Content

        self.table.set_title(Content(self.title_words()))

    def title_words(self, *more: str) -> str:
        """Return ``1 284 VMs · 63 match · 2 marked · by name ↑`` with more words after the first."""
        table = self.table
        words = [plural(len(table.rows), self.noun), *more]
        if self._matches is not None:
            words.append(f"{count(len(table.order))} match")
        if table.marks:
            words.append(f"{count(len(table.marks))} marked")
        return " · ".join([*words, table.sort_words])

    # taking it elsewhere

    def action_copy(self) -> None:
        """Copy the marked rows, or the one under the cursor, for another program."""
        if keys := self.at.marks or {self.at.key} - {None}:
            self._copy(text_of(self.at, keys))

    def action_copy_all(self) -> None:
        """Copy the table as it is filtered."""
        self._copy(text_of(self.at))

    def _copy(self, text: str) -> None:
        self.app.copy_to_clipboard(text)
        self.say(copied_words(text), "good")

    def action_write_table(self) -> None:
        """Write the table as it is filtered to a csv file."""
        from tui.dialogs.form import Ask, Form

        path = str(Path.cwd() / f"{self.liked(self.at).replace('.', '-')}.csv")
        ask = Ask("path", "File", path, needed=True)
        self.app.push_screen(Form("Write this table", [ask], "Write"), self._write)

    def _write(self, said: dict[str, str] | None) -> None:
        if said is not None:
            self.say(*write_shown(self.at, said["path"]))

    # opening and going back

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if not self.writing and self.table.row is not None:
            self.table.open_row()

    def action_back(self) -> None:
        """Leave the filter, then clear it, then the marks, then leave the place."""
        if self.bar.writing and not self.bar.text:
            self.table.focus()
        elif self.bar.text:
            self.bar.set("")
            self.table.focus()
        elif self.table.marks:
            self.table.mark(())
            self.describe_table()
            self.show_notice()
        else:
            super().action_back()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """No line of text on a place is ever sent anywhere else."""
        event.stop()
