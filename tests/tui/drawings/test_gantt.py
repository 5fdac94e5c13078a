from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.drawings.kept import (
    TRICKS,
    WIDTHS,
    cell_of,
    honest,
    names,
    same_as_kept,
    survives_ascii,
    widths,
)
from tui.drawings.axis import Slots, Span
from tui.drawings.chart import Bar, Chart, Column, Kind, Row, Shade, lay_out
from tui.drawings.gantt import Kept, frame_lines, gantt, when_at
from tui.drawings.timeline_link import Load

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)


def day(days: float, hours: float = 0) -> datetime:
    return BEGIN + timedelta(days=days, hours=hours)


def moves(seed: float, sync: float, cut: float, wrong: bool = False) -> tuple[Bar, ...]:
    return (
        Bar(Kind.SEED, day(seed), day(sync)),
        Bar(Kind.SYNC, day(sync), day(cut, 22)),
        Bar(Kind.CUTOVER, day(cut, 22), day(cut, 28), wrong),
        Bar(Kind.GATE, day(cut, 27), day(cut, 27)),
        Bar(Kind.SOAK, day(cut, 28), day(cut + 3, 28)),
    )


ROWS = (
    Row("W05 intranet", ("41", "3.1 TiB"), moves(-12, -9, -6), "✔ committed", "good"),
    Row("W06 web front ends", ("63", "4.8 TiB"), moves(1, 5, 12), "✔ P95 3 h 5 m of 6 h", "good"),
    Row("W07 billing + identity", ("38", "9.7 TiB"), moves(3, 12, 18), "✔ P95 5 h 20 m of 6 h", "good"),
    Row("W08 crm + warehouse", ("33", "43 TiB"), moves(4, 19, 25, wrong=True), "✖ freeze year end", "bad"),
    Row("W09 manufacturing", ("97", "6.2 TiB"), verdict="? no window", slot=5),
    Row("W20 last", ("3", "0.2 TiB"), moves(60, 65, 70), "✔ fits", "good"),
)
CHART = Chart(
    Span(day(2), day(32)),
    (Column("VMs", 5, True), Column("data", 8, True)),
    zone="Europe/Berlin",
    shades=(
        Shade(day(12, 20), day(13, 4)),
        Shade(day(18, 20), day(19, 4)),
        Shade(day(24), day(27), "quarter end close", True),
        Shade(day(29), day(30), "audit", True),
    ),
    now=day(10, 14),
    loads=tuple(Load(day(i), day(i + 1), None if i == 9 else i / 25) for i in range(33)),
    cap="500 MB/s",
)


@pytest.mark.parametrize(
    ("name", "span"),
    [
        ("weeks", CHART.axis),
        ("hours", Span(day(18, 18), day(19, 8))),
        ("days", Span(day(16), day(22))),
        ("months", Span(day(-20), day(300))),
        ("years", Span(day(-20), day(3000))),
        ("slots", Slots(1, 8)),
    ],
)
def test_gantt_looks_as_kept(name: str, span: Span | Slots) -> None:
    chart = replace(CHART, axis=span)
    same_as_kept(f"gantt-{name}", lambda width: gantt(chart, ROWS, width, count=7, selected=2).lines)
    survives_ascii(gantt(chart, ROWS[:4], 116, selected=2).lines)


def plains(chart: Chart, rows: tuple[Row, ...] = ROWS, width: int = 116, **more: int) -> list[str]:
    return [line.plain for line in gantt(chart, rows, width, **more).lines]


def test_a_bar_lies_where_its_time_is() -> None:
    chart = replace(CHART, axis=Span(day(0), day(10)), shades=(), now=None, columns=())
    row = Row(
        "x",
        (),
        (Bar(Kind.SEED, day(2), day(4)), Bar(Kind.CUTOVER, day(5), day(6)), Bar(Kind.SOAK, day(9), day(20))),
    )
    place = lay_out(chart, 74)
    tenth = place.chart / 10
    drawn = plains(chart, (row,), 74)[2][place.chart_at :]
    assert drawn.index("░") == int(2 * tenth)
    assert drawn.rindex("░") == ceil(4 * tenth) - 1
    assert drawn.index("█") == int(5 * tenth)
    assert len(drawn.rstrip()) == place.chart


def test_short_things_are_seen_and_a_gate_hides_no_cutover() -> None:
    row = replace(CHART, axis=Span(day(0), day(900)))
    drawn = plains(row, (Row("x", (), moves(100, 101, 102)),))[3]
    assert "█◆" in drawn


def test_a_violation_is_a_glyph() -> None:
    assert "✖" in plains(CHART, (Row("x", (), moves(4, 19, 25, wrong=True)),))[3]
    assert "✖" not in plains(CHART, (Row("x", (), moves(4, 19, 25)),))[3]


def test_what_lies_beyond_the_chart_is_said_on_its_side() -> None:
    place = lay_out(CHART, 116)
    early, late = plains(CHART)[3], plains(CHART)[8]
    assert early[place.chart_at] == "◂"
    assert late[place.chart_at + place.chart - 1] == "▸"


def test_no_dates_are_unknown_and_an_unknown_load_is_no_idle_link() -> None:
    drawn = plains(CHART)
    assert "? no dates, slot 5" in drawn[7]
    assert "?" in next(line for line in drawn if line.startswith("  link"))
    undated = plains(replace(CHART, axis=Slots()))
    assert "? load not known without dates" in undated[-2]
    assert "no dates: by slot" in undated[0]


def test_windows_freezes_and_now_stand_behind_rows_and_are_named() -> None:
    drawn = plains(CHART, (Row("x", (), (Bar(Kind.SEED, day(2), day(3)),)),))
    assert all(glyph in drawn[3] for glyph in "╌┊│")
    assert "┊quarter end close" in drawn[2] or "┊quar" in drawn[2]
    assert "┊a" in drawn[2]
    assert drawn[2].index("┊") == drawn[3].index("┊")
    assert all(words in drawn[-3] for words in ("╌ window", "┊ freeze", "│ now"))


def test_the_load_says_its_peak_and_what_is_over_the_cap() -> None:
    fine = replace(CHART, loads=(Load(day(2), day(20), 0.5), Load(day(20), day(40), 0.97)))
    assert "peak 97 %" in plains(fine)[-2]
    assert "▲" not in plains(fine)[-2]
    assert "▲ peak 132 %" in plains(replace(CHART, loads=(Load(day(20), day(20.1), 1.32),)))[-2]
    assert "peak ?" in plains(replace(CHART, loads=(Load(day(2), day(40), None),)))[-2]
    assert "500 MB/s" in plains(fine)[-1]
    before_and_after = (Load(day(0), day(1), 1.5), Load(day(33), day(40), None))
    assert plains(replace(CHART, loads=before_and_after))[-2].split() == ["link", "peak", "?"]


def test_rows_are_virtual_and_what_is_hidden_is_said() -> None:
    class Many(list[Row]):
        asked = 0

        def __len__(self) -> int:
            return 500

        def __getitem__(self, key):  # type: ignore[no-untyped-def]
            Many.asked += len(range(*key.indices(500)))
            return [replace(ROWS[0], label=f"W{number}") for number in range(*key.indices(500))]

    picture = gantt(CHART, Many(), 116, first=20, count=10, selected=25)
    assert Many.asked == 10
    assert len(picture.lines) == 10 + frame_lines(CHART)
    assert "↑ 20 more above   ↓ 470 more below" in "\n".join(line.plain for line in picture.lines)
    assert list(picture.spots) == list(range(20, 30))
    assert picture.lines[picture.spots[25].line].plain.startswith("▸ W25")


def test_a_cell_tells_its_time() -> None:
    place = lay_out(CHART, 116)
    assert when_at(CHART, 116, place.chart_at) == day(2)
    assert when_at(CHART, 116, place.chart_at - 1) is None
    assert when_at(CHART, 116, place.verdict_at) is None


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", TRICKS)
def test_a_hostile_name_moves_no_column(name: str, width: int) -> None:
    row = Row(name, (name, name), ROWS[2].bars, "✔ fits", "good")
    chart = replace(CHART, title=name, shades=(*CHART.shades, Shade(day(20), day(22), name, True)))
    picture = gantt(chart, (row,), width)
    honest(picture.lines, width)
    assert cell_of(picture.lines[3], "✔ fits") == lay_out(chart, width).verdict_at


times = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
bars = st.builds(Bar, st.sampled_from(list(Kind)), times, times, st.booleans())
rows = st.builds(
    Row,
    names,
    st.tuples(names, names),
    st.lists(bars, max_size=4).map(tuple),
    names,
    st.just("warn"),
    st.none() | st.integers(-5, 600),
)
axes = st.builds(Span, times, times) | st.builds(Slots, st.floats(1, 600), st.floats(0, 600))
charts = st.builds(
    Chart,
    axes,
    st.lists(st.builds(Column, names, st.integers(0, 12), st.booleans()), max_size=3).map(tuple),
    names,
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Sao_Paulo", "Pacific/Apia"]),
    st.lists(st.builds(Shade, times, times, names, st.booleans()), max_size=3).map(tuple),
    st.none() | times,
    st.none() | st.lists(st.builds(Load, times, times, st.none() | st.floats(0, 3)), max_size=5).map(tuple),
    names,
    st.integers(0, 30),
    st.integers(0, 30),
)


@given(charts, st.lists(rows, max_size=4), widths, st.integers(0, 5), st.integers(0, 5))
def test_any_chart_is_as_wide_and_high_as_asked(
    chart: Chart, some: list[Row], width: int, first: int, count: int
) -> None:
    picture = gantt(chart, some, width, first, count)
    honest(picture.lines, width)
    assert len(picture.lines) == max(count, 0 if some else 1) + frame_lines(chart)


def test_a_step_of_the_cursor_draws_two_rows_and_nothing_else() -> None:
    kept = Kept()
    before = gantt(CHART, ROWS, 120, 0, len(ROWS), 1, kept)
    after = gantt(CHART, ROWS, 120, 0, len(ROWS), 2, kept)
    assert [line.plain for line in after.lines] == [
        line.plain for line in gantt(CHART, ROWS, 120, 0, len(ROWS), 2).lines
    ]
    new = [
        at for at, pair in enumerate(zip(before.lines, after.lines, strict=True)) if pair[0] is not pair[1]
    ]
    rows = [after.spots[number].line for number in (1, 2)]
    assert new == [*rows, after.spots[len(ROWS) - 1].line + 1]  # the last tells what is hidden
