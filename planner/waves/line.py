"""The line as a cumulative limit: what can have been sent by the start of each slot.

Seeding of an item begins ``LEAD_DAYS`` before its cutover, or when seeding may begin at all; what is
written at the source in that time is sent as well. Undated slots have no limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from planner.waves.problem import Problem

LEAD_DAYS = 14.0
_HOUR = 3600
_WEEK = 168
_MONDAY_S = 4 * 86_400  # 1970-01-05, the first Monday


@dataclass(slots=True)
class Line:
    """``carried`` bytes until each slot begins; ``sent_days`` of churn an item of that slot costs."""

    limited: bool
    begins_s: float | None
    carried: list[float]
    sent_days: list[float]

    def weight(self, seed: float, churn: float, slot: int) -> float:
        """Return what an item of ``slot`` sends until it cuts over."""
        return seed + churn * self.sent_days[slot]


def begins(problem: Problem) -> float | None:
    """Return when seeding may begin, in seconds; None when nothing is dated."""
    dated = [slot.start_s for slot in problem.slots if slot.start_s is not None]
    if not dated:
        return None
    begins_s = problem.link.begins_s
    return min(dated) - LEAD_DAYS * 86_400 if begins_s is None else begins_s


class Meter:
    """Reads off what the line carries from one instant on."""

    def __init__(self, problem: Problem, begins_s: float) -> None:
        link = problem.link
        self._rates = [max(rate - link.reserved_bytes_s, 0.0) for rate in link.bytes_s]
        self._begins_s = begins_s
        self._whole = sum(self._rates) * _HOUR

    def _since_monday(self, at_s: float) -> float:
        """Return bytes from the Monday 0:00 before, and whole weeks before that from the first Monday."""
        weeks, rest = divmod(at_s - _MONDAY_S, _WEEK * _HOUR)
        hours, seconds = divmod(rest, _HOUR)
        return (
            weeks * self._whole
            + sum(self._rates[: int(hours)]) * _HOUR
            + self._rates[int(hours) % _WEEK] * seconds
        )

    def until(self, at_s: float) -> float:
        """Return the bytes carried until ``at_s``."""
        return max(self._since_monday(at_s) - self._since_monday(self._begins_s), 0.0)

    def hours_for(self, amount: float) -> float:
        """Return the hours until ``amount`` bytes are carried; infinite when the line is closed."""
        if amount <= 0:
            return 0.0
        if not self._whole:
            return inf
        hours = float(int(amount // self._whole) * _WEEK)
        low, high = hours, hours + 2 * _WEEK
        for _ in range(60):
            middle = (low + high) / 2
            if self.until(self._begins_s + middle * _HOUR) < amount:
                low = middle
            else:
                high = middle
        return high


def line_of(problem: Problem) -> Line:
    """Return the line of a problem."""
    from_s = begins(problem)
    if not problem.link.bytes_s or from_s is None:
        return Line(False, from_s, [], [0.0] * len(problem.slots))
    meter = Meter(problem, from_s)
    starts = [slot.start_s for slot in problem.slots]
    return Line(
        True,
        from_s,
        [inf if start is None else meter.until(start) for start in starts],
        [
            LEAD_DAYS if start is None else min(max((start - from_s) / 86_400, 0.0), LEAD_DAYS)
            for start in starts
        ],
    )
