import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tests.tui.drawings.kept import TRICKS, honest, names
from tui.drawings.cells import Cells, Spot, at, first_shown


def test_what_is_put_later_lies_over_it_and_wide_letters_stay_whole() -> None:
    cells = Cells(8)
    assert cells.put(0, "日本語") == 6
    cells.put(3, "x")
    assert cells.content().plain == "日 x語"
    cells.put(4, "y")
    assert cells.content().plain == "日 xy"
    assert cells.put(7, "語") == 9
    assert cells.content().plain == "日 xy"


def test_tones_are_runs_and_blank_ends_are_left_out() -> None:
    cells = Cells(20)
    cells.put(0, "ab", "bad")
    cells.put(2, "c", "bad")
    cells.put(5, "[bold]d", "good", width=4)
    assert cells.content().plain == "abc  [bo…"
    assert [span.start for span in cells.content().spans] == [0, 5]
    assert cells.used == 9


def test_a_mark_at_the_start_of_a_name_stays_off_what_is_left_of_it() -> None:
    cells = Cells(10)
    cells.put(0, "◀")
    cells.put(1, "\ufe0fa")
    assert cells.content().cell_length == 3


@pytest.mark.parametrize("trick", TRICKS)
@pytest.mark.parametrize("width", [0, 1, 2, 7, 30])
def test_a_width_is_kept_to_the_cell(trick: str, width: int) -> None:
    cells = Cells(40)
    assert cells.put(3, trick, width=width) == 3 + width
    cells.put(3 + width, "│")
    assert cell_len(cells.content().plain) == 3 + width + 1
    honest([cells.content()], 40)


@given(
    st.lists(st.tuples(st.integers(-5, 30), names, st.none() | st.integers(-2, 20)), max_size=6),
    st.integers(0, 30),
)
def test_anything_can_be_drawn_anywhere(puts: list[tuple[int, str, int | None]], width: int) -> None:
    cells = Cells(width)
    for start, text, fixed in puts:
        cells.put(start, text, "warn", fixed)
    honest([cells.content()], width)
    assert cells.content().cell_length == cells.used


def test_spots_are_found_by_cell() -> None:
    spots = {"a": Spot(0, 0, 4), "b": Spot(0, 5, 9)}
    assert at(spots, 0, 5) == "b"
    assert at(spots, 1, 5) is None
    assert at(spots, 2, 0, height=3) == "a"


@pytest.mark.parametrize(
    ("asked", "first"),
    [
        ((0, 12, 5, 20), 8),
        ((15, 3, 5, 20), 3),
        ((6, 8, 5, 20), 6),
        ((18, None, 5, 20), 15),
        ((3, None, 5, 2), 0),
    ],
)
def test_what_is_selected_is_shown_without_moving_more_than_needed(
    asked: tuple[int, int | None, int, int], first: int
) -> None:
    assert first_shown(*asked) == first


def test_a_wide_letter_that_an_edge_cuts_leaves_a_blank() -> None:
    cells = Cells(5)
    cells.put(-1, "日本語")
    assert cells.content().plain == " 本語"
    cells.put(0, "ab語語")
    assert cells.content().plain == "ab語"
    assert cells.content().cell_length == 4
