"""A bordered panel of lines that scrolls: title with its numbers above, its keys below.

It wraps by itself what it is given, draws the lines in sight only, and of those what reads otherwise than
before: a thousand lines cost what a screenful costs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, ClassVar

from rich._wrap import divide_line  # what Content wraps with
from rich.cells import cell_len
from textual.binding import Binding
from textual.content import Content
from textual.geometry import Size
from textual.selection import Selection
from textual.strip import Strip
from textual.visual import Visual

from tui.text import stack
from tui.widgets.scrolled import Scrolled


class Panel(Scrolled):
    """Lines of content. Showing the same content again repaints nothing and moves nothing."""

    BINDINGS: ClassVar[list[Any]] = [
        Binding("k", "scroll_up", "up", show=False),
        Binding("j", "scroll_down", "down", show=False),
        Binding("g", "scroll_home", "first line", show=False),
        Binding("G", "scroll_end", "last line", show=False),
    ]

    def __init__(self, id: str, title: str = "", keys: str = "") -> None:
        super().__init__(id=id)
        self._lines: Sequence[Content] = ()  # as they were given
        self._starts: list[int] = [0]  # the first of the wrapped lines of each, and how many there are
        self._width = 0  # in which they are wrapped
        self._strips: dict[int, list[Strip]] = {}  # of lines that were drawn
        self.set_title(Content(title) if title else None, Content(keys) if keys else None)

    def show(self, content: Content | Sequence[Content], title: str | None = None, top: bool = False) -> None:
        """Show content, or lines of it, under a title; ``top`` scrolls to its beginning."""
        self.set_title(None if title is None else Content(title))
        lines = content.split("\n", allow_blank=True) if isinstance(content, Content) else content
        if len(lines) != len(self._lines) or not all(map(Content.is_same, lines, self._lines)):
            before = self._in_sight()
            self._lines = lines
            self._wrap(before)
        if top and self.scroll_offset.y:
            self.scroll_home(animate=False)

    def _wrap(self, before: Sequence[Strip] = ()) -> None:
        """Find out which line begins where; draw anew what reads otherwise than before."""
        # A scrollbar may leave no room at all; no lines then would take it away, and so on for ever.
        width = self.scrollable_size.width or int(self.show_vertical_scrollbar)
        self._strips.clear()
        self._starts = [0, *accumulate(_height(line, width) for line in self._lines)] if width else [0]
        self.set_lines(self._starts[-1])
        now = self._in_sight()
        for y in range(max(len(before), len(now))):
            if before[y : y + 1] != now[y : y + 1]:
                self.refresh_line(self.scroll_offset.y + y)

    # drawing

    def _in_sight(self) -> list[Strip]:
        top = self.scroll_offset.y
        return [self._strip(y) for y in range(top, min(top + self.size.height, self._starts[-1]))]

    def _strip(self, y: int) -> Strip:
        at = bisect_right(self._starts, y) - 1
        if at not in self._strips:
            self._draw(at)
        strips, place = self._strips[at], y - self._starts[at]
        return strips[place] if place < len(strips) else Strip.blank(self.scrollable_size.width)

    def _draw(self, at: int) -> None:
        width, style = self.scrollable_size.width, self.visual_style
        if self.text_selection is not None:  # it counts lines from the first one
            drawn = Visual.to_strips(self, self.render(), width, None, style, pad=True)
            for number in range(len(self._lines)):
                self._strips[number] = drawn[self._starts[number] : self._starts[number + 1]]
        else:
            drawn = Visual.to_strips(self, self._lines[at], width, None, style, pad=True)
            self._strips[at] = [_placed(strip, at) for strip in drawn]

    def render(self) -> Content:
        """Return all that is shown: what text is selected from."""
        return stack(self._lines)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the visible part."""
        at = self.scroll_offset.y + y
        if at < self._starts[-1]:
            return self._strip(at)
        return Strip.blank(self.scrollable_size.width, self.visual_style.rich_style)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return the lines that the content takes in this width."""
        return sum(_height(line, max(1, width)) for line in self._lines)  # border and padding may leave none

    def on_resize(self) -> None:
        """Wrap the content anew."""
        self._anew()

    def watch_show_vertical_scrollbar(self) -> None:
        """Wrap the content beside the scrollbar, not under it."""
        if self.is_mounted:
            self._anew()

    def notify_style_update(self) -> None:
        """Draw the content in other colours."""
        super().notify_style_update()
        if self.is_mounted:
            self._anew()

    def selection_updated(self, selection: Selection | None) -> None:
        """Draw what is selected."""
        self._anew()

    def _anew(self) -> None:
        self._wrap()
        self.refresh()

    @property
    def text(self) -> str:
        """The plain text shown."""
        return "\n".join(line.plain for line in self._lines)


def _height(line: Content, width: int) -> int:
    text = line.plain
    if "\t" in text or "\n" in text:
        return line.get_height({}, width)
    return 1 if cell_len(text) <= width else _parts(text, width)


@lru_cache(4096)  # remedies read the same in every wave
def _parts(text: str, width: int) -> int:
    return len(divide_line(text, width)) + 1


def _placed(strip: Strip, line: int) -> Strip:
    """Return a strip that knows which line it is, for text to be selected with the mouse."""
    first = next(iter(strip), None)
    offset = first.style.meta.get("offset") if first is not None and first.style is not None else None
    return strip if offset is None else strip.apply_offsets(offset[0], line)
