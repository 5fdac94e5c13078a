from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.drawings.axis import Slots, Span, date_ticks, slot_ticks

BERLIN = ZoneInfo("Europe/Berlin")
times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001


def labels(span: Span, width: int, zone: str = "Europe/Berlin") -> tuple[list[str], list[str]]:
    above, below = date_ticks(span, zone, width)
    return [tick.label for tick in above], [tick.label for tick in below]


def test_ticks_adapt_to_the_zoom() -> None:
    start = datetime(2026, 9, 1, tzinfo=BERLIN)
    asked = {
        hours: labels(Span(start, start + timedelta(hours=hours)), 60)
        for hours in (1, 10, 24, 24 * 9, 24 * 30)
    }
    assert asked[1][1][:3] == ["00:00", "00:15", "00:30"]
    assert asked[10] == (["Tue 01 Sep 2026"], [f"{hour:02}h" for hour in range(10)])
    assert asked[24][1] == ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00"]
    assert asked[24 * 9] == (["September 2026"], [f"{day:02}" for day in range(1, 10)])
    assert asked[24 * 30][1] == ["Mon 07", "Mon 14", "Mon 21", "Mon 28"]
    year = labels(Span(start, start + timedelta(days=365)), 70)
    assert year[0] == ["2026", "2027"]
    assert year[1][:4] == ["Sep", "Oct", "Nov", "Dec"]


def test_a_chart_that_begins_a_little_before_a_year_is_labelled_with_that_year() -> None:
    start = datetime(2026, 12, 31, 4, tzinfo=BERLIN)  # the cell in which it ends holds 2027 too
    assert labels(Span(start, start + timedelta(days=60)), 54)[0] == ["January 2027", "February 2027"]
    assert labels(Span(start, start + timedelta(days=150)), 54)[0] == ["2027"]


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        # An hour is skipped in spring and comes twice in autumn.
        (datetime(2026, 3, 29, tzinfo=BERLIN), ["00h", "01h", "03h", "04h"]),
        (datetime(2026, 10, 25, tzinfo=BERLIN), ["00h", "01h", "02h", "02h", "03h"]),
    ],
)
def test_days_on_which_clocks_change_have_their_true_hours(day: datetime, hours: list[str]) -> None:
    start = datetime.fromtimestamp(day.timestamp(), UTC)
    length = 23 if hours[2] == "03h" else 25
    span = Span(start, start + timedelta(hours=length))
    _, below = date_ticks(span, "Europe/Berlin", length * 5)
    assert [tick.label for tick in below][: len(hours)] == hours
    assert {b.cell - a.cell for a, b in pairwise(below)} == {5}
    assert len(below) == length


def test_a_midnight_that_the_clocks_skip_still_begins_its_day() -> None:
    start = datetime(2018, 11, 2, tzinfo=ZoneInfo("America/Sao_Paulo"))
    below = labels(Span(start, start + timedelta(days=5)), 30, "America/Sao_Paulo")[1]
    assert below == ["02", "03", "04", "05", "06"]


def test_a_day_that_a_zone_skips_altogether_costs_nothing_else() -> None:
    start = datetime(2011, 12, 28, tzinfo=ZoneInfo("Pacific/Apia"))
    below = labels(Span(start, start + timedelta(days=6)), 30, "Pacific/Apia")[1]
    assert below[:2] == ["28", "29"]
    assert "31" in below
    assert "30" not in below


def test_zooming_keeps_the_time_it_is_around() -> None:
    span = Span(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 11, tzinfo=UTC))
    around = datetime(2026, 9, 3, tzinfo=UTC)
    near = span.zoomed(0.5, around)
    assert near.length_s == span.length_s / 2
    assert near.share(around) == pytest.approx(0.2)
    assert near.zoomed(2, around) == span
    assert span.moved(0.5).start == datetime(2026, 9, 6, tzinfo=UTC)
    assert span.moved(-1).end == span.start


def test_slots_zoom_move_and_never_begin_before_the_first() -> None:
    slots = Slots(1, 10)
    assert slots.zoomed(0.5).count == 5
    assert slots.moved(-3).first == 1
    assert slots.moved(1).first == 11
    assert [tick.label for tick in slot_ticks(Slots(1, 6), 60)] == ["1", "2", "3", "4", "5", "6"]
    assert [tick.label for tick in slot_ticks(Slots(1, 12), 30)] == ["1", "3", "5", "7", "9", "11"]


@given(times, times, st.integers(0, 200), st.floats(0.01, 100), st.floats(-50, 50))
def test_any_span_can_be_zoomed_moved_and_labelled(
    start: datetime, end: datetime, width: int, factor: float, share: float
) -> None:
    span = Span(start, end).zoomed(factor, around=start).moved(share)
    for line in date_ticks(span, "America/St_Johns", width):
        ends = [0, *(tick.cell + len(tick.label) for tick in line)]
        assert all(tick.cell >= before for tick, before in zip(line, ends, strict=False)), line
        assert all(0 <= tick.cell < width for tick in line)


@given(st.floats(1, 900), st.floats(0, 900), st.integers(0, 200))
def test_any_slots_can_be_labelled(first: float, count: float, width: int) -> None:
    line = slot_ticks(Slots(first, count), width)
    ends = [0, *(tick.cell + len(tick.label) for tick in line)]
    assert all(tick.cell >= before for tick, before in zip(line, ends, strict=False)), line
