"""The axes of a chart: a span of time with ticks that read well at any zoom, or slots without dates.

A span is measured in true time, so a day of 23 or 25 hours is as long as it is; its ticks stand at the
local times of one zone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

_SHORTEST_S, _LONGEST_S = 600.0, 40 * 365.25 * 86400
_FIRST_S, _LAST_S = (datetime(year, 1, 1, tzinfo=UTC).timestamp() for year in (1000, 9000))
_FEWEST, _MOST = 1.0, 1000.0
_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time, by two aware datetimes. One that is empty is drawn ten minutes long."""

    start: datetime
    end: datetime

    @property
    def start_s(self) -> float:
        """Seconds since 1970, within the years that can be drawn."""
        return min(max(self.start.timestamp(), _FIRST_S), _LAST_S)

    @property
    def length_s(self) -> float:
        """Seconds, never none."""
        return min(max(self.end.timestamp() - self.start_s, _SHORTEST_S), _LONGEST_S)

    def share(self, when: datetime) -> float:
        """Return where a time lies: 0 at the start, 1 at the end, beyond them outside."""
        return (when.timestamp() - self.start_s) / self.length_s

    def at(self, share: float) -> datetime:
        """Return the time at a share of the span, in UTC."""
        return _utc(self.start_s + share * self.length_s)

    def cells(self, start: datetime, end: datetime, width: int) -> range:
        """Return the cells between two times on ``width`` cells, one at least for what begins inside."""
        start_s, per_s = self.start_s, width / self.length_s
        begin = math.floor((start.timestamp() - start_s) * per_s)
        after = max(math.ceil((end.timestamp() - start_s) * per_s), begin + 1)
        return range(max(0, begin), min(width, after))

    def zoomed(self, factor: float, around: datetime | None = None) -> Span:
        """Return ``factor`` times the span, the time ``around`` (or the middle) staying where it is."""
        still = self.share(around) if around is not None else 0.5
        length_s = min(max(self.length_s * factor, _SHORTEST_S), _LONGEST_S)
        start_s = self.start_s + still * (self.length_s - length_s)
        return Span(_utc(start_s), _utc(start_s + length_s))

    def moved(self, share: float) -> Span:
        """Return the span later by a share of itself, or earlier by a negative one."""
        start_s = self.start_s + share * self.length_s
        return Span(_utc(start_s), _utc(start_s + self.length_s))


@dataclass(frozen=True, slots=True)
class Slots:
    """A stretch of slots, numbered from 1: the order of waves that have no dates."""

    first: float = 1.0
    count: float = 12.0

    def share(self, slot: float) -> float:
        """Return where a slot begins: 0 at the first shown, 1 after the last."""
        return (slot - self.first) / max(self.count, _FEWEST)

    def zoomed(self, factor: float, around: float | None = None) -> Slots:
        """Return ``factor`` times as many slots, the slot ``around`` (or the middle) staying where it is."""
        still = self.share(around) if around is not None else 0.5
        count = min(max(self.count * factor, _FEWEST), _MOST)
        return Slots(max(1.0, self.first + still * (self.count - count)), count)

    def moved(self, share: float) -> Slots:
        """Return the slots later by a share of their number, never before the first."""
        return Slots(max(1.0, self.first + share * self.count), self.count)


@dataclass(frozen=True, slots=True)
class Tick:
    """A label and the cell it begins at."""

    cell: int
    label: str


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(min(max(seconds, _FIRST_S), _LAST_S), UTC)


# unit, how many, seconds, the labels from the longest to the shortest with their cells, unit above
_STEPS = (
    ("minute", 1, 60.0, (("%H:%M", 5),), "day"),
    ("minute", 5, 300.0, (("%H:%M", 5),), "day"),
    ("minute", 15, 900.0, (("%H:%M", 5),), "day"),
    ("hour", 1, 3600.0, (("%H:%M", 5), ("%Hh", 3)), "day"),
    ("hour", 3, 3 * 3600.0, (("%H:%M", 5), ("%Hh", 3)), "day"),
    ("hour", 6, 6 * 3600.0, (("%H:%M", 5), ("%Hh", 3)), "day"),
    ("day", 1, _DAY_S, (("%a %d", 6), ("%d", 2)), "month"),
    ("day", 7, 7 * _DAY_S, (("Mon %d", 6), ("%d", 2)), "month"),
    ("month", 1, 30.4 * _DAY_S, (("%b", 3),), "year"),
    ("month", 3, 91.3 * _DAY_S, (("%b", 3),), "year"),
    ("year", 1, 365.2 * _DAY_S, (("%Y", 4),), ""),
    ("year", 5, 5 * 365.2 * _DAY_S, (("%Y", 4),), ""),
    ("year", 20, 20 * 365.2 * _DAY_S, (("%Y", 4),), ""),
)
_ABOVE = {
    "day": ("%a %d %b %Y", "%a %d %b", "%d %b", "%d"),
    "month": ("%B %Y", "%b %Y", "%b"),
    "year": ("%Y",),
}
_GAP = 2  # cells between two labels


def date_ticks(span: Span, zone: str, width: int) -> tuple[tuple[Tick, ...], tuple[Tick, ...]]:
    """Return what stands in two lines of ``width`` cells: above the larger unit, below the ticks."""
    per_s = width / span.length_s
    chosen = next(
        ((step, form) for step in _STEPS for form, cells in step[3] if step[2] * per_s >= cells + _GAP),
        None,
    )
    if chosen is None:
        return (), ()
    (unit, many, _, _, larger), form = chosen
    ends = (span.start_s, span.start_s + span.length_s)
    here = ZoneInfo(zone)

    def place(unit: str, many: int) -> Iterator[tuple[int, datetime]]:
        for stamp_s in sorted(set(_stamps(unit, many, *ends, here))):
            if ends[0] <= stamp_s < ends[1]:
                yield int((stamp_s - ends[0]) * per_s), datetime.fromtimestamp(stamp_s, here)

    below = tuple(Tick(cell, when.strftime(form)) for cell, when in place(unit, many))
    if not larger:
        return (), below
    begun = datetime.fromtimestamp(ends[0], here)
    starts = list({cell: (cell, when) for cell, when in ((0, begun), *place(larger, 1))}.values())
    above = []
    for (cell, when), (after, _) in pairwise([*starts, (width + _GAP, starts[-1][1])]):
        texts = (when.strftime(longer) for longer in _ABOVE[larger])
        if text := next((text for text in texts if len(text) <= after - cell - _GAP), ""):
            above.append(Tick(cell, text))
    return tuple(above), below


def _stamps(unit: str, many: int, start_s: float, end_s: float, zone: tzinfo) -> Iterator[float]:
    """Yield the times at which ticks of a unit stand, with some beyond both ends."""
    if unit == "minute":
        offset = datetime.fromtimestamp(start_s, zone).utcoffset() or timedelta()
        beyond_s = (start_s + offset.total_seconds()) % (many * 60)
        count = int((end_s - start_s) // (many * 60)) + 2
        yield from (start_s - beyond_s + number * many * 60 for number in range(count))
        return
    first = datetime.fromtimestamp(start_s, zone).date()
    last = datetime.fromtimestamp(end_s, zone).date()
    if unit in ("hour", "day"):
        # Day 1 of the calendar was a Monday, so every seventh day after it is one.
        for number in range(first.toordinal(), last.toordinal() + 1):
            if unit == "day" and (number - 1) % many == 0:
                yield _local(date.fromordinal(number), 0, 0, zone)
            for hour in range(0, 24, many) if unit == "hour" else ():
                # An hour that the clocks skip has no tick, one that comes twice has two.
                for fold in (0, 1):
                    stamp_s = _local(date.fromordinal(number), hour, fold, zone)
                    if datetime.fromtimestamp(stamp_s, zone).hour == hour:
                        yield stamp_s
        return
    months = many * (12 if unit == "year" else 1)
    begin = first.year * 12 + first.month - 1
    for number in range(begin - begin % months, last.year * 12 + last.month + 1, months):
        yield _local(date(number // 12, number % 12 + 1, 1), 0, 0, zone)


def _local(day: date, hour: int, fold: int, zone: tzinfo) -> float:
    return datetime(day.year, day.month, day.day, hour, fold=fold, tzinfo=zone).timestamp()


def slot_ticks(slots: Slots, width: int) -> tuple[Tick, ...]:
    """Return the numbers of slots that stand in a line of ``width`` cells."""
    count = max(slots.count, _FEWEST)
    per = width / count
    last = int(slots.first + count)
    room = len(str(last)) + _GAP
    step = next((step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500) if step * per >= room), 1000)
    # Every second slot is an odd one: 1 and 2 would stand side by side.
    chosen = (
        number for number in range(int(slots.first), last + 1) if number == 1 or number % step == (step == 2)
    )
    placed = ((int(slots.share(number) * width), number) for number in chosen)
    return tuple(Tick(cell, str(number)) for cell, number in placed if 0 <= cell < width)
