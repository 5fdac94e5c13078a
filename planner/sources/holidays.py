"""Holidays from an ics calendar: its all-day events, those that come back spelled out for some years.

An event that cannot be read is named by its number and title, and nothing of the file is taken.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import BadInput
from planner.names import visible

if TYPE_CHECKING:
    from planner.settings import Holiday

_MOST_BYTES = 16 * 1024**2
_MOST_DAYS = 5000
_LONGEST_DAYS = 400  # of one event


@dataclass(frozen=True, slots=True)
class Holidays:
    """Days in order, each once, and how many events were left aside because they have a time of day."""

    holidays: tuple[Holiday, ...]
    timed: int


def _calendar(path: Path) -> Any:
    from icalendar import Calendar

    try:
        if path.stat().st_size > _MOST_BYTES:
            raise BadInput(f"{path} is larger than any calendar of holidays", "name an ics file")
        return Calendar.from_ical(path.read_bytes())
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", "check the path") from error
    except (ValueError, IndexError, KeyError) as error:
        said = visible(str(error), 120)
        raise BadInput(f"{path} is no ics calendar: {said}", "export it again as ics") from error


def _starts(event: Any, first: date, today: date, years: int) -> Iterator[date]:
    """Yield the days an event begins on; without a rule that is one."""
    rule = event.get("RRULE")
    if rule is None:
        yield first
        return
    from dateutil.rrule import rrulestr  # type: ignore[import-untyped]

    said = rule.to_ical().decode("utf-8")
    begin = datetime.combine(first, time())
    until = datetime.combine(today, time()) + timedelta(days=366 * years)
    since = max(begin, datetime.combine(today, time()) - timedelta(days=366))
    # What is said with an offset (UNTIL=...Z) is a day all the same.
    found = rrulestr(said.replace("Z", ""), dtstart=begin)
    for number, at in enumerate(found.xafter(since, inc=True)):
        if at > until or number > _MOST_DAYS:
            return
        yield at.date()


def _days(event: Any, today: date, years: int) -> list[date] | None:
    """Return the days of an event, None when it has a time of day."""
    first = event.decoded("DTSTART")
    if isinstance(first, datetime):
        return None
    if "DTEND" in event:
        end = event.decoded("DTEND")
        if isinstance(end, datetime):
            return None
    elif "DURATION" in event:
        end = first + event.decoded("DURATION")
    else:
        end = first + timedelta(days=1)
    length = max((end - first).days, 0 if end < first else 1)
    if length == 0:
        raise ValueError("it ends before it starts")
    if length > _LONGEST_DAYS:
        raise ValueError(f"it lasts {length} days")
    return [
        start + timedelta(days=at) for start in _starts(event, first, today, years) for at in range(length)
    ]


def read_holidays(path: Path, today: date, years: int) -> Holidays:
    """Return the holidays of an ics file; raises BadInput that names the file and the event.

    Days that come back are spelled out from a year ago until ``years`` ahead of ``today``.
    """
    from planner.settings import Holiday

    names: dict[date, str] = {}
    timed = 0
    for number, event in enumerate(_calendar(path).walk("VEVENT"), 1):
        title = str(event.get("SUMMARY", ""))
        try:
            days = _days(event, today, years)
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            said = visible(f"event {number} ({title})", 80)
            raise BadInput(
                f"{path}: {said} has no day that can be read: {visible(str(error), 120)}",
                "correct the event, or take it out",
            ) from error
        if days is None:
            timed += 1
            continue
        for day in days:
            names.setdefault(day, title)
        if len(names) > _MOST_DAYS:
            raise BadInput(f"{path} holds more than {_MOST_DAYS} days", "name a calendar of holidays only")
    if not names and not timed:
        raise BadInput(f"{path} holds no events", "export the calendar of holidays as ics")
    return Holidays(tuple(Holiday(day=day, name=names[day]) for day in sorted(names)), timed)
