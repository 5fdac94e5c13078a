"""The load of the link under a chart, on the same axis: a spark for each cell, the cap in words.

A cell shows the busiest moment in it. What nobody knows is a question mark, never an idle link.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tui.drawings.axis import Span
from tui.drawings.cells import Cells

SPARKS = " ▁▂▃▄▅▆▇█"
_FINE, _UNKNOWN, _OVER = range(3)


@dataclass(frozen=True, slots=True)
class Load:
    """How much of the link's cap is used for a time; None is not known."""

    start: datetime
    end: datetime
    share: float | None


def spark(share: float) -> str:
    """Return the glyph of a share of a full cell; something is never drawn as nothing."""
    if not share > 0:
        return SPARKS[0]
    return SPARKS[min(8, max(1, round(share * 8)))]


def _rank(share: float | None) -> tuple[int, float]:
    """Order loads by what a cell must tell: over the cap, then not known, then how busy."""
    if share is None or math.isnan(share):
        return _UNKNOWN, 0.0
    return (_OVER if share > 1 else _FINE), share


def draw_link(cells: Cells, left: int, width: int, loads: Sequence[Load], span: Span) -> float | None:
    """Draw the load in ``width`` cells from ``left`` on; returns the highest share seen there, if any."""
    busiest: dict[int, tuple[int, float]] = {}
    highest: float | None = None
    for load in loads:
        stretch = span.cells(load.start, load.end, width)
        rank = _rank(load.share)
        for cell in stretch:
            busiest[cell] = max(rank, busiest.get(cell, rank))
        if stretch and rank[0] != _UNKNOWN:
            highest = max(rank[1], highest or 0.0)
    for cell, (kind, share) in busiest.items():
        glyph, tone = (spark(share), "accent") if kind == _FINE else ("?", "dim")
        cells.put(left + cell, *(("▲", "bad") if kind == _OVER else (glyph, tone)))
    return highest
