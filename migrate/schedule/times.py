"""Times as people write them, and what stands against one: the wave's window, freezes, the past.

A local time that clocks skip or show twice is refused: nobody knows what was meant.
"""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from migrate.schedule.calendar import Appointed
from planner.errors import BadInput
from planner.names import visible
from planner.waves.calendar import closed, overlaps

if TYPE_CHECKING:
    from planner.plan import Wave
    from planner.settings import Settings

WINDOW = "window"  # instead of a time: when the wave's window opens
_HINT = "write it like '2026-12-05 22:00', with --zone Europe/Berlin or an offset; or 'window'"
_LEAST_H = 1 / 60


def read_time(text: str, zone: str, wave: Wave) -> datetime:
    """Return a time in UTC; without a zone that of the wave's window counts, else UTC. Raises BadInput."""
    said = text.strip()
    if said.casefold() == WINDOW:
        if wave.window is None:
            raise BadInput(f"{wave.name} has no window in the plan", _HINT)
        return wave.window.start_utc.astimezone(UTC)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", said):
        raise BadInput(f"{visible(text)} is a day without a time", _HINT)
    try:
        time = datetime.fromisoformat(said)
    except ValueError as error:
        raise BadInput(f"{visible(text)} is not a time", _HINT) from error
    if time.tzinfo is not None:
        return time.astimezone(UTC)
    return _local(time, _zone(zone or (wave.window.zone if wave.window else "UTC")))


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise BadInput(f"time zone {visible(name)} does not exist", "name it like Europe/Berlin") from error


def _local(time: datetime, zone: ZoneInfo) -> datetime:
    first, second = (time.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if first == second:
        return first
    there = first.astimezone(zone).replace(tzinfo=None) == time
    what = "happens twice (clocks go back)" if there else "does not exist (clocks go forward)"
    offset = f"{first.astimezone(zone):%Y-%m-%dT%H:%M%z}"
    raise BadInput(f"{time:%Y-%m-%d %H:%M} {zone.key} {what}", f"write the offset too, like {offset}")


def check_time(
    wave: Wave,
    settings: Settings,
    names: AbstractSet[str],
    purpose: Appointed,
    at: datetime,
    now: datetime,
) -> str:
    """Return what stands against a time, empty when nothing does; raises BadInput for one that is over.

    Only a cutover is bound to windows, freezes and holidays. ``names`` are those of the wave's VMs, with
    their applications and owners: freezes may be for them alone.
    """
    if at <= now:
        raise BadInput(f"{show(at)} is over", "name a time to come")
    if purpose is not Appointed.CUTOVER:
        return ""
    return "; ".join(filter(None, (_outside(wave, at), _closed(wave, settings, names, at))))


def _outside(wave: Wave, at: datetime) -> str:
    window = wave.window
    if window is None or window.start_utc <= at < window.end_utc:
        return ""
    return f"its window is from {show(window.start_utc)} until {show(window.end_utc)}"


def _closed(wave: Wave, settings: Settings, names: AbstractSet[str], at: datetime) -> str:
    """Return the freeze or holiday that the expected downtime from ``at`` on would touch."""
    from planner.settings import Window

    hours = min(max(wave.estimate.downtime_min.p95 / 60, _LEAST_H), 72)
    taken = Window(start=at, hours=hours, zone=wave.window.zone if wave.window else "UTC")
    if said := closed(taken, settings):
        return f"it {said}"
    for freeze in settings.freezes:
        if overlaps(taken, freeze) and not names.isdisjoint(freeze.only):
            return "it overlaps a freeze" + (f" ({visible(freeze.why)})" if freeze.why else "")
    return ""


def show(at: datetime) -> str:
    """Return a time to the minute, in UTC."""
    return f"{at:%Y-%m-%d %H:%M} UTC"
