"""The timeline of a run as pictures: inline SVG with a title and words for those who do not see it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import ceil

from migrate.papers.span import Span, Stretch, spans
from planner.export.html.markup import Html, box, drawing, label, tag
from planner.names import visible
from planner.run_report import Row, RunReport
from planner.units import show_count, show_duration

COLOURS = {
    "seed": "#9db8d9",
    "deltas": "#5f8fc4",
    "checkpoint": "#2f6f8f",
    "wait for go": "#e3e8ee",
    "cutover": "#1f3a5f",
    "prepare": "#c9b8dc",
    "stop": "#b3261e",
    "final delta": "#5f8fc4",
    "verify": "#2f6f8f",
    "build": "#8a6fb0",
    "start": "#d98f2b",
    "probes": "#1a6b3c",
    "hooks": "#7a6a55",
    "commit window": "#f2dfb0",
    "commit": "#12203a",
    "way back": "#e0748c",
}
_WIDTH, _LEFT, _RIGHT = 1120.0, 250.0, 14.0
_ROW, _KEY, _PITCH, _CHARACTER = 20.0, 18.0, 30.0, 6.4
_ROWS, _MOST = 40, 400  # of one picture, so that it fits a page, and of all
_TICKS = 9
_NAMED = 3  # marks; more of them have numbers, their names would overlap
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400)
_INDENT = {"wave": 0.0, "group": 12.0, "vm": 24.0}


def pictures(report: RunReport) -> tuple[Html, ...]:
    """Return pictures of up to 40 rows each; none where no time is known."""
    return tuple(tag("figure", one) for span in spans(report) for one in _pages(span))


def _pages(span: Span) -> Iterator[Html]:
    shown = span.rows[:_MOST]
    for begin in range(0, len(shown), _ROWS):
        yield _page(span, shown[begin : begin + _ROWS], len(shown) > _ROWS, begin)
    if len(span.rows) > _MOST:
        yield tag("figcaption", f"{len(span.rows) - _MOST:,} more rows are in the JSON form of this report.")


def _page(span: Span, rows: tuple[tuple[Row, tuple[Stretch, ...]], ...], part: bool, begin: int) -> Html:
    key, top = _key(span)
    bottom = top + _PITCH + len(rows) * _ROW
    parts = [label(0, 13, span.title, class_="strong"), *key, *_ground(span, top, bottom)]
    for at, (row, bars) in enumerate(rows):
        parts += _row(span, row, bars, top + _PITCH + at * _ROW)
    parts += _marks(span, top, bottom)
    title = f"{span.title}, rows {begin + 1} to {begin + len(rows)}" if part else span.title
    return drawing(_WIDTH, bottom + 16, title, *parts, about=_about(span))


def _about(span: Span) -> str:
    length = show_duration((span.last - span.first).total_seconds())
    marks = "; ".join(f"{visible(name, 60)} passed at {_at(at)}" for name, at in span.marks[:12])
    phases = ", ".join(dict.fromkeys(bar.phase for _, bars in span.rows for bar in bars))
    said = f"{show_count(len(span.rows), 'row')} from {_at(span.first)} to {_at(span.last)} UTC, {length}."
    return f"{said} Phases: {phases}." + (f" Gates: {marks}." if marks else "")


def _key(span: Span) -> tuple[list[Html], float]:
    """Return the key, in as many lines as it takes, and where it ends."""
    used = {bar.phase for _, bars in span.rows for bar in bars}
    parts: list[Html] = []
    x, y = 0.0, 20.0
    for phase in (one for one in COLOURS if one in used):
        width = 24 + len(phase) * _CHARACTER + 14
        if x + width > _WIDTH:
            x, y = 0.0, y + _KEY
        parts += [box(x, y + 2, 14, 10, fill=COLOURS[phase], stroke="#5b6b7b", stroke_width=0.5),
                  label(x + 19, y + 11, phase, class_="soft")]  # fmt: skip
        x += width
    return parts, y + _KEY + 4


def _ground(span: Span, top: float, bottom: float) -> Iterator[Html]:
    """Yield the lines of the clock; the words of a full day stand where it begins."""
    long = (span.last - span.first) > timedelta(days=2)
    for at in _ticks(span):
        x = _x(span, at)
        yield tag("line", x1=x, x2=x, y1=top + _PITCH - 4, y2=bottom, stroke="#d9e0e7")
        yield label(
            x, top + 22, f"{at:%d %b %H:%M}" if long else f"{at:%H:%M:%S}", anchor="middle", class_="soft"
        )
    yield label(_LEFT, top + 9, f"{_at(span.first)} UTC", class_="soft")
    yield label(_WIDTH - _RIGHT, top + 9, f"{_at(span.last)} UTC", anchor="end", class_="soft")


def _ticks(span: Span) -> Iterator[datetime]:
    length_s = (span.last - span.first).total_seconds()
    step_s = next((one for one in _STEPS_S if length_s / one <= _TICKS), 0)
    step_s = step_s or 86400 * ceil(length_s / (86400 * _TICKS))
    midnight = span.first.replace(hour=0, minute=0, second=0, microsecond=0)
    at = midnight + timedelta(seconds=((span.first - midnight).total_seconds() // step_s + 1) * step_s)
    while at < span.last:
        yield at
        at += timedelta(seconds=step_s)


def _row(span: Span, row: Row, bars: tuple[Stretch, ...], y: float) -> Iterator[Html]:
    strong = "strong" if row.kind != "vm" else None
    yield label(_INDENT[row.kind], y + 14, visible(row.name, 30), class_=strong)
    for bar in bars:
        x, end = _x(span, bar.begun), _x(span, bar.ended)
        took = show_duration((bar.ended - bar.begun).total_seconds())
        about = f"{visible(row.name)}: {bar.phase}, {_at(bar.begun)} UTC, "
        about += f"under way for {took}" if bar.open else took
        dashes = "3 2" if bar.open else None
        yield box(x, y + 4, max(end - x, 1.5), _ROW - 8, about, fill=COLOURS[bar.phase],
                  stroke="#1b2733" if bar.open else None, stroke_dasharray=dashes)  # fmt: skip


def _marks(span: Span, top: float, bottom: float) -> Iterator[Html]:
    for number, (name, at) in enumerate(span.marks, 1):
        x = _x(span, at)
        yield tag("line", tag("title", f"{visible(name)} passed at {_at(at)} UTC"), x1=x, x2=x,
                  y1=top + _PITCH - 4, y2=bottom + 2, stroke="#b3261e", stroke_dasharray="4 3")  # fmt: skip
        words = visible(name, 18) if len(span.marks) <= _NAMED else str(number)
        yield label(min(max(x, _LEFT), _WIDTH - 90), bottom + 13, words, anchor="middle", class_="soft")


def _x(span: Span, at: datetime) -> float:
    return _LEFT + span.part(at) * (_WIDTH - _LEFT - _RIGHT)


def _at(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}"
