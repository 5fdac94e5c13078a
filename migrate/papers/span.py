"""What the pictures of a run's timeline show: which rows, from when to when, with which marks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from planner.run_report import Bar, Row, RunReport

_AT_LEAST = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A bar with its times; one that is ``open`` was under way when the report was made."""

    phase: str
    begun: datetime
    ended: datetime
    open: bool


@dataclass(frozen=True, slots=True)
class Span:
    """One picture: rows with their stretches, and marks, all between ``first`` and ``last`` (aware times)."""

    title: str
    first: datetime
    last: datetime
    rows: tuple[tuple[Row, tuple[Stretch, ...]], ...]
    marks: tuple[tuple[str, datetime], ...]

    def part(self, at: datetime) -> float:
        """Return where a time stands, from 0 to 1; what lies outside stands at the edge."""
        at = min(max(at, self.first), self.last)
        return (at - self.first) / (self.last - self.first)


def spans(report: RunReport) -> tuple[Span, ...]:
    """Return the whole run by groups, then the cutover by VMs; none where no time is known."""
    return tuple(_spans(report))


def _spans(report: RunReport) -> Iterator[Span]:
    groups = [row for row in report.rows if row.kind != "vm"]
    vms = [row for row in report.rows if row.kind == "vm"]
    cutover = [_at(at) for at in (report.window.start, report.window.end) if at]
    whole: list[datetime] = []
    for title, rows, more in (("the whole run", groups, whole), ("the cutover by VM", vms, cutover)):
        drawn = tuple((row, tuple(_stretch(bar, report.printed) for bar in row.bars)) for row in rows)
        times = [at for _, bars in drawn for bar in bars for at in (bar.begun, bar.ended)]
        if not times:
            continue
        first = min(*more, *times)
        last = max(*more, *times, first + _AT_LEAST)
        marks = [(mark.name, _at(mark.at)) for mark in report.marks]
        seen = tuple((name, at) for name, at in marks if first <= at <= last)
        yield Span(f"{report.wave}: {title}", first, last, drawn, seen)


def _stretch(bar: Bar, printed: str) -> Stretch:
    begun, ended = _at(bar.begun), _at(bar.ended or printed)
    return Stretch(bar.phase, begun, max(begun, ended), not bar.ended)


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
