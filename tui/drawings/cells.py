"""One line of a drawing as cells: what is put later lies over what was there, wide letters stay whole.

Everything that is put goes through ``visible``, so no name can do anything or push the next column.
A drawing is a ``Picture``: its lines, and the spot of each thing that can be selected or clicked.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from functools import lru_cache
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


@lru_cache(8192)
def _clusters(text: str) -> tuple[tuple[str, int], ...]:
    """Return letters with the marks that lie on them, and the cells each takes."""
    if text.isascii():
        return tuple((letter, 1) for letter in text)
    clusters: list[tuple[str, int]] = []
    for letter in text:
        if cell_len(letter):
            clusters.append((letter, cell_len(letter)))
        else:
            # A mark at the very start would climb onto what is left of it. One may widen what it is on.
            cluster = (clusters.pop()[0] if clusters else " ") + letter
            clusters.append((cluster, cell_len(cluster)))
    return tuple(clusters)


@lru_cache(8192)
def _laid(text: str, width: int | None, right: bool) -> tuple[tuple[str, ...], int]:
    """Return harmless text as glyphs of a cell each, "" under the rest of a wide one, and its end."""
    shown = visible(text) if width is None else fit(visible(text), width, right)
    glyphs: list[str] = []
    for glyph, cells in _clusters(shown):
        if width is not None and len(glyphs) + cells > width:
            break
        glyphs += [glyph, *[""] * (cells - 1)]
    return tuple(glyphs), len(glyphs) if width is None else max(0, width)


def _cut(glyphs: tuple[str, ...], first: int, end: int) -> list[str]:
    """Return a part of the glyphs; wide ones that an edge cuts are blank."""
    kept = list(glyphs[first:end])
    for at, glyph in enumerate(kept):
        if glyph:
            break
        kept[at] = " "
    if end < len(glyphs) and glyphs[end] == "":
        last = max(at for at, glyph in enumerate(kept) if glyph)
        kept[last:] = [" "] * (len(kept) - last)
    return kept


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
        glyphs, cells = _laid(text, width, right)
        begin, end = max(0, at), min(self.width, at + len(glyphs))
        if begin < end:
            kept = _cut(glyphs, begin - at, end - at)
            self._free(begin, end)
            self._glyphs[begin:end] = kept
            self._tones[begin:end] = [tone] * len(kept)
        return at + cells

    def _free(self, begin: int, end: int) -> None:
        """Blank what wide letters reach out of a stretch that is about to be drawn on."""
        while begin > 0 and self._glyphs[begin] == "":
            begin -= 1
            self._glyphs[begin] = " "
        while end < self.width and self._glyphs[end] == "":
            self._glyphs[end] = " "
            end += 1

    @property
    def used(self) -> int:
        """The cells up to the last that is drawn on."""
        return next((at + 1 for at in range(self.width - 1, -1, -1) if self._glyphs[at] != " "), 0)

    def content(self) -> Content:
        """Return the line, without the blank cells at its end."""
        drawn = zip(self._tones[: self.used], self._glyphs, strict=False)
        runs = groupby(drawn, key=lambda cell: cell[0])
        return line(*(("".join(glyph for _, glyph in run), tone) for tone, run in runs))
