"""A bordered panel of lines that scrolls: title with its numbers above, its keys below."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static


class Panel(VerticalScroll, can_focus=True):
    """Lines of content. Showing the same content again repaints nothing and moves nothing."""

    DEFAULT_CSS = """
    Panel { scrollbar-size-vertical: 1; }
    Panel > Static { width: 100%; height: auto; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("k", "scroll_up", "up", show=False),
        Binding("j", "scroll_down", "down", show=False),
    ]

    def __init__(self, id: str, title: str = "", keys: str = "") -> None:
        super().__init__(id=id)
        self._body = Static(Content(""), markup=False)
        self._shown: Content | None = None
        self._title = title
        self.border_title = Content(title) if title else None
        self.border_subtitle = Content(keys) if keys else None

    def compose(self) -> ComposeResult:
        """One static body."""
        yield self._body

    def show(self, content: Content, title: str | None = None, top: bool = False) -> None:
        """Show content under a title; ``top`` scrolls to its beginning."""
        if title is not None and title != self._title:
            self._title = title
            self.border_title = Content(title)
        if self._shown is None or not content.is_same(self._shown):
            self._shown = content
            self._body.update(content)
        if top:
            self.scroll_home(animate=False)

    @property
    def text(self) -> str:
        """The plain text shown."""
        return self._shown.plain if self._shown else ""
