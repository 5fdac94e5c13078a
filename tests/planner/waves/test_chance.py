"""Chances: the same draws everywhere, and the direction in which everything pushes them."""

from __future__ import annotations

from dataclasses import replace

from planner.model import Estimate
from planner.waves.chance import Chances, Run, chances

RATE = 1e8
HOUR = 3600.0


def wave(**more: float) -> Run:
    """A wave that seeds an hour and is down half an hour, in a window a day after the begin."""
    fields = {"seed_bytes": RATE * HOUR, "churn_bytes_s": 0.0, "final_min": 20.0, "around_min": 10.0}
    return Run(**{**fields, "start_s": 24 * HOUR, "hours": 2.0, **more})  # type: ignore[arg-type]


def test_the_same_seed_draws_the_same_and_another_one_does_not() -> None:
    runs = [wave(), wave(start_s=48 * HOUR, seed_bytes=24 * RATE * HOUR)]
    assert chances(runs, RATE, 1) == chances(runs, RATE, 1) != chances(runs, RATE, 2)


def test_nothing_to_move_takes_no_time() -> None:
    assert chances([], RATE, 1) == Chances(Estimate(0.0, 0.0), ())


def test_an_undated_makespan_is_seed_and_cutover_within_what_is_drawn() -> None:
    found = chances([replace(wave(final_min=0.0), start_s=None)], RATE, 1)
    assert 1 / 1.3 + 1 / 6 <= found.makespan_h.p50 <= found.makespan_h.p95 <= 1 / 0.7 + 1 / 6 + 0.01
    assert abs(found.makespan_h.p50 - (1 + 1 / 6)) < 0.1
    assert found.overrun == (None,)


def test_a_wave_overruns_when_its_window_its_seed_or_the_line_is_too_short() -> None:
    assert chances([wave(hours=8.0)], RATE, 1).overrun == (0.0,)
    assert chances([wave(hours=0.1)], RATE, 1).overrun == (1.0,)
    assert chances([wave(seed_bytes=100 * RATE * HOUR)], RATE, 1).overrun == (1.0,)
    (close,) = chances([wave(hours=0.5)], RATE, 1).overrun
    assert close is not None
    assert 0.3 < close < 0.7


def test_a_late_wave_does_not_make_the_next_one_late_when_the_line_is_free() -> None:
    runs = [wave(hours=0.1), wave(start_s=48 * HOUR, hours=8.0)]
    assert chances(runs, RATE, 1).overrun == (1.0, 0.0)


def test_seeds_of_waves_before_take_the_line_from_those_behind() -> None:
    runs = [wave(seed_bytes=20 * RATE * HOUR), wave(start_s=26 * HOUR, seed_bytes=20 * RATE * HOUR)]
    assert chances(runs, RATE, 1).overrun[1] == 1.0


def test_what_waits_for_its_window_keeps_sending_deltas() -> None:
    quiet = [wave(), wave(start_s=25 * HOUR, seed_bytes=10 * RATE * HOUR)]
    busy = [replace(quiet[0], churn_bytes_s=0.8 * RATE), quiet[1]]
    calm, late = chances(quiet, RATE, 1).overrun[1], chances(busy, RATE, 1).overrun[1]
    assert calm is not None
    assert late is not None
    assert calm < late
