"""The plan as a calendar: cutover windows with alarms, seeds, milestones, freezes and holidays (RFC 5545).

Each entry has a UID made of project, wave and kind: importing a newer export moves the entry instead
of adding a second one. Times stand in the zone of their window, with that zone's rules in the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from planner.export.milestones import MILESTONES, day_name
from planner.export.printout import Printout, show_window
from planner.export.seeding import Seed, latest_seeds
from planner.names import content_id, visible
from planner.plan import Wave
from planner.settings import Freeze, Window
from planner.units import show_count

_ALARMS = ((timedelta(days=-1), "tomorrow"), (timedelta(hours=-1), "in one hour"))


def _made(printout: Printout) -> datetime:
    try:
        made = datetime.fromisoformat(printout.plan.created_at)
    except ValueError:
        return datetime(2000, 1, 1, tzinfo=UTC)
    return (made if made.tzinfo else made.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)


def _local(at: datetime, zone: str) -> datetime:
    # "UTC" is written as such: it needs no rules. An hour that clocks show twice means its first time
    # in a calendar, so that the second can only be said in UTC.
    local = at.astimezone(UTC if zone == "UTC" else ZoneInfo(zone)).replace(microsecond=0)
    return local.astimezone(UTC) if local.fold else local


class _Sheet:
    """The calendar being filled: what all its entries have in common."""

    def __init__(self, printout: Printout) -> None:
        from icalendar import Calendar

        self.project = printout.plan.project
        self.made = _made(printout)
        self.calendar = Calendar()
        self.calendar.add("prodid", "-//wherry//migration plan//EN")
        self.calendar.add("version", "2.0")
        self.calendar.add("method", "PUBLISH")
        self.calendar.add("x-wr-calname", f"Migration {visible(self.project)}")

    def entry(self, component: Any, kind: str, title: str, text: str) -> Any:
        """Give a component what every entry has, and put it into the calendar."""
        component.add("uid", f"{content_id(self.project, kind)}@wherry")
        component.add("dtstamp", self.made)
        component.add("sequence", int(self.made.timestamp()) // 60)  # a newer plan's entry wins
        component.add("summary", title)
        component.add("description", text)
        self.calendar.add_component(component)
        return component

    def timed(self, kind: str, title: str, text: str, start: datetime, end: datetime) -> Any:
        """Add an entry from ``start`` to ``end``."""
        from icalendar import Event

        event = self.entry(Event(), kind, title, text)
        event.add("dtstart", start)
        event.add("dtend", end)
        return event

    def all_day(self, kind: str, title: str, text: str, first: date, days: int = 1) -> Any:
        """Add an entry of whole days, which leaves people free."""
        from icalendar import Event

        event = self.entry(Event(), kind, title, text)
        event.add("dtstart", first)
        event.add("dtend", first + timedelta(days=days))
        event.add("transp", "TRANSPARENT")
        return event


def _cutover(sheet: _Sheet, printout: Printout, wave: Wave, window: Window) -> None:
    from icalendar import Alarm

    down = wave.estimate.downtime_min
    text = [
        f"{show_count(len(wave.vms), 'VM')} in {show_count(len(wave.groups), 'group')}, "
        f"{printout.size(wave)}",
        f"Window: {show_window(window)}",
        f"Downtime: {down.p50:.0f} min (P50), {down.p95:.0f} min (P95)"
        if printout.sized(wave)
        else "Downtime: unknown, for not all disks of its VMs are known",
        f"Approval: {printout.approval(wave)}",
        f"Wave fingerprint: {wave.fingerprint}",
        *(f"Group {visible(group.name)}: {show_count(len(group.vms), 'VM')}" for group in wave.groups),
    ]
    title = f"{wave.name} cutover: {visible(wave.title)}"
    ends = [_local(at, window.zone) for at in (window.start_utc, window.end_utc)]
    event = sheet.timed(f"cutover {wave.name}", title, "\n".join(text), ends[0], ends[1])
    event.add("categories", ["cutover"])
    for before, words in _ALARMS:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", f"{wave.name} cuts over {words}")
        alarm.add("trigger", before)
        event.add_component(alarm)


def _seed(sheet: _Sheet, wave: Wave, window: Window, seed: Seed) -> None:
    hours = wave.estimate.seed_h
    text = (
        f"The seed takes {hours.p50:.1f} h (P50), {hours.p95:.1f} h (P95). Later than this it is not done "
        "before the cutover, when the link carries one seed after the other."
    )
    start, end = _local(seed.start, window.zone), _local(seed.end, window.zone)
    title = f"{wave.name} seed begins at the latest"
    event = sheet.timed(f"seed {wave.name}", title, text, start, max(end, start + timedelta(minutes=1)))
    event.add("transp", "TRANSPARENT")


def _milestones(sheet: _Sheet, wave: Wave, window: Window) -> None:
    day = window.start_utc.astimezone(ZoneInfo(window.zone)).date()
    for offset, words in MILESTONES:
        name = day_name(offset)
        sheet.all_day(f"{name} {wave.name}", f"{wave.name} {name}: {words}", words, day + timedelta(offset))


def _freeze_days(freeze: Freeze) -> tuple[date, int]:
    """Return the first day and how many: every day that the freeze touches where it is said."""
    start, end = (at.astimezone(ZoneInfo(freeze.zone)) for at in (freeze.start_utc, freeze.end_utc))
    last = end.date() - timedelta(days=1) if end.time() == time() else end.date()
    return start.date(), (last - start.date()).days + 1


def _waves(sheet: _Sheet, printout: Printout) -> Iterator[Wave]:
    seeds = latest_seeds(printout.plan)
    for wave in printout.plan.waves:
        if wave.window is None:
            yield wave
            continue
        _cutover(sheet, printout, wave, wave.window)
        _seed(sheet, wave, wave.window, seeds[wave.name])
        _milestones(sheet, wave, wave.window)


def render(printout: Printout) -> bytes:
    """Return the calendar's bytes. What has no date is named in one journal entry, if there is any."""
    from icalendar import Journal

    sheet = _Sheet(printout)
    undated = [wave.name for wave in _waves(sheet, printout)]
    settings = printout.settings
    for at, freeze in enumerate(settings.freezes if settings else (), 1):
        first, days = _freeze_days(freeze)
        why = visible(freeze.why) or "no reason given"
        start, end = (f"{at:%Y-%m-%d %H:%M}" for at in (freeze.start_utc, freeze.end_utc))
        text = f"Nothing may cut over from {start} to {end} UTC"
        sheet.all_day(f"freeze {at}", f"Freeze: {why}", text, first, days)
    for holiday in settings.holidays if settings else ():
        name = visible(holiday.name) or f"{holiday.day}"
        sheet.all_day(f"holiday {holiday.day}", f"Holiday: {name}", "Nothing may cut over", holiday.day)
    if undated or not sheet.calendar.subcomponents:  # a calendar must hold something
        words = ", ".join(undated) or "none"
        journal = sheet.entry(
            Journal(), "undated", "Waves without a window", f"These waves have no window yet: {words}"
        )
        journal.add("dtstart", sheet.made.date())
    sheet.calendar.add_missing_timezones()
    return bytes(sheet.calendar.to_ical())
