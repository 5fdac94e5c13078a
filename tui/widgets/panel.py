"""A bordered panel of lines that scrolls: title with its numbers above, its keys below.

It wraps what it is given by itself and draws only lines that read otherwise than before.
"""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.selection import Selection
from textual.strip import Strip
from textual.visual import Visual

from tui.widgets.scrolled import Scrolled


class Panel(Scrolled):
    """Lines of content. Showing the same content again repaints nothing and moves nothing."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("k", "scroll_up", "up", show=False),
        Binding("j", "scroll_down", "down", show=False),
    ]

    def __init__(self, id: str, title: str = "", keys: str = "") -> None:
        super().__init__(id=id)
        self._shown: Content | None = None
        self._strips: list[Strip] = []
        self.set_title(Content(title) if title else None, Content(keys) if keys else None)

    def show(self, content: Content, title: str | None = None, top: bool = False) -> None:
        """Show content under a title; ``top`` scrolls to its beginning."""
        self.set_title(None if title is None else Content(title))
        if self._shown is None or not content.is_same(self._shown):
            self._shown = content
            self._wrap()
        if top and self.scroll_offset.y:
            self.scroll_home(animate=False)

    def _wrap(self) -> None:
        """Lay the content out in the width there is; only lines that read otherwise are drawn again."""
        width, old = self.size.width, self._strips
        if self._shown is None or not width:
            return
        style = self.visual_style
        self._strips = Visual.to_strips(self, self._shown, width, None, style, pad=True)
        self.set_lines(len(self._strips))
        top, height = self.scroll_offset.y, self.size.height
        for y in range(top, min(top + height, max(len(old), len(self._strips)))):
            if old[y : y + 1] != self._strips[y : y + 1]:
                self.refresh_line(y)

    # drawing

    def render(self) -> Content:
        """Return all that is shown: what text is selected from."""
        return self._shown or Content("")

    def render_line(self, y: int) -> Strip:
        """Draw one line of the visible part."""
        at = self.scroll_offset.y + y
        if at < len(self._strips):
            return self._strips[at]
        return Strip.blank(self.size.width, self.visual_style.rich_style)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the lines that the content takes in this width."""
        return self.render().get_height({}, width)

    def on_resize(self) -> None:
        """Wrap the content anew."""
        self._wrap()

    def notify_style_update(self) -> None:
        """Wrap the content anew, in other colours."""
        super().notify_style_update()
        if self.is_mounted:
            self._wrap()
            self.refresh()

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw what is selected."""
        self._wrap()

    @property
    def text(self) -> str:
        """The plain text shown."""
        return self._shown.plain if self._shown else ""
