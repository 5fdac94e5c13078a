import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tui.drawings.kept import (
    TRICKS,
    WIDTHS,
    glyph_at,
    honest,
    names,
    same_as_kept,
    survives_ascii,
    widths,
)
from tui.drawings.board import CARD_LINES, Card, Chosen, Lane, board, cards_that_fit, lanes_that_fit
from tui.drawings.cells import Picture, at

BILLING = tuple(
    Card(
        ("billing", n),
        f"billing-{n}",
        4 + n,
        "5.2 TiB",
        n % 3 == 0,
        "over the cap of 100 VMs" if n in (1, 3) else "",
    )
    for n in range(9)
)
LANES = (
    Lane("W07 billing + identity", "9 groups · 9.7 TiB", "dim", BILLING),
    Lane("W08 crm", "✖ in a freeze", "bad", (Card("crm", "crm", 11, "4.2 TiB"), Card("mdm", "mdm", 1))),
    Lane("W09 empty"),
    *(Lane(f"W{n}", "1 group", "dim", (Card(n, f"group-{n}", n, "1.0 TiB"),)) for n in range(10, 18)),
)


def text(picture: Picture) -> str:
    return "\n".join(line.plain for line in picture.lines)


def test_board_looks_as_kept() -> None:
    same_as_kept("board", lambda width: board(LANES, width, 20, chosen=Chosen(0, 5)).lines)
    same_as_kept("board-last", lambda width: board(LANES, width, 20, chosen=Chosen(10, 0)).lines)
    survives_ascii(board(LANES, 116, 20, chosen=Chosen(0, 5)).lines)


def test_the_selected_card_is_always_seen_and_marked() -> None:
    for number, lane in enumerate(LANES):
        for place, card in enumerate(lane.cards):
            picture = board(LANES, 76, 17, chosen=Chosen(number, place))
            spot = picture.spots[card.key]
            line = picture.lines[spot.line].plain
            assert line[spot.first] == "╔"
            assert line[spot.first + 2 :].startswith(card.name)
            assert text(picture).count("╔") == 1
            assert text(picture).count("▸ W") == 1


def test_it_scrolls_no_further_than_the_selected_card_needs() -> None:
    fits = cards_that_fit(17)
    assert fits == 4
    resting = board(LANES, 76, 17, chosen=Chosen(0, 5), tops={0: 3})
    assert list(resting.spots)[:fits] == [("billing", n) for n in (3, 4, 5, 6)]
    moved = board(LANES, 76, 17, chosen=Chosen(0, 8), tops={0: 3})
    assert list(moved.spots)[:fits] == [("billing", n) for n in (5, 6, 7, 8)]
    assert "W09 empty" in text(board(LANES, 76, 17, first=2, chosen=Chosen(3)))
    assert "W09 empty" not in text(board(LANES, 76, 17, first=2, chosen=Chosen(5)))


def test_what_is_hidden_and_what_is_empty_is_said() -> None:
    picture = board(LANES, 76, 17, tops={0: 2})
    assert "↑ 2  ↓ 3  more" in picture.lines[-1].plain
    assert "· no groups" in text(picture)
    assert lanes_that_fit(76) == 3
    assert "8 more ▸" in text(picture)
    assert "◂ 8 more" in text(board(LANES, 76, 17, first=8))
    assert "no waves" in text(board((), 76, 17))


def test_a_lock_a_violation_and_an_unknown_size_are_words() -> None:
    shown = text(board(LANES, 116, 40))
    assert "▣ locked" in shown
    assert "✖ over the cap of 100" in shown
    assert "1 VM  ? size" in shown
    both = text(board((Lane("W1", cards=(BILLING[3],)),), 116, 10))
    assert "▣ locked ✖ over" in both


def test_a_click_on_any_line_of_a_card_finds_it() -> None:
    picture = board(LANES, 116, 20)
    spot = picture.spots["crm"]
    found = {at(picture.spots, spot.line + more, spot.first + 3, CARD_LINES) for more in range(CARD_LINES)}
    assert found == {"crm"}
    assert at(picture.spots, 0, spot.first, CARD_LINES) is None


@pytest.mark.parametrize("width", [24, 50, *WIDTHS])
@pytest.mark.parametrize("name", TRICKS)
def test_a_hostile_name_moves_no_border(name: str, width: int) -> None:
    lanes = [
        Lane(name, name, "bad", tuple(Card((n, c), name, 3, name, bool(c), name) for c in range(2)))
        for n in range(min(3, lanes_that_fit(width)))
    ]
    picture = board(lanes, width, 20, chosen=Chosen(0, 1))
    honest(picture.lines, width)
    assert len(picture.spots) == 2 * len(lanes)
    for key, spot in picture.spots.items():
        borders = ("╔║╚", "╗║╝") if key == (0, 1) else ("╭│╰", "╮│╯")
        for line, left, right in zip(picture.lines[spot.line :], *borders, strict=False):
            assert (glyph_at(line, spot.first), glyph_at(line, spot.last)) == (left, right)


cards = st.builds(Card, st.integers(0, 99), names, st.integers(0, 10**6), names, st.booleans(), names)
lanes = st.builds(Lane, names, names, st.sampled_from(["", "bad"]), st.lists(cards, max_size=6).map(tuple))


@given(
    st.lists(lanes, max_size=6),
    widths,
    st.integers(0, 30),
    st.integers(-1, 7),
    st.none() | st.builds(Chosen, st.integers(0, 5), st.none() | st.integers(0, 5)),
    st.dictionaries(st.integers(0, 5), st.integers(0, 9)),
)
def test_any_board_fits(
    some: list[Lane], width: int, height: int, first: int, chosen: Chosen | None, tops: dict[int, int]
) -> None:
    picture = board(some, width, height, first, chosen, tops)
    honest(picture.lines, width)
    assert len(picture.lines) <= height
    assert all(spot.line < len(picture.lines) for spot in picture.spots.values())


def test_five_hundred_waves_cost_a_screen() -> None:
    many = tuple(Lane(f"W{n}", cards=tuple(Card((n, c), f"g{c}", 1) for c in range(20))) for n in range(500))
    picture = board(many, 116, 30, chosen=Chosen(480, 19))
    assert len(picture.spots) == lanes_that_fit(116) * cards_that_fit(30)
    assert (480, 19) in picture.spots
