"""The calendar grid: a row for each wave, a column for each week, and what the wave does in it.

    prepare ── seed ── CUTOVER ── watch ── keep
    T-28       latest begin       T+3      T+28

Weeks begin on Monday, in UTC. Freezes and holidays have rows of their own above the waves.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from planner.export.printout import Cell, Printout, Table
from planner.export.seeding import Seed, latest_seeds
from planner.names import visible
from planner.plan import Wave

CUTOVER, SEED, WATCH, PREPARE, KEEP = "CUTOVER", "seed", "watch", "prepare", "keep"
FREEZE, HOLIDAY = "freeze", "holiday"
_WEEKS = 120  # columns; what lies beyond is said in the last one
_WEEK = timedelta(days=7)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _shifted(day: date, days: int) -> date:
    try:
        return day + timedelta(days=days)
    except OverflowError:
        return day


def _phase(wave: Wave, seed: Seed, first: date, last: date) -> str:
    """Return the weightiest thing that a wave does from Monday to Sunday."""
    if wave.window is None:
        return ""
    cut, done = wave.window.start_utc.date(), wave.window.end_utc.date()
    spans = (
        (CUTOVER, cut, done),
        (SEED, seed.start.date(), cut),
        (WATCH, done, _shifted(done, 3)),
        (PREPARE, _shifted(cut, -28), cut),
        (KEEP, done, _shifted(done, 28)),
    )
    return next((name for name, begin, end in spans if begin <= last and end >= first), "")


def _weeks(printout: Printout, seeds: dict[str, Seed]) -> Iterator[date]:
    dated = [wave.window for wave in printout.plan.waves if wave.window]
    if not dated:
        return
    begins = [_shifted(window.start_utc.date(), -28) for window in dated]
    begins += [seed.start.date() for seed in seeds.values()]
    last = _shifted(max(window.end_utc.date() for window in dated), 28)
    # A seed of years would push every window out of the grid: it shows from a year before the first.
    earliest = max(min(begins), _shifted(min(window.start_utc.date() for window in dated), -364))
    week = _monday(earliest)
    for _ in range(_WEEKS):
        if week > last:
            return
        yield week
        week += _WEEK


def calendar_grid(printout: Printout) -> Table:
    """Return the grid; waves without a window stand below with empty weeks."""
    seeds = latest_seeds(printout.plan)
    weeks = list(_weeks(printout, seeds))
    columns = ("Wave", "Title", "Window", *(f"{week:%G-W%V} {week:%d %b}" for week in weeks))
    rows: list[tuple[Cell, ...]] = []
    if printout.settings and weeks:
        rows += _closed(printout, weeks)
    for wave in printout.plan.waves:
        begins = f"{wave.window.start_utc:%Y-%m-%d %H:%M} UTC" if wave.window else "no window"
        cells = (
            _phase(wave, seeds[wave.name], week, week + timedelta(days=6)) if wave.name in seeds else ""
            for week in weeks
        )
        rows.append((wave.name, visible(wave.title), begins, *cells))
    return Table("Calendar", columns, tuple(rows))


def _closed(printout: Printout, weeks: list[date]) -> Iterator[tuple[Cell, ...]]:
    if printout.settings is None:
        return
    for freeze in printout.settings.freezes:
        begin, end = freeze.start_utc.date(), freeze.end_utc.date()
        who = f", only {', '.join(visible(name) for name in freeze.only)}" if freeze.only else ""
        marks = (FREEZE if begin <= week + timedelta(days=6) and end >= week else "" for week in weeks)
        yield ("Freeze", f"{visible(freeze.why)}{who}", f"{begin} to {end}", *marks)
    days = {item.day: item.name for item in printout.settings.holidays}
    shown = [day for day in days if weeks[0] <= day < weeks[-1] + _WEEK]
    if shown:
        names = ", ".join(f"{day} {visible(days[day])}".strip() for day in sorted(shown))
        busy = {_monday(day) for day in shown}
        yield ("Holidays", names, "", *(HOLIDAY if week in busy else "" for week in weeks))
