"""Thinning: what stays of a month of checkpoints, whenever and however often it is asked."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from migrate.journal.state import Checkpoint
from migrate.journal.thinning import DAY_S, HOUR_S, surplus

NOW_MS = 1_800_000_000_000
MINUTE_MS = 60_000


def checkpoints(minutes: int, every: int) -> list[Checkpoint]:
    """One checkpoint each ``every`` minutes over the last ``minutes``, the newest now."""
    return [
        Checkpoint(number + 1, NOW_MS - age * MINUTE_MS)
        for number, age in enumerate(range(minutes, -1, -every))
    ]


def kept(points: list[Checkpoint], now_ms: int = NOW_MS, **how: int) -> list[Checkpoint]:
    gone = set(surplus(points, now_ms, **how))
    return [point for point in points if point.record not in gone]


def ages_s(points: list[Checkpoint]) -> list[float]:
    return [(NOW_MS - point.at_ms) / 1000 for point in points]


def test_all_for_an_hour_four_an_hour_for_a_day_one_a_day_for_a_month() -> None:
    stayed = kept(checkpoints(45 * 24 * 60, 5))
    classes = Counter(
        "hour" if age <= HOUR_S else "day" if age <= DAY_S else "month" if age <= 30 * DAY_S else "older"
        for age in ages_s(stayed)
    )
    assert classes["hour"] == 13
    assert 91 <= classes["day"] <= 93
    assert 28 <= classes["month"] <= 30
    assert classes["older"] == 0


def test_what_stays_is_the_same_however_often_it_is_asked() -> None:
    points = checkpoints(3 * 24 * 60, 7)
    later = NOW_MS + 2 * HOUR_S * 1000
    once = kept(points, later)
    often = points
    for step in range(25):
        often = kept(often, NOW_MS + step * 5 * MINUTE_MS)
    assert kept(often, later) == once


def test_pinned_ones_stay_named_ones_for_the_history_and_the_newest_always() -> None:
    points = checkpoints(40 * 24 * 60, 60)
    points[5] = replace(points[5], pinned=True)
    points[6] = replace(points[6], name="long ago")
    points[-400] = replace(points[-400], name="before patch")
    stayed = kept(points)
    assert points[5] in stayed
    assert points[6] not in stayed
    assert points[-400] in stayed
    assert points[-1] in stayed
    lonely = [Checkpoint(1, NOW_MS - 90 * DAY_S * 1000)]
    assert kept(lonely) == lonely


def test_a_history_of_a_few_hours_keeps_no_more() -> None:
    stayed = kept(checkpoints(24 * 60, 5), history_s=4 * HOUR_S)
    assert max(ages_s(stayed)) <= 4 * HOUR_S
