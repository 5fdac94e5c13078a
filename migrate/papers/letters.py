"""The timeline of a run in letters, as a block of code in Markdown: nothing in it is markup."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from migrate.papers.span import Span, Stretch, spans
from planner.names import visible
from planner.run_report import RunReport
from planner.units import show_duration

LETTERS = {
    "seed": "S",
    "deltas": "d",
    "checkpoint": "=",
    "wait for go": ".",
    "cutover": "#",
    "prepare": "p",
    "stop": "X",
    "final delta": "f",
    "verify": "v",
    "build": "b",
    "start": "s",
    "probes": "?",
    "hooks": "h",
    "commit window": "w",
    "commit": "C",
    "way back": "<",
}
_WIDTH, _NAME, _FENCE = 72, 20, "````"
_INDENT = {"wave": "", "group": " ", "vm": "  "}
_MOST = 200  # rows of a picture


def charts(report: RunReport) -> Iterator[str]:
    """Yield the lines of both pictures with a key, or a sentence where there is nothing to draw."""
    found = spans(report)
    if not found:
        why = "no step has begun" if not report.recovered else "the record was rebuilt, so no time is known"
        yield from (f"There is no timeline: {why}.", "")
    for span in found:
        yield from (f"{_FENCE}text", *_chart(span), _FENCE, "")


def _chart(span: Span) -> Iterator[str]:
    step_s = (span.last - span.first).total_seconds() / _WIDTH
    yield visible(span.title)
    yield f"{'':{_NAME}} {_at(span.first)}{_at(span.last):>{_WIDTH - 19}}"
    for row, bars in span.rows[:_MOST]:
        yield f"{_name(_INDENT[row.kind] + row.name)}|{_line(span, bars)}|"
    if len(span.rows) > _MOST:
        yield f"and {len(span.rows) - _MOST} more rows"
    marks = [" "] * (_WIDTH + 1)
    for _, at in span.marks:
        marks[_column(span, at)] = "^"
    if span.marks:
        yield f"{'passed':{_NAME}} {''.join(marks)}".rstrip()
        for name, at in span.marks:
            yield f"{'':{_NAME}} ^ {_at(at)} {visible(name, 60)}"
    used = dict.fromkeys(bar.phase for _, bars in span.rows for bar in bars)
    yield "  ".join(f"{LETTERS[phase]} {phase}" for phase in LETTERS if phase in used)
    under_way = "; > under way" if any(bar.open for _, bars in span.rows for bar in bars) else ""
    yield f"a letter is {_each(step_s)}, times in UTC; later phases cover earlier ones{under_way}"


def _line(span: Span, bars: tuple[Stretch, ...]) -> str:
    cells = [" "] * _WIDTH
    for bar in bars:
        begin, end = _column(span, bar.begun), _column(span, bar.ended)
        begin = min(begin, _WIDTH - 1)
        for at in range(begin, max(end, begin + 1)):
            cells[at] = LETTERS[bar.phase]
        if bar.open:
            cells[max(end - 1, begin)] = ">"
    return "".join(cells)


def _column(span: Span, at: datetime) -> int:
    return round(span.part(at) * _WIDTH)


def _at(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M:%S}"


def _name(name: str) -> str:
    return f"{visible(name, _NAME):{_NAME}} "


def _each(seconds: float) -> str:
    return show_duration(seconds) if seconds >= 1 else f"{seconds:.3f} s"
