"""Chooses which columns a table shows, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.dialogs.dialog import Dialog
from tui.text import line
from tui.widgets.column import Column


class Columns(Dialog[tuple[int, ...]]):
    """The columns of a table, those that are shown first; answers with their indexes in order."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("space", "turn", "show or hide", show=False, priority=True),
        Binding("left_square_bracket,shift+up", "shift(-1)", "up", show=False),
        Binding("right_square_bracket,shift+down", "shift(1)", "down", show=False),
        Binding("enter", "done", "done", show=False, priority=True),
    ]

    def __init__(self, columns: Sequence[Column], chosen: Sequence[int]) -> None:
        super().__init__()
        self._columns = tuple(columns)
        self._order = [*chosen, *(i for i in range(len(columns)) if i not in chosen)]
        self._on = set(chosen)

    def compose(self) -> ComposeResult:
        """The list."""
        with Vertical(classes="box") as box:
            box.border_title = Content("Columns")
            box.border_subtitle = Content("space shows or hides · [ ] moves · enter done · esc leaves")
            yield OptionList()

    def on_mount(self) -> None:
        """Show them."""
        self._draw(0)
        self.query_one(OptionList).focus()

    def _draw(self, at: int) -> None:
        options = self.query_one(OptionList)
        options.clear_options()
        for index in self._order:
            mark = ("✔ ", "good") if index in self._on else ("· ", "dim")
            options.add_option(Option(line(mark, self._columns[index].title)))
        options.highlighted = at

    @property
    def _at(self) -> int:
        return self.query_one(OptionList).highlighted or 0

    def action_turn(self) -> None:
        """Show the column under the cursor, or hide it; one always stays."""
        index = self._order[self._at]
        if self._on != {index}:
            self._on ^= {index}
        self._draw(self._at)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click shows or hides too: enter never comes here."""
        self.action_turn()

    def action_shift(self, by: int) -> None:
        """Move the column under the cursor."""
        at, to = self._at, self._at + by
        if 0 <= to < len(self._order):
            self._order[at], self._order[to] = self._order[to], self._order[at]
            self._draw(to)

    def action_done(self) -> None:
        """Answer."""
        self.dismiss(tuple(index for index in self._order if index in self._on))
