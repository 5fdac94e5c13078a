"""What a Gantt chart shows: rows of bars, columns beside them, shades behind them, and how they are laid out.

Plain values: callers map waves, groups or steps to them. Times are aware; names are untrusted and are
made harmless where they are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from tui.drawings.axis import Slots, Span
from tui.drawings.timeline_link import Load


class Kind(Enum):
    """What a bar stands for, with its glyph and tone; later kinds lie over earlier ones."""

    SOAK = ("soak", "·", "dim")
    SEED = ("seed", "░", "")
    SYNC = ("sync", "▓", "accent")
    CUTOVER = ("cutover", "█", "good")
    GATE = ("gate", "◆", "warn")

    @property
    def glyph(self) -> str:
        """One cell."""
        return self.value[1]

    @property
    def tone(self) -> str:
        """The tone of the bar."""
        return self.value[2]


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of one kind; ``wrong`` draws it as a violation. A gate starts and ends at once."""

    kind: Kind
    start: datetime
    end: datetime
    wrong: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the chart. ``texts`` stand under the chart's columns, ``verdict`` begins with its glyph."""

    label: str
    texts: tuple[str, ...] = ()
    bars: tuple[Bar, ...] = ()
    verdict: str = ""
    tone: str = ""
    slot: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column left of the chart, ``width`` cells wide."""

    title: str
    width: int
    right: bool = False


@dataclass(frozen=True, slots=True)
class Shade:
    """A window in which rows may cut over, or a freeze in which they must not."""

    start: datetime
    end: datetime
    name: str = ""
    freeze: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """What surrounds the rows. Without dates ``axis`` is slots, and ``loads`` is left empty.

    ``cap`` says the link's cap in words; ``loads`` None means that there is no link to draw, ``legend``
    whether glyphs are explained.
    """

    axis: Span | Slots
    columns: tuple[Column, ...] = ()
    title: str = "wave"
    zone: str = "UTC"
    shades: tuple[Shade, ...] = ()
    now: datetime | None = None
    loads: tuple[Load, ...] | None = None
    cap: str = ""
    label_width: int = 20
    verdict_width: int = 20
    kinds: tuple[Kind, ...] = (Kind.SEED, Kind.SYNC, Kind.CUTOVER, Kind.SOAK, Kind.GATE)
    legend: bool = True


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the parts of a line lie in a width: columns that have no room are left out."""

    label: int
    columns: tuple[Column, ...]
    chart_at: int
    chart: int
    verdict_at: int
    verdict: int


MARK, GAP = 2, 2
_LEAST_LABEL, _LEAST_VERDICT = 8, 12


def lay_out(chart: Chart, width: int) -> Layout:
    """Return where things lie; the chart itself gets two fifths of the line before any column does."""
    columns, label, verdict = list(chart.columns), chart.label_width, chart.verdict_width
    least = max(24, width * 2 // 5)

    def room() -> int:
        beside = sum(column.width + GAP for column in columns) + (verdict + GAP if verdict else 0)
        return width - MARK - label - GAP - beside

    while columns and room() < least:
        columns.pop()
    if room() < least:
        label = max(min(label, _LEAST_LABEL), label - (least - room()))
    if room() < least:
        verdict = max(min(verdict, _LEAST_VERDICT), verdict - (least - room()))
    if room() < _LEAST_LABEL:
        verdict = 0
    drawn = max(0, room())
    chart_at = MARK + label + GAP + sum(column.width + GAP for column in columns)
    return Layout(label, tuple(columns), chart_at, drawn, chart_at + drawn + GAP, verdict)
