"""A table whose rows lie elsewhere: it asks for the pages that are on the screen, and forgets the rest.

It holds neither all rows nor their keys; who answers sorts and filters too.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import Any, overload

from rich.segment import Segment
from textual.message import Message
from textual.strip import Strip

from tui.text import fit
from tui.widgets.column import Column
from tui.widgets.table import MARGIN, VirtualTable

PAGE = 200  # rows
_KEPT = 60  # pages


class Pages(Sequence[tuple[Any, ...]]):
    """Rows by number, as far as their pages are there; ``want`` hears of a page that is not, once."""

    def __init__(self, count: int, fields: int, want: Callable[[int], None]) -> None:
        self._count = count
        self._blank = (None, *[""] * fields)
        self._want = want
        self._pages: OrderedDict[int, list[tuple[Any, ...]]] = OrderedDict()
        self._wanted: set[int] = set()

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, at: int) -> tuple[Any, ...]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[Any, ...]]: ...
    def __getitem__(self, at: int | slice) -> Any:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(self._count))]
        if not 0 <= at < self._count:
            raise IndexError(at)
        number, place = divmod(at, PAGE)
        page = self._pages.get(number)
        if page is None:
            if number not in self._wanted:
                self._wanted.add(number)
                self._want(number)
            return self._blank
        self._pages.move_to_end(number)
        return page[place] if place < len(page) else self._blank

    def put(self, number: int, rows: Iterable[Sequence[Any]]) -> None:
        """Put a page there."""
        self._pages[number] = [tuple(row) for row in rows]
        self._wanted.discard(number)
        while len(self._pages) > _KEPT:
            self._pages.popitem(last=False)

    def held(self) -> list[tuple[int, tuple[Any, ...]]]:
        """Return the rows that are there, with their numbers."""
        return [
            (number * PAGE + at, row)
            for number, page in sorted(self._pages.items())
            for at, row in enumerate(page)
        ]


class PagedTable(VirtualTable):
    """A table of rows that are asked for. Posts ``Wanted``; ``put`` answers it."""

    class Wanted(Message):
        """A page is to be put there."""

        def __init__(self, table: PagedTable, number: int) -> None:
            super().__init__()
            self.table, self.number = table, number

    def __init__(self, columns: Sequence[Column], empty: str = "", id: str | None = None) -> None:
        super().__init__(columns, empty, id)
        self.pages = Pages(0, len(columns), self._want)
        self.is_blank = False  # no page of these rows is there yet
        self._after = ""  # the key of the row the cursor goes back to

    def _want(self, number: int) -> None:
        # Said while a screen draws, it would count as the screen's own word and not reach it.
        self.call_next(lambda: self.post_message(self.Wanted(self, number)))

    def begin(self, count: int, follows: bool = False) -> None:
        """Show so many other rows; the cursor stays on its row as far as that is on the same page.

        One that ``follows`` stays at its place instead, whatever row is there now.
        """
        self._after = "" if follows else str(self.key or "")
        self.pages = Pages(count, max(column.field for column in self.columns), self._want)
        self.rows = self.pages
        self.is_blank = count > 0
        self._arrange(None)

    def put(self, pages: Pages, number: int, rows: Iterable[Sequence[Any]]) -> None:
        """Put a page there, unless other rows are shown meanwhile."""
        if pages is not self.pages:
            return
        pages.put(number, rows)
        self.is_blank = False
        if self._after and self.move_to(self._after):
            self._after = ""
        self.refresh()
        if self.cursor // PAGE == number:
            self._after = ""
            self.post_message(self.Moved(self))

    @property
    def row(self) -> tuple[Any, ...] | None:
        """The row under the cursor, None while it is not there."""
        found = super().row
        return None if found is None or found[0] is None else found

    def move_to(self, key: Hashable) -> bool:
        """Put the cursor on a row that is there."""
        for number, row in self.pages.held():
            if row[0] == key:
                self.cursor = number
                return True
        return False

    def shown_keys(self) -> list[Hashable]:
        """Return the keys of the rows that are there."""
        return [row[0] for _, row in self.pages.held()]

    def render_line(self, y: int) -> Strip:
        """Draw a line; one whose row is not there yet is a dotted one."""
        position = self.scroll_offset.y + y - 1
        if y == 0 or position >= len(self.order) or self.rows[self.order[position]][0] is not None:
            return super().render_line(y)
        style = self._style("") + self._style("dim")
        if position == self.cursor:
            style += self._style("cursor" if self.has_focus else "blurred")
        return Strip([Segment(fit(" " * MARGIN + "…", self.size.width), style)], self.size.width)

    def _arrange(self, key: Hashable | None) -> None:
        self.order = range(len(self.pages))
        self.set_lines(len(self.order) + 1)
        self.cursor = max(0, min(self.cursor, len(self.order) - 1))
        self.refresh()
        self.post_message(self.Moved(self))
