"""Times of appointments: how they are read, and what stands against one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from migrate.schedule.calendar import Appointed
from migrate.schedule.times import check_time, read_time
from planner.errors import BadInput
from planner.settings import Freeze, Holiday, Settings, Window
from tests.migrate.gates.standing import planned

OPENS = datetime(2026, 12, 5, 22, 0)  # noqa: DTZ001 - of the window's zone
WAVE = planned(window=Window(start=OPENS, hours=6, zone="Europe/Berlin"))
AT = datetime(2026, 12, 5, 21, 0, tzinfo=UTC)
NOW = AT - timedelta(days=9)


@pytest.mark.parametrize(
    ("text", "zone", "hour"),
    [
        ("2026-12-05 22:00", "", 21),
        ("2026-12-05T22:00", "UTC", 22),
        ("2026-12-05 22:00+05:00", "Europe/Berlin", 17),
        ("2026-12-05T22:00Z", "", 22),
        (" window ", "", 21),
        ("2026-12-05 22:00", "Asia/Tokyo", 13),
    ],
)
def test_a_time_is_read_in_its_zone(text: str, zone: str, hour: int) -> None:
    assert read_time(text, zone, WAVE) == datetime(2026, 12, 5, hour, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "sentence"),
    [
        ("2026-12-05", "", "a day without a time"),
        ("tomorrow \x1b[31m", "", "tomorrow ␛"),
        ("2026-12-05 22:00", "Mars/Base", "Mars/Base does not exist"),
        ("2026-03-29 02:30", "Europe/Berlin", "does not exist"),
        ("2026-10-25 02:30", "Europe/Berlin", "happens twice"),
    ],
)
def test_what_nobody_can_mean_is_refused(text: str, zone: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence.replace("[", r"\[")):
        read_time(text, zone, WAVE)


def test_a_wave_without_a_window_has_no_window_to_begin_at() -> None:
    bare = planned()
    assert read_time("2026-12-05 22:00", "", bare) == AT + timedelta(hours=1), "UTC"
    with pytest.raises(BadInput, match="has no window"):
        read_time("window", "", bare)


def against(at: datetime, settings: Settings | None = None, names: frozenset[str] = frozenset()) -> str:
    return check_time(WAVE, settings or Settings(), names, Appointed.CUTOVER, at, NOW)


def test_a_cutover_is_bound_to_its_window() -> None:
    assert against(AT) == ""
    assert against(AT + timedelta(hours=6, seconds=-1)) == ""
    for outside in (AT - timedelta(seconds=1), AT + timedelta(hours=6)):
        assert against(outside) == "its window is from 2026-12-05 21:00 UTC until 2026-12-06 03:00 UTC"
    early = AT - timedelta(days=1)
    assert check_time(WAVE, Settings(), frozenset(), Appointed.REPLICATE, early, NOW) == ""
    for purpose in Appointed:
        with pytest.raises(BadInput, match="is over"):
            check_time(WAVE, Settings(), frozenset(), purpose, NOW, NOW)


def test_a_freeze_holiday_or_somebodys_own_freeze_stands_against_it() -> None:
    year_end = Freeze(start=AT + timedelta(minutes=1), end=AT + timedelta(days=1), why="year \x1b end")
    assert against(AT, Settings(freezes=(year_end,))) == "it overlaps a freeze (year ␛ end)"
    assert against(AT + timedelta(hours=-1)).startswith("its window")
    mine = year_end.model_copy(update={"only": ("shop",)})
    assert against(AT, Settings(freezes=(mine,)), frozenset({"shop"})) == "it overlaps a freeze (year ␛ end)"
    assert against(AT, Settings(freezes=(mine,)), frozenset({"other"})) == ""
    holiday = Holiday(day=date(2026, 12, 5), name="Eve")
    assert against(AT, Settings(holidays=(holiday,))) == "it falls on a holiday (Eve)"
