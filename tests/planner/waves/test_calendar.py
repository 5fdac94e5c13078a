"""The calendar: windows in order, freezes respected, nothing made up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

from planner.settings import Settings, Window
from planner.waves.calendar import bytes_by_hour, calendar, ends_after, window_notes
from tests.planner.sketch import settings


def assign_windows(count: int, said: Settings) -> tuple[tuple[Window | None, ...], tuple[str, ...]]:
    """The windows of ``count`` waves that follow each other, and all notes."""
    found = calendar(said)
    used = [*found.windows[:count], *([None] * (count - len(found.windows)))]
    return tuple(used), (*found.notes, *window_notes(named(used), said))


def named(used: Sequence[Window | None]) -> dict[str, Window | None]:
    return {f"W{at + 1:02}": window for at, window in enumerate(used)}


def window(day: int, hours: float = 6, zone: str = "UTC") -> dict[str, object]:
    return {"start": f"2026-10-{day:02d}T22:00:00", "hours": hours, "zone": zone}


def days(count: int, **more: object) -> tuple[list[int | None], tuple[str, ...]]:
    found, notes = assign_windows(count, settings(**more))
    return [item.start.day if item else None for item in found], notes


def test_waves_take_windows_in_order_of_time_and_spare_ones_stay() -> None:
    assert days(2, windows=[window(17), window(3), window(10)]) == ([3, 10], ())


def test_order_of_time_knows_zones() -> None:
    east = window(3, zone="Asia/Tokyo")
    found, _ = assign_windows(2, settings(windows=[window(3), east]))
    assert [item.zone for item in found if item] == ["Asia/Tokyo", "UTC"]


def test_a_freeze_skips_what_it_overlaps_even_over_midnight_but_not_what_it_touches() -> None:
    freeze = {"start": "2026-10-04T03:00:00", "end": "2026-10-10T22:00:00", "why": "quarter end"}
    found, notes = days(2, windows=[window(3), window(10), window(17)], freezes=[freeze])
    assert found == [10, 17]
    assert notes == ("the window of 2026-10-03 22:00 UTC overlaps a freeze (quarter end): no wave gets it",)


def test_a_freeze_that_starts_when_a_window_ends_leaves_it_open() -> None:
    freeze = {"start": "2026-10-04T04:00:00", "end": "2026-10-05T00:00:00"}
    assert days(1, windows=[window(3)], freezes=[freeze]) == ([3], ())


def test_windows_that_run_out_are_told() -> None:
    found, notes = days(3, windows=[window(3)])
    assert found == [3, None, None]
    assert notes == ("windows run out: the last 2 of 3 waves have none; add windows",)
    assert days(1)[1] == ("no windows are set, so no wave has a date; add windows to the settings",)
    assert days(0) == ([], ())


def night(start: str) -> tuple[str, ...]:
    _, notes = assign_windows(1, settings(windows=[{"start": start, "hours": 2, "zone": "Europe/Berlin"}]))
    return notes


def test_an_hour_that_clocks_skip_is_told_with_the_one_that_is_taken() -> None:
    assert night("2027-03-28T02:30:00") == (
        "2027-03-28 02:30 Europe/Berlin does not exist (clocks go forward): the window begins at 03:30, "
        "2027-03-28 01:30 UTC; write an offset to be exact",
    )


def test_an_hour_that_happens_twice_is_told_and_the_first_is_taken() -> None:
    assert night("2026-10-25T02:30:00") == (
        "2026-10-25 02:30 Europe/Berlin happens twice (clocks go back): the window begins at the first, "
        "2026-10-25 00:30 UTC; write an offset to be exact",
    )


def test_plain_hours_and_hours_with_an_offset_are_not_odd() -> None:
    assert night("2026-10-25T04:30:00") == night("2026-10-25T02:30:00+01:00") == ()


def test_a_window_over_the_change_of_clocks_lasts_its_hours() -> None:
    zoned = {"start": "2026-10-24T23:00:00", "hours": 6, "zone": "Europe/Berlin"}
    after = {"start": "2026-10-25T03:00:00+00:00", "hours": 1}
    assert assign_windows(2, settings(windows=[zoned, after]))[1] == ()


def test_windows_of_two_waves_that_overlap_are_told() -> None:
    _, notes = days(2, windows=[window(3), {**window(3), "start": "2026-10-04T01:00:00"}])
    assert notes == (
        "the windows of 2026-10-03 22:00 and 2026-10-04 01:00 UTC overlap: "
        "two waves cut over at the same time",
    )


def test_when_all_windows_are_frozen_no_wave_has_one() -> None:
    freeze = {"start": "2026-10-01T00:00:00", "end": "2026-11-01T00:00:00"}
    found, notes = days(2, windows=[window(3), window(10)], freezes=[freeze])
    assert found == [None, None]
    assert notes[-1] == "windows run out: the last 2 of 2 waves have none; add windows"


def starts(**more: object) -> list[str]:
    return [f"{item.start_utc:%m-%d %H:%M}" for item in calendar(settings(**more)).windows]


def test_windows_that_come_back_keep_their_local_time_when_clocks_change() -> None:
    weekly = {"every": "saturday", "first": "2026-10-15", "until": "2026-11-01", "zone": "Europe/Berlin"}
    assert starts(recurring=[weekly]) == ["10-17 20:00", "10-24 20:00", "10-31 21:00"]


def test_windows_that_come_back_can_be_of_some_weeks_of_the_month() -> None:
    third = {"every": "saturday", "at": "01:00", "first": "2026-10-01", "until": "2026-12-31"}
    assert starts(recurring=[{**third, "of_month": [3]}]) == ["10-17 01:00", "11-21 01:00", "12-19 01:00"]


def test_a_window_said_twice_is_one() -> None:
    weekly = {"every": "saturday", "first": "2026-10-01", "until": "2026-10-10"}
    assert starts(recurring=[weekly, weekly], windows=[window(3)]) == ["10-03 22:00", "10-10 22:00"]


def test_a_holiday_closes_windows_that_touch_it_in_their_own_zone() -> None:
    day = [{"day": "2026-10-04", "name": "[harvest]"}]
    found = calendar(settings(windows=[window(3), window(10)], holidays=day))
    assert [item.start.day for item in found.windows] == [10], "the window of the 3rd ends on the 4th"
    assert found.notes == (
        "the window of 2026-10-03 22:00 UTC falls on a holiday ([harvest]): no wave gets it",
    )
    assert starts(windows=[window(3, hours=2)], holidays=day) == ["10-03 22:00"], "it ends at midnight"
    east = {"start": "2026-10-04T00:30:00", "hours": 2, "zone": "Asia/Tokyo"}  # the 3rd in UTC
    assert starts(windows=[east], holidays=day) == []


def test_windows_before_the_lead_time_or_too_soon_after_the_last_are_closed() -> None:
    begin = {"starts": "2026-10-01", "lead_days": 5}
    found = calendar(settings(windows=[window(3), window(10)], waves=begin))
    assert [item.start.day for item in found.windows] == [10]
    assert "less than 5 days after the begin of work" in found.notes[0]
    soak = calendar(settings(windows=[window(day) for day in (3, 4, 10, 17)], waves={"soak_days": 7}))
    assert [item.start.day for item in soak.windows] == [3, 10, 17]
    assert "less than 7 days after the one before" in soak.notes[0]


def test_a_freeze_for_some_leaves_the_window_open_for_others() -> None:
    freeze = {"start": "2026-10-01T00:00:00", "end": "2026-11-01T00:00:00", "only": ["shop"]}
    assert starts(windows=[window(3)], freezes=[freeze]) == ["10-03 22:00"]


def test_many_closed_windows_are_counted() -> None:
    weekly = {"every": "monday", "first": "2026-01-01", "until": "2026-12-31"}
    freeze = {"start": "2025-01-01T00:00:00", "end": "2027-11-01T00:00:00"}
    found = calendar(settings(recurring=[weekly], freezes=[freeze]))
    assert len(found.notes) == 6
    assert found.notes[-1] == "47 more windows are closed to waves in the same way"


def test_waves_after_the_exit_date_are_told() -> None:
    said = settings(windows=[window(3), window(10)], waves={"exit": "2026-10-05"})
    assert window_notes(named(said.windows), said) == ("W02 cuts over after the exit date 2026-10-05",)
    many = settings(windows=[window(day) for day in (3, 10, 17, 24)], waves={"exit": "2026-10-05"})
    assert window_notes(named(many.windows), many) == (
        "W02 and 2 more waves cut over after the exit date 2026-10-05",
    )
    assert window_notes(named([said.windows[0], None]), said) == (
        "windows run out: the last 1 of 2 waves have none; add windows",
        "nobody can tell whether waves without a window keep the exit date 2026-10-05",
    )


def test_the_exit_date_is_kept_in_the_zone_of_the_window() -> None:
    evening = settings(windows=[{**window(5), "hours": 2, "zone": "America/New_York"}]).windows[0]
    assert not ends_after(evening, date(2026, 10, 5))  # ends at midnight there
    assert ends_after(evening, date(2026, 10, 4))


def test_the_hours_of_the_line_are_those_of_its_zone() -> None:
    link = settings(
        link={
            "share": 0.5,
            "zone": "Asia/Tokyo",
            "hours": [{"days": ["monday"], "first": 9, "until": 10, "share": 0.1}],
        }
    ).link
    found = bytes_by_hour(link, datetime(2026, 10, 3, tzinfo=UTC), 100.0)
    assert len(found) == 168
    assert [(at, rate) for at, rate in enumerate(found) if rate != 50.0] == [(0, 10.0)]
