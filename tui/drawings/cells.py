"""One line of a drawing as cells: what is put later lies over what was there, wide letters stay whole.

Everything that is put goes through ``visible``, so no name can do anything or push the next column.
A drawing is a ``Picture``: its lines, and the spot of each thing that can be selected or clicked.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len

from planner.names import visible
from tui.text import fit, line

if TYPE_CHECKING:
    from textual.content import Content


class Spot(NamedTuple):
    """Where a thing lies: a line from 0, and its first and last cell."""

    line: int
    first: int
    last: int


class Picture(NamedTuple):
    """Lines, and what lies where; spots are in the order of reading."""

    lines: tuple[Content, ...]
    spots: dict[Hashable, Spot]


def at(spots: Mapping[Hashable, Spot], line: int, cell: int, height: int = 1) -> Hashable | None:
    """Return the key of the thing under a cell; ``height`` is how many lines each thing has."""
    for key, spot in spots.items():
        if 0 <= line - spot.line < height and spot.first <= cell <= spot.last:
            return key
    return None


def first_shown(first: int, selected: int | None, room: int, total: int) -> int:
    """Return the first of ``room`` things so that the selected one is seen and no room is wasted."""
    if selected is not None:
        first = min(max(first, selected - room + 1), selected)
    return max(0, min(first, total - room))


def _clusters(text: str) -> Iterator[tuple[str, int]]:
    """Yield letters with the marks that lie on them, and the cells each takes."""
    if text.isascii():
        yield from ((letter, 1) for letter in text)
        return
    cluster, cells = "", 0
    for letter in text:
        if cluster and cell_len(letter) == 0:
            cluster += letter
            cells = cell_len(cluster)  # a variation selector widens what it stands on
            continue
        if cluster:
            yield cluster, cells
        # A mark at the very start would climb onto what is left of it, and may widen that.
        cluster = letter if cell_len(letter) else f" {letter}"
        cells = cell_len(cluster)
    if cluster:
        yield cluster, cells


class Cells:
    """A line of ``width`` blank cells to draw on."""

    __slots__ = ("_glyphs", "_tones", "width")

    def __init__(self, width: int) -> None:
        self.width = max(0, width)
        self._glyphs = [" "] * self.width
        self._tones = [""] * self.width

    def put(self, at: int, text: str, tone: str = "", width: int | None = None, right: bool = False) -> int:
        """Draw text from a cell on, in exactly ``width`` cells if given; returns the cell after it.

        What lies outside of the line is cut off.
        """
        shown = visible(text)
        if width is not None:
            shown = fit(shown, width, right)
        end = at if width is None else at + max(0, width)
        for glyph, cells in _clusters(shown):
            if width is not None and at + cells > end:
                break
            self._set(at, glyph, cells, tone)
            at += cells
        return at if width is None else end

    def _set(self, at: int, glyph: str, cells: int, tone: str) -> None:
        whole = at >= 0 and at + cells <= self.width
        for cell in range(max(at, 0), min(at + cells, self.width)):
            self._clear(cell)
            self._glyphs[cell] = (glyph if cell == at else "") if whole else " "
            self._tones[cell] = tone

    def _clear(self, cell: int) -> None:
        """Blank a cell, and with it the whole letter that reaches over it."""
        start, end = cell, cell + 1
        while start > 0 and self._glyphs[start] == "":
            start -= 1
        while end < self.width and self._glyphs[end] == "":
            end += 1
        self._glyphs[start:end] = [" "] * (end - start)

    def is_blank(self, at: int) -> bool:
        """Say whether nothing is drawn there."""
        return 0 <= at < self.width and self._glyphs[at] == " "

    @property
    def used(self) -> int:
        """The cells up to the last that is drawn on."""
        return next((at + 1 for at in range(self.width - 1, -1, -1) if self._glyphs[at] != " "), 0)

    def content(self) -> Content:
        """Return the line, without the blank cells at its end."""
        drawn = zip(self._tones[: self.used], self._glyphs, strict=False)
        runs = groupby(drawn, key=lambda cell: cell[0])
        return line(*(("".join(glyph for _, glyph in run), tone) for tone, run in runs))
