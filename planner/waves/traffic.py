"""Traffic between items, in bytes a day: what a plan is to keep from crossing the line.

Ties to shared services don't count: those are reached from both sides. A tie that nobody measured
counts as a nominal megabyte a day, so that its ends are still kept near; how many do is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from planner.model import Dependency, Tie

NOMINAL_BYTES_DAY = 1e6
_LEAST_DAYS = 1 / 24  # a burst of a minute says little about a day
Pairs = tuple[tuple[int, int, float], ...]


def _moment(said: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def bytes_a_day(item: Dependency) -> float | None:
    """Return what a tie carries a day, None when it was not measured; without times it is of one day."""
    if item.traffic_bytes is None:
        return None
    first, last = _moment(item.first_seen), _moment(item.last_seen)
    days = (last - first).total_seconds() / 86400 if first and last else 1.0
    return item.traffic_bytes / max(days, _LEAST_DAYS)


def traffic_between(
    dependencies: Iterable[Dependency], home: Mapping[str, int], hubs: frozenset[str]
) -> tuple[Pairs, tuple[tuple[int, int], ...], int]:
    """Return (a, b, bytes a day) with a < b, pairs that are latency-bound, and how many were not measured.

    ``home`` maps VM ids to items.
    """
    found: dict[tuple[int, int], float] = {}
    near: set[tuple[int, int]] = set()
    unmeasured = 0
    for item in dependencies:
        # What tells most ties first: this runs over all of them.
        a = home.get(item.source)
        b = None if a is None else home.get(item.target)
        if a is None or b is None or a == b or item.tie is Tie.APART:
            continue
        if item.source in hubs or item.target in hubs:
            continue
        pair = (a, b) if a < b else (b, a)
        carried = bytes_a_day(item)
        if carried is None:
            unmeasured += 1
            carried = NOMINAL_BYTES_DAY
        found[pair] = found.get(pair, 0.0) + carried
        if item.tie is Tie.HARD:
            near.add(pair)
    pairs = tuple((a, b, carried) for (a, b), carried in sorted(found.items()) if carried > 0)
    return pairs, tuple(sorted(near)), unmeasured
