from datetime import UTC, datetime

import pytest
from rich.cells import cell_len

from planner.settings import Window
from tui.text import bar, count, fit, folded, line, pinch, plural, short_time, utc_clock, window_span


@pytest.mark.parametrize(
    "text", ["", "short", "a name that is far too long", "日本語サーバー名前", "e\u0301" * 20]
)
@pytest.mark.parametrize("width", [1, 5, 9])
@pytest.mark.parametrize("right", [False, True])
def test_fit_fills_exactly_the_cells_it_was_given(text: str, width: int, right: bool) -> None:
    assert cell_len(fit(text, width, right)) == width


def test_fit_says_that_it_shortened() -> None:
    assert fit("abcdef", 4) == "abc…"
    assert fit("abcd", 4) == "abcd"
    assert fit("ab", 4, right=True) == "  ab"
    assert fit("ab", 0) == ""


@pytest.mark.parametrize("width", [1, 2, 9, 40])
@pytest.mark.parametrize(
    "text", ["", "W02 has no history: it was not replicated yet", "日本語 サーバー名前", "e\u0301" * 20]
)
def test_what_is_folded_keeps_every_word_and_its_width(text: str, width: int) -> None:
    lines = folded(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    # a cell of two is drawn where there is one: nothing narrower can be made of it
    assert all(cell_len(one) <= max(width, 2) for one in lines)


def test_a_sentence_is_folded_between_words() -> None:
    assert folded("not replicated yet", 10) == ["not", "replicated", "yet"]


def test_what_is_pinched_keeps_its_end() -> None:
    assert pinch("ald-p-soleven-db-01", 12) == "ald-…n-db-01"
    assert pinch("ald-p-soleven-db-01", 19) == "ald-p-soleven-db-01"
    assert pinch("ab", 10) == "ab        "
    assert pinch("abcdefghi", 7) == "abcdef…"
    assert [cell_len(pinch("漢字" * 9, width)) for width in (0, 7, 12, 36)] == [0, 7, 12, 36]


def test_a_bar_never_hides_something_and_never_overflows() -> None:
    assert bar(0, 100, 10) == ""
    assert len(bar(1, 100000, 10)) == 1
    assert bar(100, 100, 10) == "█" * 10
    assert bar(300, 100, 10) == "█" * 10
    assert bar(1, 0, 10) == ""


def test_numbers_and_times_read_as_people_write_them() -> None:
    assert count(1284) == "1 284"
    assert plural(1, "VM") == "1 VM"
    assert plural(2, "VM") == "2 VMs"
    assert utc_clock(datetime(2026, 3, 11, 14, 2, tzinfo=UTC)) == "14:02 UTC"
    assert short_time("2026-03-11T14:02:03.5Z") == "2026-03-11 14:02"
    assert short_time("last week") == "last week"


def test_a_window_is_shown_in_its_own_zone() -> None:
    window = Window(start=datetime(2026, 3, 14, 22), hours=6, zone="Europe/Berlin")  # noqa: DTZ001
    assert window_span(window) == "Sat 14 Mar 22:00 → Sun 04:00 Europe/Berlin (6 h)"


def test_a_line_reads_no_markup() -> None:
    content = line("[bold]x[/]", ("[@click=quit]y[/]", "bad"))
    assert content.plain == "[bold]x[/][@click=quit]y[/]"
    assert len(content.spans) == 1
