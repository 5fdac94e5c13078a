"""The calendar: which wave cuts over in which window.

Windows are taken in order of time; one that overlaps a freeze is skipped. When they run out, the
remaining waves have none, which is said and never made up. A local time that clocks skip or show
twice is told, as are windows of two waves that overlap.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from planner.names import visible

if TYPE_CHECKING:
    from planner.settings import Freeze, Settings, Window


def frozen_by(window: Window, freezes: Sequence[Freeze]) -> Freeze | None:
    """Return the first freeze that overlaps the window, or None. Ends are exclusive."""
    end = window.start_utc + timedelta(hours=window.hours)
    return next((item for item in freezes if item.start_utc < end and window.start_utc < item.end_utc), None)


def _odd_hour(window: Window) -> str:
    """Return what is odd about a start on the night in which clocks change, else nothing."""
    if window.start.tzinfo:
        return ""
    zone = ZoneInfo(window.zone)
    first, second = (window.start.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return ""
    said, taken = f"{window.start:%Y-%m-%d %H:%M} {window.zone}", f"{window.start_utc:%Y-%m-%d %H:%M} UTC"
    if first.astimezone(zone).replace(tzinfo=None) != window.start.replace(fold=0):
        local = window.start_utc.astimezone(zone)
        return f"{said} does not exist (clocks go forward): the window begins at {local:%H:%M}, {taken}"
    return f"{said} happens twice (clocks go back): the window begins at the first, {taken}"


def _overlaps(windows: Sequence[Window]) -> list[str]:
    return [
        f"the windows of {a.start_utc:%Y-%m-%d %H:%M} and {b.start_utc:%Y-%m-%d %H:%M} UTC overlap: "
        "two waves cut over at the same time"
        for a, b in pairwise(windows)
        if b.start_utc < a.start_utc + timedelta(hours=a.hours)
    ]


def assign_windows(count: int, settings: Settings) -> tuple[tuple[Window | None, ...], tuple[str, ...]]:
    """Return the window of each of ``count`` waves, None when there is none left, and notes."""
    open_windows: list[Window] = []
    notes: list[str] = []
    for window in sorted(settings.windows, key=lambda window: (window.start_utc, window.hours)):
        if freeze := frozen_by(window, settings.freezes):
            reason = f" ({visible(freeze.why)})" if freeze.why else ""
            start = f"{window.start_utc:%Y-%m-%d %H:%M} UTC"
            notes.append(f"the window of {start} overlaps a freeze{reason}: no wave gets it")
        else:
            open_windows.append(window)
    used = open_windows[:count]
    notes += [f"{odd}; write an offset to be exact" for window in used if (odd := _odd_hour(window))]
    notes += _overlaps(used)
    missing = count - len(open_windows)
    if missing > 0 and settings.windows:
        notes.append(f"windows run out: the last {missing} of {count} waves have none; add windows")
    elif missing > 0:
        notes.append("no windows are set, so no wave has a date; add windows to the settings")
    filled = [*used, *([None] * max(missing, 0))]
    return tuple(filled), tuple(notes)
