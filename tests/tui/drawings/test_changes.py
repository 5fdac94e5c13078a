"""Changes over time: each is spread over its own stretch, and what nobody knows is no idle stretch."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.drawings.changes import UNKNOWN, Change, drawn
from tui.drawings.timeline_link import SPARKS


def test_the_busiest_cell_is_full_and_its_rate_is_told() -> None:
    found = drawn([Change(0, 100, 100, 50), Change(100, 200, 900, 900)], 4)
    assert found is not None
    assert found.rates == "▁▁██"
    assert found.ratios == "▄▄██"
    assert found.most_bytes_s == pytest.approx(9.0)
    assert found.packs_to == pytest.approx(0.95)


def test_a_gap_is_unknown_and_an_idle_stretch_is_empty() -> None:
    found = drawn([Change(0, 100, 100, 10), Change(100, 200, 0, 0), Change(300, 400, 100, 10)], 4)
    assert found is not None
    assert found.rates == f"█ {UNKNOWN}█"
    assert found.ratios == f"▁{UNKNOWN}{UNKNOWN}▁"


def test_without_a_stretch_there_is_nothing_to_draw() -> None:
    assert drawn([], 10) is None
    assert drawn([Change(5, 5, 100, 100)], 10) is None
    assert drawn([Change(0, 5, 100, 100)], 0) is None
    idle = drawn([Change(0, 5, 0, 0)], 3)
    assert idle is not None
    assert (idle.rates, idle.most_bytes_s, idle.packs_to) == ("   ", 0.0, None)


_CHANGES = st.lists(
    st.builds(
        lambda start, length, size, share: Change(start, start + length, size, int(size * share)),
        st.floats(0, 1e9),
        st.floats(0, 1e6),
        st.integers(0, 2**60),
        st.floats(0, 1),
    ),
    max_size=20,
)


@given(_CHANGES, st.integers(1, 200))
def test_any_changes_fit_their_cells(changes: list[Change], width: int) -> None:
    found = drawn(changes, width)
    if found is not None:
        assert len(found.rates) == len(found.ratios) == width
        assert set(found.rates + found.ratios) <= {*SPARKS, UNKNOWN}
