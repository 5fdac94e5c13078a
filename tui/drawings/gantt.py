"""When what moves: rows of bars over an axis, with windows, freezes, now and the load of the link.

    time zone     September 2026                                        FRAME lines stand above and
      wave        05   06   07   08                       verdict       below the rows; below them
    ▸ W07         ░░░░░▓▓▓▓▓█◆╌╌┊┊┊                       ✔ fits        what is hidden, the legend
    link          ▁▂▃▅▆▇█▲                                peak 97 %     and the load.

Only the rows drawn are looked at, so a thousand waves cost what a screenful costs; what was drawn is kept
by who asks, so that a step of the cursor costs two rows.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from tui.drawings.axis import Slots, Span, Tick, date_ticks, slot_ticks
from tui.drawings.cells import Cells, Picture, Spot
from tui.drawings.chart import GAP, MARK, Bar, Chart, Kind, Layout, Row, Shade, lay_out
from tui.drawings.timeline_link import Load, draw_link
from tui.text import count as show_number

if TYPE_CHECKING:
    from textual.content import Content


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the rows, and behind them by cell of the chart."""

    place: Layout
    backdrop: dict[int, tuple[str, str]]
    head: list[Content]
    foot: list[Content]


@dataclass(slots=True)
class Kept:
    """What was drawn of one chart in one width: its frame, and each row as it was, chosen or not."""

    frame: Frame | None = None
    rows: dict[tuple[Row, bool], Content] = field(default_factory=dict)


def frame_lines(chart: Chart) -> int:
    """Return how many lines a picture has besides its rows."""
    return 3 + _has_names(chart) + chart.legend + (0 if chart.loads is None else 2)


def _has_names(chart: Chart) -> bool:
    return isinstance(chart.axis, Span) and any(shade.freeze for shade in chart.shades)


def gantt(
    chart: Chart,
    rows: Sequence[Row],
    width: int,
    first: int = 0,
    count: int = 20,
    selected: int | None = None,
    kept: Kept | None = None,
) -> Picture:
    """Return ``count`` rows from ``first`` on between the frame; the keys of spots are row numbers.

    ``kept`` is what was drawn before of the same chart in the same width, and is added to.
    """
    kept = Kept() if kept is None else kept
    if kept.frame is None:
        kept.frame = _framed(chart, width)
    frame = kept.frame
    lines = list(frame.head)
    spots: dict[Hashable, Spot] = {}
    first = max(0, min(first, len(rows)))
    shown = rows[first : first + max(0, count)]
    for number, row in enumerate(shown, first):
        spots[number] = Spot(len(lines), 0, max(0, width - 1))
        key = (row, number == selected)
        if key not in kept.rows:
            kept.rows[key] = _row(chart, row, frame.place, width, frame.backdrop, number == selected)
        lines.append(kept.rows[key])
    if not rows:
        lines.append(_said(width, "no rows"))
    lines += [_said(width, "") for _ in range(max(0, count) - max(len(shown), 0 if rows else 1))]
    lines.append(_hidden(first, len(rows) - first - len(shown), width))
    lines += frame.foot
    return Picture(tuple(lines), spots)


def _framed(chart: Chart, width: int) -> Frame:
    place = lay_out(chart, width)
    foot = [_legend(chart, width)] if chart.legend else []
    foot += _link(chart, place, width, chart.loads) if chart.loads is not None else []
    return Frame(place, _backdrop(chart, place), _head(chart, place, width), foot)


def when_at(chart: Chart, width: int, cell: int) -> datetime | None:
    """Return the time under a cell of the chart; None beside it, or on an axis of slots."""
    place = lay_out(chart, width)
    if isinstance(chart.axis, Slots) or not 0 <= cell - place.chart_at < place.chart:
        return None
    return chart.axis.at((cell - place.chart_at) / place.chart)


def _backdrop(chart: Chart, place: Layout) -> dict[int, tuple[str, str]]:
    """Return what lies behind the bars of every row, by cell of the chart."""
    drawn: dict[int, tuple[str, str]] = {}
    if isinstance(chart.axis, Slots):
        return drawn
    for shade in sorted(chart.shades, key=lambda shade: shade.freeze):
        look = ("┊", "warn") if shade.freeze else ("╌", "dim")
        drawn.update(dict.fromkeys(chart.axis.cells(shade.start, shade.end, place.chart), look))
    if chart.now is not None:
        drawn.update(dict.fromkeys(chart.axis.cells(chart.now, chart.now, place.chart), ("│", "accent")))
    return drawn


def _head(chart: Chart, place: Layout, width: int) -> list[Content]:
    above, titles, names = Cells(width), Cells(width), Cells(width)
    upper: tuple[Tick, ...] = ()
    if isinstance(chart.axis, Slots):
        lower = slot_ticks(chart.axis, place.chart)
        zone = "no dates: by slot"
    else:
        upper, lower = date_ticks(chart.axis, chart.zone, place.chart)
        zone = f"times in {chart.zone}" if place.chart_at > len(chart.zone) + 13 else chart.zone
    above.put(MARK, zone, "dim", place.chart_at - MARK - GAP)
    left = titles.put(MARK, chart.title, "dim", place.label)
    for column in place.columns:
        left = titles.put(left + GAP, column.title, "dim", column.width, column.right)
    for cells, ticks in ((above, upper), (titles, lower)):
        for tick in ticks:
            if tick.cell + len(tick.label) <= place.chart:
                cells.put(place.chart_at + tick.cell, tick.label, "dim")
    if not isinstance(chart.axis, Slots):
        freezes = sorted((shade for shade in chart.shades if shade.freeze), key=lambda shade: shade.start)
        _freeze_names(names, chart.axis, place, freezes)
    head = [above.content(), titles.content()]
    return [*head, names.content()] if _has_names(chart) else head


def _freeze_names(cells: Cells, span: Span, place: Layout, freezes: Iterable[Shade]) -> None:
    """Write each freeze's name from its first cell on, as far as the next one."""
    placed = [
        (stretch[0], shade)
        for shade in freezes
        if (stretch := span.cells(shade.start, shade.end, place.chart))
    ]
    ends = [*(begin for begin, _ in placed), place.chart][1:]
    for (begin, shade), end in zip(placed, ends, strict=True):
        cells.put(place.chart_at + begin, f"┊{shade.name or 'freeze'}", "warn", max(0, end - begin))


def _row(
    chart: Chart, row: Row, place: Layout, width: int, backdrop: dict[int, tuple[str, str]], selected: bool
) -> Content:
    cells = Cells(width)
    cells.put(0, "▸" if selected else " ", "accent")
    left = cells.put(MARK, row.label, "accent" if selected else "", place.label)
    for column, text in zip(place.columns, (*row.texts, *[""] * len(place.columns)), strict=False):
        left = cells.put(left + GAP, text, "", column.width, column.right)
    for cell, look in backdrop.items():
        cells.put(place.chart_at + cell, *look)
    if isinstance(chart.axis, Slots):
        _slot(cells, chart.axis, row, place)
    else:
        _bars(cells, chart.axis, row, place)
    cells.put(place.verdict_at, row.verdict, row.tone, place.verdict)
    return cells.content()


def _slot(cells: Cells, slots: Slots, row: Row, place: Layout) -> None:
    if row.slot is None:
        cells.put(place.chart_at, "? no slot", "dim", place.chart)
        return
    begin, end = (int(slots.share(row.slot + more) * place.chart) for more in (0, 1))
    wrong = any(bar.wrong for bar in row.bars)
    _draw(cells, place, range(max(0, begin), min(place.chart, max(end, begin + 1))), Kind.CUTOVER, wrong)
    _beyond(cells, place, end <= 0, begin >= place.chart)


def _bars(cells: Cells, span: Span, row: Row, place: Layout) -> None:
    if not row.bars:
        words = "? no dates" if row.slot is None else f"? no dates, slot {row.slot}"
        cells.put(place.chart_at, words, "dim", place.chart)
        return
    order = list(Kind)
    cut: set[int] = set()
    seen = False
    for bar in sorted(row.bars, key=lambda bar: order.index(bar.kind)):
        stretch = span.cells(bar.start, bar.end, place.chart)
        if bar.kind is Kind.CUTOVER:
            cut.update(stretch)
        elif bar.kind is Kind.GATE and stretch:
            # A gate stands after the cutover it waits in, and would hide a short one.
            step = next(cell for cell in range(stretch[0], place.chart + 1) if cell not in cut)
            stretch = range(step, min(place.chart, step + 1))
        _draw(cells, place, stretch, bar.kind, bar.wrong)
        seen = seen or bool(stretch)
    if not seen:
        _beyond(
            cells, place, *(all(test) for test in zip(*(_sides(span, bar) for bar in row.bars), strict=True))
        )


def _sides(span: Span, bar: Bar) -> tuple[bool, bool]:
    return span.share(bar.end) <= 0, span.share(bar.start) >= 1


def _draw(cells: Cells, place: Layout, stretch: range, kind: Kind, wrong: bool) -> None:
    glyph, tone = ("✖", "bad") if wrong else (kind.glyph, kind.tone)
    if stretch:
        cells.put(place.chart_at + stretch[0], glyph * len(stretch), tone)


def _beyond(cells: Cells, place: Layout, before: bool, after: bool) -> None:
    """Say on which side of the chart a row's bars lie."""
    if place.chart and before:
        cells.put(place.chart_at, "◂", "dim")
    elif place.chart and after:
        cells.put(place.chart_at + place.chart - 1, "▸", "dim")


def _said(width: int, text: str) -> Content:
    cells = Cells(width)
    cells.put(MARK, text, "dim", width - MARK)
    return cells.content()


def _hidden(above: int, below: int, width: int) -> Content:
    said = [f"↑ {show_number(above)} more above"] if above else []
    return _said(width, "   ".join([*said, f"↓ {show_number(below)} more below"] if below else said))


def _legend(chart: Chart, width: int) -> Content:
    cells = Cells(width)
    items = [(kind.glyph, kind.tone, kind.value[0]) for kind in chart.kinds]
    if isinstance(chart.axis, Slots):
        items = [("█", "good", "in this slot")]
    else:
        items += [("╌", "dim", "window")] if any(not shade.freeze for shade in chart.shades) else []
        items += [("┊", "warn", "freeze")] if any(shade.freeze for shade in chart.shades) else []
        items += [("│", "accent", "now")] if chart.now is not None else []
    left = MARK
    for glyph, tone, word in [*items, ("✖", "bad", "not allowed")]:
        if left + 2 + len(word) > width:
            break
        left = cells.put(cells.put(left, glyph, tone), f" {word}", "dim") + GAP
    return cells.content()


def _link(chart: Chart, place: Layout, width: int, loads: Sequence[Load]) -> list[Content]:
    cells, words = Cells(width), Cells(width)
    cells.put(MARK, "link", "dim", place.chart_at - MARK - GAP)
    if isinstance(chart.axis, Slots) or not loads:
        cells.put(place.chart_at, "? load not known without dates", "dim", place.chart)
        peak = None
    else:
        peak = draw_link(cells, place.chart_at, place.chart, loads, chart.axis)
        said = "peak ?" if peak is None else f"peak {peak:.0%}".replace("%", " %")
        over = peak is not None and peak > 1
        cells.put(place.verdict_at, f"▲ {said}" if over else said, "bad" if over else "", place.verdict)
    cap = f"█ is the cap of {chart.cap}" if chart.cap else "█ is the cap"
    words.put(place.chart_at, f"{cap}, ▲ is over it", "dim", width - place.chart_at)
    return [cells.content(), words.content()]
