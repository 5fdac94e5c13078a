"""What tables and panels are: lines in a border that scroll, painted line by line.

Other words in the border repaint the border alone. More or fewer lines lay nothing out again: only a
scrollbar that comes or goes does, and a height that follows the lines.
"""

from __future__ import annotations

from typing import Any

from textual.content import Content
from textual.geometry import Region, Size
from textual.reactive import Reactive
from textual.scroll_view import ScrollView


class Scrolled(ScrollView, can_focus=True):
    """Lines to scroll through. Subclasses give ``render_line`` and say how many lines there are."""

    DEFAULT_CSS = "Scrolled { overflow-x: hidden; scrollbar-size-vertical: 1; }"

    _edge: Region | None = None  # the line of the border that is being written
    virtual_size = Reactive(Size(0, 0))  # Textual's own lays the whole screen out whenever it changes

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._title, self._below = "", ""

    def set_lines(self, count: int) -> None:
        """Say how many lines there are."""
        size = Size(0, count)
        if size != self.virtual_size:
            self.virtual_size = size
            if self.styles.auto_dimensions:
                self.refresh(layout=True)
            else:
                self._scroll_update(size)

    def set_title(self, title: Content | None, below: Content | None = None) -> None:
        """Write into the border; None leaves that edge as it is."""
        if title is not None and title.plain != self._title:
            self._title = title.plain
            self._edge = Region(0, -self.content_offset.y, self.size.width, 1)
            self.border_title = title
        if below is not None and below.plain != self._below:
            self._below = below.plain
            self._edge = Region(0, self.outer_size.height - 1 - self.content_offset.y, self.size.width, 1)
            self.border_subtitle = self._with_chosen_keys(below) if self.is_attached else below
        self._edge = None

    def on_mount(self) -> None:
        """Write the keys a person chose below."""
        if self._below:
            self.border_subtitle = self._with_chosen_keys(Content(self._below))

    def _with_chosen_keys(self, below: Content) -> Content:
        reworded = getattr(self.screen, "reworded", str)  # places know keys
        words = reworded(below.plain)
        return below if words == below.plain else Content(words)

    def refresh(
        self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
    ) -> Any:
        """Repaint; while a title is written only its line."""
        if self._edge is not None:
            regions = (self._edge,)
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)


def amid(line: int, page: int) -> int:
    """Return the first line in sight of a ``page`` of lines for ``line`` to stand in its middle half.

    Neighbouring lines share their first line: going on by one moves the cursor, not the lines.
    """
    step = max(1, page // 2)
    return max(0, line // step * step - (page - step) // 2)
