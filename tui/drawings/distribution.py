"""How a quantity is spread: a histogram of a few lines, its median and 95th percentile under the axis.

Values that are no numbers (not known) are counted and said, never drawn as nothing.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from statistics import quantiles
from typing import TYPE_CHECKING

from rich.cells import cell_len

from planner.names import visible
from tui.drawings.cells import Cells
from tui.drawings.timeline_link import spark
from tui.text import plural

if TYPE_CHECKING:
    from textual.content import Content

_MOST_BINS = 60


def histogram(
    values: Sequence[float | None],
    width: int,
    show: Callable[[float], str],
    height: int = 4,
    noun: str = "value",
) -> tuple[Content, ...]:
    """Return ``height`` lines of bars and four below them; ``show`` writes a value with its unit."""
    known = sorted(value for value in values if value is not None and math.isfinite(value))
    if not known or width <= 0:
        said = Cells(width)
        said.put(0, f"? no {noun} known yet", "dim", width)
        return (*[Cells(width).content()] * height, said.content(), *[Cells(width).content()] * 3)
    bins = min(_MOST_BINS, width, max(8, 2 * math.isqrt(len(known))))
    each = max(1, width // bins)
    lowest, highest = known[0], known[-1]
    counts = Counter(_bin(value, lowest, highest, bins) for value in known)
    return (
        *_bars(counts, bins, each, width, height),
        _rule(bins * each, width),
        *(
            _marked(word, value, _bin(value, lowest, highest, bins) * each + each // 2, width, show)
            for word, value in zip(("P50", "P95"), spread(known), strict=True)
        ),
        _said(known, len(values) - len(known), width, show, noun),
    )


def spread(known: Sequence[float]) -> tuple[float, float]:
    """Return median and 95th percentile of at least one number, between neighbours where they fall."""
    if len(known) == 1:
        return known[0], known[0]
    cuts = quantiles(known, n=20, method="inclusive")
    return cuts[9], cuts[18]


def _bin(value: float, lowest: float, highest: float, bins: int) -> int:
    if highest <= lowest:
        return bins // 2
    return min(bins - 1, max(0, int((value - lowest) / (highest - lowest) * bins)))


def _bars(counts: Counter[int], bins: int, each: int, width: int, height: int) -> list[Content]:
    most = max(counts.values())
    lines = []
    for line in range(height - 1, -1, -1):
        cells = Cells(width)
        for number in range(bins):
            # What is there at all has an eighth of a cell, however much stands elsewhere.
            filled = max(counts[number] / most * height, 0.125 if counts[number] else 0.0) - line
            cells.put(number * each, spark(min(filled, 1.0)) * each, "accent")
        lines.append(cells.content())
    return lines


def _rule(length: int, width: int) -> Content:
    cells = Cells(width)
    cells.put(0, "─" * length, "dim")
    return cells.content()


def _marked(word: str, value: float, cell: int, width: int, show: Callable[[float], str]) -> Content:
    """Return an arrow under a value, its words on the side that has room."""
    cells = Cells(width)
    text = f"{word} {visible(show(value))}"
    cells.put(cell, "↑", "accent")
    if cell + 2 + cell_len(text) <= width:
        cells.put(cell + 2, text)
    else:
        room = min(cell - 1, cell_len(text))
        cells.put(cell - 1 - room, text, "", room)
    return cells.content()


def _said(
    known: Sequence[float], unknown: int, width: int, show: Callable[[float], str], noun: str
) -> Content:
    cells = Cells(width)
    many = plural(len(known), noun)
    between = show(known[0]) if known[0] == known[-1] else f"{show(known[0])} to {show(known[-1])}"
    cells.put(0, f"{many}, {between}" + (f", ? {unknown} not known" if unknown else ""), "dim", width)
    return cells.content()
