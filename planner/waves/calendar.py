"""The calendar: which wave cuts over in which window.

Windows are taken in order of time; one that overlaps a freeze is skipped. When they run out, the
remaining waves have none, which is said and never made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from planner.names import visible

if TYPE_CHECKING:
    from planner.settings import Freeze, Settings, Window


def frozen_by(window: Window, freezes: Sequence[Freeze]) -> Freeze | None:
    """Return the first freeze that overlaps the window, or None. Ends are exclusive."""
    end = window.start_utc + timedelta(hours=window.hours)
    return next((item for item in freezes if item.start_utc < end and window.start_utc < item.end_utc), None)


def assign_windows(count: int, settings: Settings) -> tuple[tuple[Window | None, ...], tuple[str, ...]]:
    """Return the window of each of ``count`` waves, None when there is none left, and notes."""
    open_windows: list[Window] = []
    notes: list[str] = []
    for window in sorted(settings.windows, key=lambda window: (window.start_utc, window.hours)):
        if freeze := frozen_by(window, settings.freezes):
            reason = f" ({visible(freeze.why)})" if freeze.why else ""
            notes.append(f"the window of {window.start_utc:%Y-%m-%d %H:%M} UTC overlaps a freeze{reason}")
        else:
            open_windows.append(window)
    missing = count - len(open_windows)
    if missing > 0 and settings.windows:
        notes.append(f"windows run out: the last {missing} of {count} waves have none; add windows")
    elif missing > 0:
        notes.append("no windows are set, so no wave has a date; add windows to the settings")
    filled = [*open_windows[:count], *([None] * max(missing, 0))]
    return tuple(filled), tuple(notes)
