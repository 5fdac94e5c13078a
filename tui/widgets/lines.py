"""The one-line widgets around every place: line 1, the places, the notice and the keys.

``EdgeLine`` holds one text at each edge and shortens the left one. ``ItemLine`` holds short items,
each with an action that a click runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.widget import Widget


class EdgeLine(Widget):
    """One line: text at the left edge, text at the right edge."""

    DEFAULT_CSS = "EdgeLine { height: 1; width: 100%; padding: 0 1; }"

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._left = Content("")
        self._right = Content("")

    def show(self, left: Content, right: Content | None = None) -> None:
        """Show other texts; the same ones again repaint nothing."""
        right = right or Content("")
        if not (left.is_same(self._left) and right.is_same(self._right)):
            self._left, self._right = left, right
            self.refresh()

    def render(self) -> Content:
        """Lay the two texts out."""
        width = self.content_size.width
        room = max(0, width - self._right.cell_length - 1)
        left = self._left.truncate(room, ellipsis=True)
        return left.pad_right(max(0, width - left.cell_length - self._right.cell_length)).append(self._right)


@dataclass(frozen=True, slots=True)
class Item:
    """A piece of a line. ``action`` is run by a click."""

    text: str
    style: str = ""
    action: str = ""


class ItemLine(Widget):
    """One line of items; those that do not fit at the right are left out."""

    DEFAULT_CSS = "ItemLine { height: 1; width: 100%; padding: 0 1; }"

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._items: tuple[Item, ...] = ()

    def show(self, items: tuple[Item, ...]) -> None:
        """Show other items."""
        if items != self._items:
            self._items = items
            self.refresh()

    def render(self) -> Content:
        """Lay the items out."""
        left, width, parts = 0, self.content_size.width, []
        for item in self._items:
            if left + cell_len(item.text.rstrip()) > width:
                break
            left += cell_len(item.text)
            parts.append((item.text, item.style))
        return Content.assemble(*parts)

    async def on_click(self, event: events.Click) -> None:
        """Run the action of the item under the mouse."""
        spot = event.get_content_offset(self)
        left = 0
        for item in self._items if spot else ():
            left += cell_len(item.text)
            if spot and spot.x < left:
                if item.action:
                    await self.screen.run_action(item.action)
                return
