"""Shows a long text over a place."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content

from tui.dialogs.dialog import Dialog
from tui.widgets.panel import Panel


class Reader(Dialog[None]):
    """A text to read and scroll."""

    BINDINGS: ClassVar[list[Any]] = [Binding("enter,q", "leave", "close", show=False)]

    def __init__(self, title: str, content: Content, below: str = "esc closes") -> None:
        super().__init__()
        self._title, self._content, self._below = title, content, below

    def compose(self) -> ComposeResult:
        """One panel in a box."""
        with Vertical(classes="box wide") as box:
            box.border_title = Content(self._title)
            box.border_subtitle = Content(self._below)
            yield Panel("reading")

    def on_mount(self) -> None:
        """Fill it."""
        panel = self.query_one(Panel)
        panel.show(self._content)
        panel.focus()
