import random
from statistics import quantiles

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.units import show_duration
from tests.tui.drawings.kept import TRICKS, honest, names, same_as_kept, survives_ascii, widths
from tui.drawings.distribution import histogram, spread

DICE = random.Random(3)
RUNS = tuple(DICE.lognormvariate(9.5, 0.25) for _ in range(200))


def plains(values: tuple[float | None, ...], width: int = 76, height: int = 4) -> list[str]:
    return [line.plain for line in histogram(values, width, show_duration, height, "run")]


def test_histogram_looks_as_kept() -> None:
    same_as_kept("histogram", lambda width: histogram((*RUNS, None), width, show_duration, noun="run"))
    survives_ascii(histogram(RUNS, 76, show_duration))


def test_bars_are_as_high_as_there_are_values() -> None:
    lines = plains((*[1.0] * 8, *[2.5] * 4, *[10.0] * 1), 8, 2)
    assert lines[0] == "█"
    assert lines[1] == "██" + " " * 5 + "▂"
    assert lines[2] == "─" * 8


def test_something_is_never_drawn_as_nothing() -> None:
    assert plains((*[1.0] * 5000, 10.0), 60)[3].endswith("▁")


def test_median_and_95th_percentile_stand_under_their_values() -> None:
    cuts = quantiles(RUNS, n=20, method="inclusive")
    assert spread(RUNS) == (cuts[9], cuts[18])
    lines = plains(RUNS)
    p50, p95 = lines[5], lines[6]
    assert f"↑ P50 {show_duration(cuts[9])}" in p50
    assert f"P95 {show_duration(cuts[18])}" in p95
    assert 0 < p50.index("↑") < p95.index("↑") < len(lines[4])
    share = (cuts[9] - min(RUNS)) / (max(RUNS) - min(RUNS))
    assert abs(p50.index("↑") / len(lines[4]) - share) < 0.06


def test_words_go_to_the_side_that_has_room() -> None:
    assert plains((*[1.0] * 5, *[100.0] * 95), 30)[6].endswith("P95 1 m 40 s ↑")


def test_one_value_equal_values_and_none_are_said() -> None:
    assert "1 run, 5.0 s" in plains((5.0,))[-1]
    assert "3 runs, 5.0 s" in plains((5.0, 5.0, 5.0))[-1]
    assert "? no run known yet" in "\n".join(plains(()))
    assert "? no run known yet" in "\n".join(plains((None, float("nan"))))
    assert "2 runs, 5.0 s to 6.0 s, ? 2 not known" in plains((5.0, None, 6.0, float("inf")))[-1]


@pytest.mark.parametrize("name", TRICKS)
def test_a_hostile_unit_or_noun_does_nothing(name: str) -> None:
    honest(histogram(RUNS, 76, lambda value: name, noun=name), 76)


numbers = st.lists(
    st.none() | st.floats(-1e300, 1e300) | st.sampled_from([float("nan"), float("inf")]), max_size=40
)


@given(numbers, widths, st.integers(0, 6), names)
def test_any_values_fit(values: list[float | None], width: int, height: int, noun: str) -> None:
    lines = histogram(values, width, lambda value: f"{value:g}", height, noun)
    honest(lines, width)
    assert len(lines) == height + 4
