"""The calendar: which windows waves may have, and what stands behind the last.

Windows said one by one and those that come back are taken in order of time; one that overlaps a
freeze or a holiday is skipped, as is one too soon after the begin of work or after the window before.
When they run out, the remaining waves have none, which is said and never made up. A local time that
clocks skip or show twice is told, as are windows of two waves that overlap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from planner.names import visible
from planner.units import show_count

if TYPE_CHECKING:
    from planner.settings import Freeze, Holiday, Link, Settings, Window

_SHOWN = 5  # skipped windows that are named one by one
HOURS_A_WEEK = 168


@dataclass(frozen=True, slots=True)
class Calendar:
    """The windows waves may have, in order of time, and why others are not among them."""

    windows: tuple[Window, ...]
    notes: tuple[str, ...]


def frozen_by(window: Window, freezes: Sequence[Freeze]) -> Freeze | None:
    """Return the first freeze for everybody that overlaps the window, or None. Ends are exclusive."""
    return next((item for item in freezes if not item.only and overlaps(window, item)), None)


def overlaps(window: Window, freeze: Freeze) -> bool:
    """True when the window and the freeze have time in common. Ends are exclusive."""
    return freeze.start_utc < window.end_utc and window.start_utc < freeze.end_utc


def _holiday(window: Window, holidays: Sequence[Holiday]) -> Holiday | None:
    if not holidays:
        return None
    zone = ZoneInfo(window.zone)
    first = window.start_utc.astimezone(zone).date()
    last = (window.end_utc - timedelta(microseconds=1)).astimezone(zone).date()
    return next((item for item in holidays if first <= item.day <= last), None)


def ends_after(window: Window, day: date) -> bool:
    """True when the window ends after a day, in its own zone."""
    last = (window.end_utc - timedelta(microseconds=1)).astimezone(ZoneInfo(window.zone))
    return last.date() > day


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


def _overlapping(windows: Sequence[Window]) -> list[str]:
    return [
        f"the windows of {a.start_utc:%Y-%m-%d %H:%M} and {b.start_utc:%Y-%m-%d %H:%M} UTC overlap: "
        "two waves cut over at the same time"
        for a, b in pairwise(windows)
        if b.start_utc < a.end_utc
    ]


def closed(window: Window, settings: Settings) -> str:
    """Return what keeps every wave out of a window, empty when nothing does."""
    if freeze := frozen_by(window, settings.freezes):
        return "overlaps a freeze" + (f" ({visible(freeze.why)})" if freeze.why else "")
    if holiday := _holiday(window, settings.holidays):
        return "falls on a holiday" + (f" ({visible(holiday.name)})" if holiday.name else "")
    begins = begin_of_work(settings)
    if begins and window.start_utc < begins + timedelta(days=settings.waves.lead_days):
        return f"is less than {settings.waves.lead_days} days after the begin of work"
    return ""


def begin_of_work(settings: Settings) -> datetime | None:
    """Return when seeding may begin at the earliest, None when nobody said."""
    starts = settings.waves.starts
    return datetime.combine(starts, time(), tzinfo=UTC) if starts else None


def said_windows(settings: Settings) -> list[Window]:
    """Return all windows the settings name, those that come back spelled out, in order of time."""
    found = [*settings.windows]
    known = {window.start_utc for window in found}
    for item in settings.recurring:
        fresh = [window for window in item.windows() if window.start_utc not in known]
        known |= {window.start_utc for window in fresh}
        found += fresh
    return sorted(found, key=lambda window: (window.start_utc, window.hours))


def calendar(settings: Settings) -> Calendar:
    """Return the windows that are open to waves, and notes on the others."""
    soak = timedelta(days=settings.waves.soak_days)
    found: list[Window] = []
    skipped: list[str] = []
    for window in said_windows(settings):
        reason = closed(window, settings)
        if not reason and found and window.start_utc < found[-1].start_utc + soak:
            reason = f"is less than {settings.waves.soak_days:g} days after the one before"
        if reason:
            skipped.append(f"the window of {window.start_utc:%Y-%m-%d %H:%M} UTC {reason}: no wave gets it")
        else:
            found.append(window)
    notes = skipped[:_SHOWN]
    if len(skipped) > _SHOWN:
        notes.append(f"{len(skipped) - _SHOWN} more windows are closed to waves in the same way")
    return Calendar(tuple(found), tuple(notes))


def window_notes(waves: Mapping[str, Window | None], settings: Settings) -> tuple[str, ...]:
    """Return what is odd about the windows that waves have (by name, in order), and how many have none."""
    dated = [window for window in waves.values() if window]
    notes = [f"{odd}; write an offset to be exact" for window in dated if (odd := _odd_hour(window))]
    notes += _overlapping(dated)
    missing = len(waves) - len(dated)
    if missing and (settings.windows or settings.recurring):
        notes.append(f"windows run out: the last {missing} of {len(waves)} waves have none; add windows")
    elif missing:
        notes.append("no windows are set, so no wave has a date; add windows to the settings")
    if day := settings.waves.exit:
        late = [name for name, window in waves.items() if window and ends_after(window, day)]
        if late:
            more = f" and {show_count(len(late) - 1, 'more wave')} cut" if len(late) > 1 else " cuts"
            notes.append(f"{late[0]}{more} over after the exit date {day}")
        elif missing:
            notes.append(f"nobody can tell whether waves without a window keep the exit date {day}")
    return tuple(notes)


def shares_by_hour(link: Link) -> list[float]:
    """Return the share of the line of each hour of a week, Monday 0:00 first, on the link's clocks."""
    from planner.settings import WEEKDAYS

    share = [link.share] * HOURS_A_WEEK
    for item in link.hours:
        for day in item.days:
            begin = 24 * WEEKDAYS.index(day)
            for hour in range(begin + item.first, begin + item.until):
                share[hour] = item.share
    return share


def bytes_by_hour(link: Link, at: datetime, full_share_bytes_s: float) -> tuple[float, ...]:
    """Return the bytes a second of each hour of a week, Monday 0:00 UTC first.

    ``full_share_bytes_s`` is what the whole line carries; hours are those of the link's zone as its
    clocks stand at ``at``.
    """
    share = shares_by_hour(link)
    offset = at.astimezone(ZoneInfo(link.zone)).utcoffset() or timedelta()
    shift = round(offset.total_seconds() / 3600)
    return tuple(full_share_bytes_s * share[(hour + shift) % HOURS_A_WEEK] for hour in range(HOURS_A_WEEK))


def closed_slots(
    windows: Sequence[Window], freezes: Sequence[Freeze], names: AbstractSet[str]
) -> frozenset[int]:
    """Return the numbers of the windows that freezes for one of ``names`` alone keep it out of."""
    mine = [item for item in freezes if not names.isdisjoint(item.only)] if names else []
    return frozenset(at for at, window in enumerate(windows) for freeze in mine if overlaps(window, freeze))
