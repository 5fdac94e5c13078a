"""The one-line widgets around every place: line 1, the places, the notice and the keys.

``EdgeLine`` holds one text at each edge and shortens the left one. ``ItemLine`` holds short items,
each with an action that a click runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

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
    """One line of items; those that do not fit are left out, but never the last ones, at the right edge.

    What stands for one action is shown as a whole or not at all.
    """

    DEFAULT_CSS = "ItemLine { height: 1; width: 100%; padding: 0 1; }"

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._items: tuple[Item, ...] = ()
        self._last: tuple[Item, ...] = ()
        self._drawn: tuple[Item, ...] = ()

    def show(self, items: tuple[Item, ...], last: tuple[Item, ...] = ()) -> None:
        """Show other items; ``last`` stand at the right edge."""
        if (items, last) != (self._items, self._last):
            self._items, self._last = items, last
            self.refresh()

    def _fitting(self) -> Iterator[Item]:
        room = self.content_size.width - sum(cell_len(item.text) for item in self._last)
        for _, group in groupby(self._items, lambda item: item.action):
            found = list(group)
            text = "".join(item.text for item in found)
            if cell_len(text if self._last else text.rstrip()) > room:
                break
            room -= cell_len(text)
            yield from found
        if self._last:
            yield Item(" " * max(0, room))
            yield from self._last

    def render(self) -> Content:
        """Lay the items out."""
        self._drawn = tuple(self._fitting())
        return Content.assemble(*((item.text, item.style) for item in self._drawn))

    async def on_click(self, event: events.Click) -> None:
        """Run the action of the item under the mouse."""
        spot = event.get_content_offset(self)
        left = 0
        for item in self._drawn if spot else ():
            left += cell_len(item.text)
            if spot and spot.x < left:
                if item.action:
                    await self.screen.run_action(item.action)
                return
