"""A place with a table beside its own: with the focus it has the line of the filter and the keys of tables.

It has neither marks nor saved filters of its own: what is done to its rows is for the place to say.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.widgets import Input

from tui.actions.action import Action
from tui.screens.table_place import TablePlace
from tui.text import count
from tui.widgets.sift import Sift
from tui.widgets.table import VirtualTable


class SideTables(TablePlace):
    """A place whose tables in ``sides`` are filtered, sorted, copied and written too.

    It names them by id, each with an example of a filter.
    """

    sides: ClassVar[Mapping[str, str]] = {}

    def __init__(self) -> None:
        super().__init__()
        self._sifts: dict[str, Sift] = {}
        self._line_of = ""  # the table beside that has the filter's line

    def on_mount(self) -> None:
        """Have their rows filtered."""
        if not self._sifts:
            self._sifts = {name: Sift(self.query_one(f"#{name}", VirtualTable)) for name in self.sides}
        super().on_mount()

    @property
    def side(self) -> Sift | None:
        """The filter of the table beside that has the line, None while the place's own table has it."""
        return self._sifts.get(self._line_of)

    @property
    def at(self) -> VirtualTable:
        """The table that the keys of tables are about."""
        return self.side.table if self.side is not None else super().at

    def side_words(self, name: str) -> str:
        """Return ``" · 2 match · by VMs ↑"`` for the title of a table beside, empty for nothing."""
        sift = self._sifts.get(name)
        if sift is None:
            return ""
        words = [f"{count(len(sift.table.order))} match"] if sift.text else []
        words += [sift.table.sort_words] if sift.table.sorted_by is not None else []
        return "".join(f" · {word}" for word in words)

    # the filter's line

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """The table that is gone to has the line."""
        if self.ready and not isinstance(event.widget, Input):
            name = event.widget.id or ""
            self._give_line(name if name in self.sides else "")

    def take_line_back(self) -> None:
        """Give the line to the place's own table."""
        self._give_line("")

    def _give_line(self, name: str) -> None:
        if name == self._line_of:
            return
        side, text = self.side, self.bar.text
        if side is not None and side.text != text:  # written a moment ago
            side.set(text)
        elif side is None and self._filter != text:
            self._filter = text
            self.filter_now()
        self._line_of = name
        self.bar.set(self.side.text if self.side is not None else self._filter)
        self.bar.show_example(self.sides.get(name) or self.example)
        self.show_notice()

    def clear_filter(self) -> None:
        """Show all rows of the place's own table."""
        self.take_line_back()
        super().clear_filter()

    def filter_by(self, text: str) -> None:
        """Filter by what is written."""
        if self.side is None:
            super().filter_by(text)
            return
        self.side.set(text)
        self.describe_table()
        self.show_notice()

    def leave_line(self) -> None:
        """Go from the filter to its table, unless it cannot be read."""
        if self.side is None:
            super().leave_line()
        elif not self.side.problem:
            self.side.table.focus()

    def is_filtering(self) -> bool:
        """Return whether what the filter names is still being read."""
        return self.side is None and super().is_filtering()

    def complaint(self) -> str:
        """What is wrong with the filter."""
        return super().complaint() if self.side is None else self.side.problem

    def completed(self, text: str) -> str:
        """Return the text with what could follow."""
        return super().completed(text) if self.side is None else self.side.completed(text)

    def leaves_side_filter(self) -> bool:
        """Take the filter of the table beside away; False when it has none to take."""
        side = self.side
        if side is None or not (self.bar.text or self.bar.writing):
            return False
        self.bar.set("")
        side.table.focus()
        return True

    def why_not(self, action: Action) -> str:
        """Return why an action cannot be used now: filters beside are not kept."""
        if why := super().why_not(action):
            return why
        if action.id in ("filter.saved", "filter.save") and self.ready and self.side is not None:
            return "filters of this table are not kept: shift+tab, or esc, goes to the one that has some"
        return ""
