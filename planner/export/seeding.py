"""When each wave's seed has to begin at the latest, and how busy that keeps the link.

    window of W02 ◀── seed of W02 ◀── seed of W01      backwards, one seed at a time, P95 hours

A wave without a window has no such time. Nothing here is a promise of the plan: it is the last
moment, made from its estimates, for calendars and drawings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from planner.plan import Plan

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Seed:
    """The time in which a wave is seeded, aware UTC; ``end`` is at the latest the window's start."""

    start: datetime
    end: datetime


def latest_seeds(plan: Plan) -> dict[str, Seed]:
    """Return wave name → its seed, for waves that have a window."""
    return seeds_before(
        (wave.name, wave.window.start_utc, wave.estimate.seed_h.p95) for wave in plan.waves if wave.window
    )


def seeds_before(dated: Iterable[tuple[str, datetime, float]]) -> dict[str, Seed]:
    """Return wave name → its seed; waves are given as name, start of their window and hours of seeding."""
    seeds: dict[str, Seed] = {}
    free_until: datetime | None = None
    for name, start, hours in sorted(dated, key=lambda wave: wave[1], reverse=True):
        end = min(start, free_until) if free_until else start
        seeds[name] = Seed(end - timedelta(hours=hours), end)
        free_until = seeds[name].start
    return seeds


def busy_days(seeds: Iterable[Seed]) -> Mapping[date, float]:
    """Return UTC day → the part of it in which the link seeds, 0 to 1; days with nothing are left out."""
    busy: dict[date, float] = {}
    for seed in seeds:
        day = seed.start.date()
        while day <= seed.end.date():
            first = datetime.combine(day, time(), UTC)
            span = min(seed.end, first + _DAY) - max(seed.start, first)
            if span > timedelta():
                busy[day] = busy.get(day, 0.0) + span / _DAY
            day += _DAY
    return busy
