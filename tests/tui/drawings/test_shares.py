import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.units import TIB, show_bytes, show_duration
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
from tui.drawings.shares import Share, shares


def vms(value: float) -> str:
    return f"{value:.0f} VMs"


LIMITS = (
    Share("VMs", 41, 100, vms),
    Share("data", 97 * TIB, 100 * TIB, show_bytes),
    Share("hands-on work", 13 * 3600, 10 * 3600, show_duration),
    Share("hosts", None, 4, vms),
    Share("owners", 3, None, vms),
    Share("sites", 9, None, vms),
)


def plains(*items: Share, width: int = 76) -> list[str]:
    return [line.plain for line in shares(items, width)]


def test_shares_look_as_kept() -> None:
    same_as_kept("shares", lambda width: shares(LIMITS, width))
    survives_ascii(shares(LIMITS, 76))
    survives_ascii(shares(LIMITS, 30))


def test_every_state_is_a_glyph_and_a_word() -> None:
    ends = [line.split("  ")[-1] for line in plains(*LIMITS)]
    assert ends == ["✔ 41 %", "▲ 97 %", "✖ over", "? unknown", "· no cap", "· no cap"]
    assert [line[-1] for line in plains(*LIMITS, width=36)] == ["✔", "▲", "✖", "?", "·", "·"]


def test_a_bar_is_as_long_as_its_share_and_the_cap_is_marked() -> None:
    half, over, full = plains(
        Share("half", 50, 100, vms), Share("over", 200, 100, vms), Share("full", 100, 100, vms)
    )
    length = half.count("█") + half.count("░")
    assert abs(half.count("█") - length / 2) <= 1
    assert half.index("│") > half.rindex("░")
    assert abs(over.index("│") - (over.index("█") + over.rindex("█")) / 2) <= 1
    assert "░" not in full
    assert full.endswith("▲ 100 %")


def test_almost_nothing_is_something_and_almost_full_is_not_full() -> None:
    tiny, almost = plains(Share("tiny", 1, 10**6, vms), Share("almost", 999, 1000, vms))
    assert "▏" in tiny
    assert almost.endswith("▲ 99 %")


def test_no_room_at_all_is_a_cap_too() -> None:
    none, one = plains(Share("a", 0, 0, vms), Share("b", 1, 0, vms))
    assert none.endswith("✔ 0 %")
    assert one.endswith("✖ over")


@pytest.mark.parametrize("width", [36, *WIDTHS])
@pytest.mark.parametrize("name", TRICKS)
def test_a_hostile_name_moves_no_column(name: str, width: int) -> None:
    lines = shares((Share(name, 41, 100, vms), Share("tame", 41, 100, vms)), width)
    honest(lines, width)
    assert cell_of(lines[0], "✔") == cell_of(lines[1], "✔")


amounts = st.none() | st.floats(0, 1e18) | st.just(0.0)
some = st.lists(
    st.builds(Share, names, amounts, amounts, st.sampled_from([vms, show_bytes, show_duration])), max_size=5
)


@given(some, widths, st.integers(0, 30))
def test_any_shares_fit(items: list[Share], width: int, name_width: int) -> None:
    lines = shares(items, width, name_width)
    honest(lines, width)
    assert len(lines) == len(items)
