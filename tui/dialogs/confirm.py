"""Asks before something happens; what is hard to take back has to be typed."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static
from textual.widgets.button import ButtonVariant

from planner.names import visible
from tui.dialogs.dialog import Dialog
from tui.text import line


class Confirm(Dialog[bool]):
    """A question. With ``typed`` the answer is yes only once exactly that was typed."""

    BINDINGS: ClassVar[list[Any]] = [Binding("ctrl+s", "done", "done", show=False, priority=True)]

    def __init__(self, title: str, said: Content, yes: str, typed: str = "", tone: str = "primary") -> None:
        super().__init__()
        self._title, self._said, self._yes, self._typed = title, said, yes, typed
        self._variant: ButtonVariant = "error" if tone == "bad" else "primary"

    def compose(self) -> ComposeResult:
        """What will happen, the word to type, yes and no."""
        with Vertical(classes="box") as box:
            box.border_title = Content(visible(self._title))
            does = "enter does it once that is typed · " if self._typed else ""
            box.border_subtitle = Content(f"{does}esc leaves everything as it is")
            with VerticalScroll(classes="scrolls", can_focus=False):
                yield Static(self._said, classes="said", markup=False)
            if self._typed:
                yield Static(
                    line("Type ", (visible(self._typed), "accent"), " to go on:"),
                    classes="label",
                    markup=False,
                )
                yield Input(id="typed")
            with Horizontal(classes="buttons"):
                yield Button(
                    Content(visible(self._yes)), variant=self._variant, id="yes", disabled=bool(self._typed)
                )
                yield Button("Leave it", id="no")

    def on_mount(self) -> None:
        """Begin where nothing happens by one key too many."""
        self.query_one(Input if self._typed else "#no").focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Open the way once the word is there."""
        self.query_one("#yes", Button).disabled = event.value.strip() != self._typed

    def on_input_submitted(self) -> None:
        """Enter goes on when it may."""
        self.action_done()

    def action_done(self) -> None:
        """Go on when it may, by the key of every form; where nothing is typed a button is chosen."""
        if self._typed and not self.query_one("#yes", Button).disabled:
            self.dismiss(True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer."""
        self.dismiss(True if event.button.id == "yes" else None)
