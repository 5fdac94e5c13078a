"""How much of each limit is used: one bar a line, the cap marked in it, what is over it said in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len

from planner.names import visible
from tui.drawings.cells import Cells
from tui.text import bar

if TYPE_CHECKING:
    from textual.content import Content

_NEAR = 0.9
_WORDS_FROM = 44  # cells: narrower than this a verdict is its glyph
_VERDICT, _GAP, _LEAST_BAR = 10, 2, 8


@dataclass(frozen=True, slots=True)
class Share:
    """A named quantity and its cap, in one unit that ``show`` writes. No cap: None; None used: not known."""

    name: str
    used: float | None
    cap: float | None
    show: Callable[[float], str]


def shares(items: Sequence[Share], width: int, name_width: int = 16) -> tuple[Content, ...]:
    """Return one line a share: name, bar, figures, verdict."""
    texts = [_figures(item) for item in items]
    verdict = _VERDICT if width >= _WORDS_FROM else 1
    name = min(name_width, max(0, width // 4))
    room = max(0, width - name - verdict - 2 * _GAP)
    figures = min(max((cell_len(visible(text)) for text in texts), default=0), room)
    drawn = room - figures - _GAP if room - figures - _GAP >= _LEAST_BAR else 0
    uncapped = max((item.used or 0 for item in items if item.cap is None), default=0)
    return tuple(
        _line(item, text, (name, drawn, figures, verdict), uncapped, width)
        for item, text in zip(items, texts, strict=True)
    )


def verdict_of(item: Share) -> tuple[str, str, str]:
    """Return glyph, words and tone of a share: fine, near its cap, over it, without one, not known."""
    if item.used is None:
        return "?", "unknown", "dim"
    if item.cap is None:
        return "·", "no cap", "dim"
    if item.used > item.cap:
        return "✖", "over", "bad"
    part = item.used / item.cap if item.cap > 0 else 0.0
    percent = f"{int(part * 100)} %"
    return ("▲", percent, "warn") if part >= _NEAR else ("✔", percent, "good")


def _figures(item: Share) -> str:
    used = "?" if item.used is None else item.show(item.used)
    return used if item.cap is None else f"{used} / {item.show(item.cap)}"


def _line(item: Share, text: str, parts: tuple[int, int, int, int], uncapped: float, width: int) -> Content:
    name, drawn, figures, verdict = parts
    glyph, words, tone = verdict_of(item)
    cells = Cells(width)
    left = cells.put(0, item.name, "", name) + _GAP
    if drawn:
        _bar(cells, item, left, drawn, uncapped, tone)
        left += drawn + _GAP
    left = cells.put(left, text, "", figures, right=True) + _GAP
    cells.put(left, f"{glyph} {words}" if verdict > 1 else glyph, tone, verdict)
    return cells.content()


def _bar(cells: Cells, item: Share, left: int, drawn: int, uncapped: float, tone: str) -> None:
    if item.used is None:
        cells.put(left, "? " * (drawn // 2), "dim")
        return
    if item.cap is None:
        cells.put(left, bar(item.used, uncapped, drawn), "accent")
        return
    # The last cell is the cap's own; of what is over, the bar goes on behind the mark.
    whole = max(item.used, item.cap)
    mark = drawn - 1 if item.used <= item.cap else max(0, round(item.cap / whole * (drawn - 1)))
    cells.put(left, "░" * mark, "dim")
    cells.put(left, bar(item.used, item.cap, mark), tone)
    cells.put(left + mark + 1, "█" * (drawn - mark - 1), tone)
    cells.put(left + mark, "│", "accent")
