"""A table for very many rows: it draws only the lines that are on the screen.

    rows    a sequence of plain tuples; the first field is the row's key and is not shown
    order   which rows are shown, and in which order: what filter and sort leave

Nothing is copied or measured per row, so a hundred thousand rows cost as much to paint as forty.
New rows keep the cursor on the row it was on. Cells are plain text, never markup. Marks are keys and stay
while filters change. Cells that other rows bring new content to flash once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer

from tui.text import fit, folded, pinch
from tui.widgets.column import Column, fitting
from tui.widgets.flash import FLASH_S, by_key, changed_fields
from tui.widgets.scrolled import Scrolled, amid

MARGIN = 3  # cursor, mark, blank
_WHOLE_LINE = ("cursor", "blurred")


class VirtualTable(Scrolled):
    """Rows to move through, sort, mark and open. Posts ``Moved``, ``Opened`` and ``Sorted``."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header", "table--cursor", "table--blurred",
        "table--good", "table--warn", "table--bad", "table--dim", "table--accent",
    }  # fmt: skip
    DEFAULT_CSS = """
    VirtualTable > .table--header { color: $text-muted; text-style: bold; }
    VirtualTable > .table--cursor { background: $primary 35%; color: $text; text-style: bold; }
    VirtualTable > .table--blurred { background: $panel; }
    VirtualTable:ansi > .table--cursor, VirtualTable:nocolor > .table--cursor {
        background: ansi_default; color: ansi_default; text-style: bold reverse;
    }
    VirtualTable:ansi > .table--blurred, VirtualTable:nocolor > .table--blurred {
        background: ansi_default; color: ansi_default; text-style: underline;
    }
    VirtualTable > .table--good { color: $text-success; }
    VirtualTable > .table--warn { color: $text-warning; }
    VirtualTable > .table--bad { color: $text-error; text-style: bold; }
    VirtualTable > .table--dim { color: $text-muted; }
    VirtualTable > .table--accent { color: $text-accent; }
    """
    BINDINGS: ClassVar[list[Any]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home,g", "edge(-1)", "first", show=False),
        Binding("end,G", "edge(1)", "last", show=False),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)

    class Moved(Message):
        """The cursor stands on another row, or the row it stands on has new content."""

        def __init__(self, table: VirtualTable) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> VirtualTable:
            """The table."""
            return self.table

    class Opened(Moved):
        """The row under the cursor is to be opened."""

    class Sorted(Moved):
        """The table was sorted by a click on a title."""

    def __init__(self, columns: Sequence[Column], empty: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.chosen: tuple[int, ...] = tuple(range(len(self.columns)))  # columns that may be shown, in order
        self.marks: set[Hashable] = set()
        self.rows: Sequence[tuple[Any, ...]] = ()
        self.order: Sequence[int] = range(0)
        self.sorted_by: int | None = None  # index into columns
        self.reverse = False
        self.sift: Callable[[Sequence[tuple[Any, ...]]], Sequence[int] | None] | None = None
        self._matches: Sequence[int] | None = None
        self._empty = empty
        self._amid = False  # whether the cursor stays amid its neighbours, whatever size the table gets
        self._layout: tuple[tuple[int, int], ...] = ()  # column index, width
        self._styles_of: dict[str, Style] = {}
        self.flashes = False  # whether changed cells flash; the first read is no change
        self.flashed: dict[Hashable, frozenset[int]] = {}  # key → fields that changed just now
        self._calming: Timer | None = None

    # what is shown

    def set_rows(self, rows: Sequence[tuple[Any, ...]], matches: Sequence[int] | None = None) -> None:
        """Show other rows, all of them or those at ``matches``; the cursor stays with its row's key.

        A table with a ``sift`` of its own asks that which of them match.
        """
        key, seen = self.key, self._in_sight()
        self.rows = rows
        self._matches = self.sift(rows) if self.sift is not None else matches
        self._arrange(key)
        self._repaint(seen)
        if self.flashes:
            self._flash(changed_fields(by_key(seen), by_key(self._in_sight())))

    def set_matches(self, matches: Sequence[int] | None) -> None:
        """Show only the rows at these indexes, None for all."""
        key = self.key
        self._matches = matches
        self._arrange(key)
        self.refresh()

    def set_empty(self, text: str) -> None:
        """Set what is said when there is no row."""
        if text != self._empty:
            self._empty = text
            self.refresh()

    def choose(self, columns: Iterable[int]) -> None:
        """Show these columns (indexes), in this order, as far as they fit."""
        self.chosen = tuple(columns)
        self._lay_out()
        self.refresh()

    def sort_by(self, column: int | None, reverse: bool = False) -> None:
        """Sort by a column (an index), None for the order the rows came in."""
        key = self.key
        self.sorted_by, self.reverse = column, reverse
        self._arrange(key)
        self.refresh()

    def sort_next(self) -> None:
        """Sort by the next shown column, after the last one by none."""
        shown = [index for index, _ in self._layout] or list(range(len(self.columns)))
        if self.sorted_by is None:
            self.sort_by(shown[0])
        else:
            at = shown.index(self.sorted_by) if self.sorted_by in shown else len(shown)
            self.sort_by(shown[at + 1] if at + 1 < len(shown) else None)

    @property
    def sort_words(self) -> str:
        """Say how the table is sorted."""
        if self.sorted_by is None:
            return "in source order" + (" ↓" if self.reverse else "")
        return f"by {self.columns[self.sorted_by].title} {'↓' if self.reverse else '↑'}"

    @property
    def row(self) -> tuple[Any, ...] | None:
        """The row under the cursor."""
        return self.rows[self.order[self.cursor]] if 0 <= self.cursor < len(self.order) else None

    @property
    def key(self) -> Hashable | None:
        """The key of the row under the cursor."""
        row = self.row
        return row[0] if row is not None else None

    def mark(self, keys: Iterable[Hashable]) -> None:
        """Mark exactly these rows."""
        self.marks = set(keys)
        self.refresh()

    def turn_mark(self) -> None:
        """Mark the row under the cursor, or take its mark away, and go on to the next."""
        if self.key is not None:
            self.marks ^= {self.key}
            self.refresh()
            self.action_move(1)

    def shown_keys(self) -> list[Hashable]:
        """Return the keys of the rows that are shown, in their order."""
        return [self.rows[index][0] for index in self.order]

    def cells(self, row: Sequence[Any]) -> list[str]:
        """Return what the chosen columns show of a row."""
        return [self.columns[index].show(row[self.columns[index].field]) for index in self.chosen]

    def move_to(self, key: Hashable) -> bool:
        """Put the cursor on the row with this key; False when it is not shown."""
        for position, index in enumerate(self.order):
            if self.rows[index][0] == key:
                self.cursor = position
                return True
        return False

    def move_amid(self, key: Hashable) -> bool:
        """Put the cursor on a row with its neighbours in sight; False when it is not shown.

        Where it comes to rest follows from its place and the table's size alone, not from the sizes that the
        table had on the way to that one. Whoever moves or scrolls ends this.
        """
        found = self.move_to(key)
        self._amid = found
        self._follow()
        return found

    def _arrange(self, key: Hashable | None) -> None:
        order: Sequence[int] = range(len(self.rows)) if self._matches is None else self._matches
        if self.sorted_by is not None:
            rows, column = self.rows, self.columns[self.sorted_by]
            place = column.sorts or column.field
            known = [index for index in order if rows[index][place] not in (None, "")]
            unknown = [index for index in order if rows[index][place] in (None, "")]
            known.sort(key=lambda index: _comparable(rows[index][place]), reverse=self.reverse)
            order = known + unknown  # what is not known comes last either way
        elif self.reverse:
            order = order[::-1]
        self.order = order
        self.set_lines(len(order) + 1)
        old = self.cursor
        here = 0 <= old < len(order) and self.rows[order[old]][0] == key
        if not here and (key is None or not self.move_to(key)):
            self.cursor = max(0, min(old, len(order) - 1))
        if self.cursor == old:  # the watcher speaks when it changed
            self.post_message(self.Moved(self))

    def _in_sight(self) -> list[tuple[Any, ...]]:
        top = self.scroll_offset.y
        return [self.rows[index] for index in self.order[top : top + max(self.size.height - 1, 0)]]

    def _repaint(self, seen: Sequence[tuple[Any, ...]]) -> None:
        """Repaint the lines that read otherwise than those that were seen; all when some came or went."""
        now, shown = self._in_sight(), [self.columns[index] for index, _ in self._layout]
        if self.flashed or len(now) != len(seen) or not now:
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(seen, now, strict=True), self.scroll_offset.y + 1):
            if old is not new and (old[0] != new[0] or any(one.differs(old, new) for one in shown)):
                self.refresh_line(y)

    def _flash(self, changed: dict[Hashable, frozenset[int]]) -> None:
        if changed:
            self.flashed = changed
            if self._calming is not None:
                self._calming.stop()
            self._calming = self.set_timer(FLASH_S, self._calm_down)

    def _calm_down(self) -> None:
        self.flashed = {}
        self.refresh()

    # drawing

    def watch_cursor(self, old: int, new: int) -> None:
        """Keep the cursor on the screen."""
        self._amid = False
        if not self.is_mounted:
            return
        self.refresh_lines(old + 1)
        self.refresh_lines(new + 1)
        self._follow()
        self.post_message(self.Moved(self))

    def _follow(self) -> None:
        page = max(1, self.size.height - 1)
        top = self.scroll_offset.y
        if self._amid:
            self.scroll_to(y=amid(self.cursor, page), animate=False)
            self._amid = True  # it was wherry that scrolled
        elif self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False)
        elif self.cursor >= top + page:
            self.scroll_to(y=self.cursor - page + 1, animate=False)

    def release_anchor(self) -> None:
        """Let the lines stand where somebody scrolled them to."""
        self._amid = False
        super().release_anchor()

    def on_resize(self) -> None:
        """Choose the columns that fit."""
        self._lay_out()
        self._follow()
        self.refresh()

    def _lay_out(self) -> None:
        self._layout = fitting(self.columns, self.chosen, self.size.width - MARGIN)

    def notify_style_update(self) -> None:
        """Forget styles of another theme."""
        self._styles_of.clear()
        super().notify_style_update()

    def on_focus(self) -> None:
        """Redraw the cursor."""
        self.refresh()

    def on_blur(self) -> None:
        """Redraw the cursor."""
        self.refresh()

    def _style(self, name: str) -> Style:
        style = self._styles_of.get(name)
        if style is None:
            part = name not in _WHOLE_LINE  # a tone leaves the line's own background
            style = self.get_component_rich_style(f"table--{name}", partial=part) if name else self.rich_style
            self._styles_of[name] = style
        return style

    def render_line(self, y: int) -> Strip:
        """Draw one line of the visible part."""
        width, base = self.size.width, self._style("")
        if y == 0:
            return self._header(width, base + self._style("header"))
        position = self.scroll_offset.y + y - 1
        if position >= len(self.order):
            said = folded(self._empty, max(width - MARGIN, 1)) if not self.order else []
            text = said[y - 2] if 2 <= y < 2 + len(said) else ""
            return Strip([Segment(fit(" " * MARGIN + text, width), base + self._style("dim"))], width)
        row = self.rows[self.order[position]]
        at_cursor = position == self.cursor
        if at_cursor:
            base += self._style("cursor" if self.has_focus else "blurred")
        marked = "✓" if self.marks and row[0] in self.marks else " "
        flashed = self.flashed.get(row[0], ()) if self.flashed else ()
        segments = [Segment(f"{'▸' if at_cursor else ' '}{marked} ", base)]
        for index, cells in self._layout:
            column = self.columns[index]
            value = row[column.field]
            tone = "accent" if column.field in flashed else column.tone(value)
            style = base + self._style(tone) if tone else base
            words = column.show(value)
            shown = pinch(words, cells) if column.pinched else fit(words, cells, column.right)
            segments.append(Segment(shown + " ", style))
        return Strip(segments).adjust_cell_length(width, base)

    def _header(self, width: int, style: Style) -> Strip:
        parts = [" " * MARGIN]
        for index, cells in self._layout:
            column = self.columns[index]
            arrow = ("↓" if self.reverse else "↑") if index == self.sorted_by else ""
            parts.append(fit(column.title + arrow, cells, column.right) + " ")
        return Strip([Segment("".join(parts), style)]).adjust_cell_length(width, style)

    # moving

    def action_move(self, by: int) -> None:
        """Move the cursor by some rows."""
        self.cursor = max(0, min(self.cursor + by, len(self.order) - 1))

    def action_page(self, direction: int) -> None:
        """Move the cursor by a page."""
        self.action_move(direction * max(1, self.size.height - 2))

    def action_edge(self, direction: int) -> None:
        """Move the cursor to the first or last row."""
        self.cursor = 0 if direction < 0 else max(0, len(self.order) - 1)

    def on_click(self, event: events.Click) -> None:
        """A click on a title sorts, on a row moves there, on the row of the cursor opens it."""
        spot = event.get_content_offset(self)
        if spot is None:
            return
        if spot.y == 0:
            left = MARGIN
            for index, cells in self._layout:
                if left <= spot.x < left + cells + 1:
                    self.sort_by(index, index == self.sorted_by and not self.reverse)
                    self.post_message(self.Sorted(self))
                left += cells + 1
            return
        position = self.scroll_offset.y + spot.y - 1
        if position < len(self.order):
            if position == self.cursor and event.chain == 2:
                self.post_message(self.Opened(self))
            self.cursor = position

    def open_row(self) -> None:
        """Ask for the row under the cursor to be opened."""
        if self.row is not None:
            self.post_message(self.Opened(self))


def _comparable(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value
