"""Picks one thing, or several, from a list that narrows while a person types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from planner.names import visible
from tui.dialogs.dialog import Dialog
from tui.text import fit, line

MOST = 200  # rows that are drawn at once


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to pick: a key, its name and a word on it. ``why_not`` says why it cannot be picked."""

    key: str
    name: str
    note: str = ""
    why_not: str = ""


class Pick(Dialog[str]):
    """A list to pick one thing from; answers with its key."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("down", "step(1)", "down", show=False),
        Binding("up", "step(-1)", "up", show=False),
    ]

    def __init__(self, title: str, choices: Sequence[Choice], empty: str = "nothing to choose from") -> None:
        super().__init__()
        self._title, self._choices, self._empty = title, tuple(choices), empty
        self._shown: list[Choice] = []

    def compose(self) -> ComposeResult:
        """A line to type in, the list."""
        with Vertical(classes="box") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content("type to narrow · enter picks · esc leaves")
            yield Input(classes="-plain", placeholder="type a part of the name")
            options = OptionList()
            options.can_focus = False  # keys go into the line, wherever the mouse was
            yield options

    def on_mount(self) -> None:
        """Show all."""
        self.query_one(Input).focus()
        self._narrow("")

    def _narrow(self, text: str) -> None:
        wanted = text.casefold().split()
        found = [
            item
            for item in self._choices
            if all(word in f"{item.name} {item.note}".casefold() for word in wanted)
        ]
        self._shown = found[:MOST]
        options = self.query_one(OptionList)
        options.clear_options()
        for item in self._shown:
            note = item.why_not or item.note
            words = line(fit(visible(item.name), 30), ("  " + visible(note), "dim"))
            options.add_option(Option(words, disabled=bool(item.why_not)))
        if len(found) > MOST:
            options.add_option(Option(line((f"and {len(found) - MOST} more: type on", "dim")), disabled=True))
        if not found:
            options.add_option(Option(line((self._empty, "dim")), disabled=True))
        options.highlighted = next((i for i, item in enumerate(self._shown) if not item.why_not), None)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow the list."""
        self._narrow(event.value)

    def on_input_submitted(self) -> None:
        """Pick what is highlighted."""
        at = self.query_one(OptionList).highlighted
        if at is not None and at < len(self._shown):
            self.dismiss(self._shown[at].key)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click picks too."""
        if event.option_index < len(self._shown):
            self.dismiss(self._shown[event.option_index].key)

    def action_step(self, by: int) -> None:
        """Move through the list while the keys go into the line."""
        options = self.query_one(OptionList)
        options.action_cursor_down() if by > 0 else options.action_cursor_up()
