"""Picks several things from a list by marking them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content

from planner.names import visible
from tui.dialogs.dialog import Dialog
from tui.text import plural
from tui.widgets.column import Column
from tui.widgets.table import VirtualTable


class PickSome(Dialog[tuple[str, ...]]):
    """Things by key and name, to be marked; answers with the keys of those marked, in their order."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("space", "mark", "mark", show=False),
        Binding("enter", "done", "done", show=False),
    ]

    def __init__(self, title: str, things: Sequence[tuple[str, str]], yes: str) -> None:
        super().__init__()
        self._title, self._things, self._yes = title, tuple(things), yes

    def compose(self) -> ComposeResult:
        """A table in a box."""
        with Vertical(classes="box") as box:
            box.border_title = Content(visible(self._title))
            yield VirtualTable((Column(1, "name", 20, flex=True),), "there is nothing to pick", id="things")

    def on_mount(self) -> None:
        """Show all, none marked."""
        table = self.query_one(VirtualTable)
        table.styles.height = min(len(self._things) + 3, 18)
        table.set_rows(self._things)
        table.focus()
        self._count()

    def _count(self) -> None:
        marked = plural(len(self.query_one(VirtualTable).marks), "mark")
        self.query_one(".box").border_subtitle = Content(
            f"{marked} · space marks · enter: {visible(self._yes)} · esc leaves"
        )

    def action_mark(self) -> None:
        """Mark the thing under the cursor."""
        self.query_one(VirtualTable).turn_mark()
        self._count()

    def action_done(self) -> None:
        """Answer with what is marked, else with what is under the cursor."""
        table = self.query_one(VirtualTable)
        marks = table.marks or ({table.key} if table.key is not None else set())
        self.dismiss(tuple(key for key, _ in self._things if key in marks))
