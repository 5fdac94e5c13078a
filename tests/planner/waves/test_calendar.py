"""The calendar: windows in order, freezes respected, nothing made up."""

from __future__ import annotations

from planner.settings import Settings, Window
from planner.waves.calendar import calendar, window_notes
from tests.planner.sketch import settings


def assign_windows(count: int, said: Settings) -> tuple[tuple[Window | None, ...], tuple[str, ...]]:
    """The windows of ``count`` waves that follow each other, and all notes."""
    found = calendar(said)
    used = [*found.windows[:count], *([None] * (count - len(found.windows)))]
    return tuple(used), (*found.notes, *window_notes(used, said))


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
