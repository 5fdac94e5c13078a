"""The Gantt chart: seeds, keeping in sync, cutovers and freezes, with the link's load under them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from planner.export.html.markup import Html, box, drawing, label, tag
from planner.export.printout import Printout, show_window
from planner.export.seeding import Seed, busy_days, latest_seeds
from planner.names import visible
from planner.plan import Wave
from planner.settings import Settings

_WIDTH, _LEFT, _RIGHT = 1120.0, 250.0, 14.0
_ROW, _HEAD, _LOAD = 22.0, 40.0, 58.0
_ROWS = 40  # waves in one picture, so that it fits a page
_DAY = timedelta(days=1)
_MOST_TICKS = 14


@dataclass(frozen=True, slots=True)
class _Axis:
    """Time from left to right."""

    first: datetime
    last: datetime

    def x(self, at: datetime) -> float:
        """Return where a time stands; what lies outside stands at the edge."""
        part = (min(max(at, self.first), self.last) - self.first) / (self.last - self.first)
        return _LEFT + part * (_WIDTH - _LEFT - _RIGHT)

    def bar(self, start: datetime, end: datetime, y: float, height: float, about: str, fill: str) -> Html:
        """Return a bar from one time to another, wide enough to be seen."""
        x = self.x(start)
        return box(x, y, max(self.x(end) - x, 2.5), height, about, fill=fill, rx=2)

    def ticks(self) -> Iterator[datetime]:
        """Yield midnights at such a distance that dates can be read: Mondays, or days of a short plan."""
        days = (self.last - self.first).days + 1
        step = next((step for step in (1, 2, 7) if days <= step * _MOST_TICKS), 0)
        step = step or -(-days // (7 * _MOST_TICKS)) * 7
        first = self.first.date()
        at = datetime.combine(first - timedelta(days=first.weekday()), time(), UTC)
        while at <= self.last:
            if at >= self.first:
                yield at
            at += step * _DAY


def _axis(dated: Sequence[Wave], seeds: dict[str, Seed]) -> _Axis:
    starts = [seeds[wave.name].start for wave in dated]
    ends = [wave.window.end_utc for wave in dated if wave.window]
    span = max(ends) - min(starts)
    return _Axis(min(starts) - max(span * 0.02, _DAY), max(ends) + max(span * 0.02, _DAY))


def _ground(axis: _Axis, settings: Settings | None, height: float) -> Iterator[Html]:
    for holiday in settings.holidays if settings else ():
        start = datetime.combine(holiday.day, time(), UTC)
        if start + _DAY > axis.first and start < axis.last:
            x, end = axis.x(start), axis.x(start + _DAY)
            about = f"Holiday: {holiday.name or holiday.day}"
            yield box(x, _HEAD - 14, end - x, height - _HEAD + 14, about, fill="#f0b7b2", fill_opacity=0.55)
    for freeze in settings.freezes if settings else ():
        if freeze.end_utc > axis.first and freeze.start_utc < axis.last:
            why = f"Freeze: {freeze.why or 'no reason given'}"
            x, end = axis.x(freeze.start_utc), axis.x(freeze.end_utc)
            yield box(x, _HEAD - 14, end - x, height - _HEAD + 14, why, fill="#f0b7b2", fill_opacity=0.55)
            yield label(x + 3, _HEAD - 4, visible(freeze.why or "freeze", 22))
    for at in axis.ticks():
        x = axis.x(at)
        yield tag("line", x1=x, x2=x, y1=_HEAD - 14, y2=height, stroke="#d9e0e7")
        yield label(x, 14, f"{at:%d %b %y}", anchor="middle", class_="soft")


def _row(printout: Printout, axis: _Axis, wave: Wave, seed: Seed, y: float) -> Iterator[Html]:
    if wave.window is None:
        return
    start = wave.window.start_utc
    approved = wave.name in (printout.approvals or {})
    yield label(6, y + 15, f"{'✔ ' if approved else ''}{wave.name}", class_="strong")
    yield label(74, y + 15, visible(wave.title, 29))
    hours = wave.estimate.seed_h.p95
    about = f"{wave.name} seeds {hours:.1f} h (P95), from {seed.start:%Y-%m-%d %H:%M} UTC at the latest"
    yield axis.bar(seed.start, seed.end, y + 5, _ROW - 10, about, "#9db8d9")
    if start > seed.end:
        yield axis.bar(seed.end, start, y + 9, _ROW - 18, f"{wave.name} is kept in sync", "#d5dfeb")
    about = f"{wave.name} cuts over: {show_window(wave.window)}"
    yield axis.bar(start, wave.window.end_utc, y + 3, _ROW - 6, about, "#1f3a5f")


def _load(axis: _Axis, seeds: dict[str, Seed], y: float) -> Iterator[Html]:
    room = _LOAD - 14
    yield label(6, y + 24, "Link", class_="strong")
    yield label(74, y + 24, "part of the day it seeds")
    for part in (0.0, 1.0):
        at = y + _LOAD - room * part
        yield tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=at, y2=at, stroke="#9aa9b8")
        yield label(_LEFT - 6, at + 4, f"{part:.0%}", anchor="end", class_="soft")
    for day, part in sorted(busy_days(seeds.values()).items()):
        start = datetime.combine(day, time(), UTC)
        height = room * min(part, 1.0)
        x = axis.x(start)
        about = f"{day}: the link seeds {part:.0%} of the day"
        yield box(x, y + _LOAD - height, max(axis.x(start + _DAY) - x, 1.0), height, about, fill="#d98f2b")


def timeline(printout: Printout) -> tuple[Html, ...]:
    """Return pictures of up to 40 waves each, on one axis; none when no wave has a window."""
    seeds = latest_seeds(printout.plan)
    dated = sorted((wave for wave in printout.plan.waves if wave.name in seeds),
                   key=lambda wave: seeds[wave.name].end)  # fmt: skip
    if not dated:
        return ()
    axis = _axis(dated, seeds)
    pictures = []
    for begin in range(0, len(dated), _ROWS):
        some = dated[begin : begin + _ROWS]
        bottom = _HEAD + len(some) * _ROW
        parts = [*_ground(axis, printout.settings, bottom)]
        for at, wave in enumerate(some):
            parts += _row(printout, axis, wave, seeds[wave.name], _HEAD + at * _ROW)
        parts += _load(axis, seeds, bottom + 6)
        title = f"Waves {some[0].name} to {some[-1].name} in time"
        pictures.append(tag("figure", drawing(_WIDTH, bottom + _LOAD + 12, title, *parts)))
    return tuple(pictures)
