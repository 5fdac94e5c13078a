"""An estate over a line: the figures, what binds, what would do; the model is that of the estimates."""

from __future__ import annotations

from itertools import islice

import pytest

from planner.errors import BadInput
from planner.estimate import copies
from planner.projection import DAY_S, Binds, Load, Rates, Ratio, outlook
from planner.settings import Link
from planner.units import TIB

EVEN = Ratio(1.0, 1.0, 1.0)
FAST = Rates(1e12, 1e12)
LINE = Link(rate_mbit=1000.0, share=1.0)  # 106.25 MB/s after goodput


def test_a_seed_takes_its_bytes_by_what_the_line_carries() -> None:
    found = outlook(Load(106.25e6 * DAY_S, 0.0), LINE, EVEN, FAST)
    assert found.p50.seed_s == pytest.approx(DAY_S)
    assert found.p95.seed_s == pytest.approx(DAY_S / 0.7)
    assert found.p50.steady_s == found.p50.seed_s
    assert found.p50.binds is Binds.LINK


def test_the_usual_the_bad_and_the_best_case_take_their_own_ratio() -> None:
    found = outlook(Load(106.25e6 * DAY_S, 0.0), LINE, Ratio(1.0, 2.0, 4.0), FAST)
    days = [case.seed_s / DAY_S for case in (found.p50, found.p95, found.best)]
    assert days == pytest.approx([1 / 2, 1 / 0.7, 1 / 4])


@pytest.mark.parametrize(
    ("rates", "binds"),
    [
        (FAST, Binds.LINK),
        (Rates(cpu_bytes_s=5e7, disk_bytes_s=1e9), Binds.CPU),
        (Rates(cpu_bytes_s=1e9, disk_bytes_s=5e7), Binds.DISK),
    ],
)
def test_the_smallest_rate_binds(rates: Rates, binds: Binds) -> None:
    found = outlook(Load(TIB, 0.0), LINE, EVEN, rates)
    assert found.p50.binds is binds
    assert found.p50.rate_bytes_s == min(106.25e6, rates.cpu_bytes_s, rates.disk_bytes_s)


def test_churn_that_the_line_does_not_carry_never_gets_small() -> None:
    carried = 106.25e6 * DAY_S
    found = outlook(Load(TIB, 0.6 * carried), LINE, EVEN, FAST)
    assert found.p50.fits
    assert found.p50.steady_s is not None
    assert not found.p95.fits  # twice the churn, 70 % of the line
    assert found.p95.steady_s is None


def test_deltas_are_those_of_the_estimates() -> None:
    load, rate = Load(20 * TIB, 2e12), 106.25e6
    found = outlook(load, LINE, EVEN, FAST)
    sent = list(islice(copies(load.seed_bytes, load.churn_bytes_day / DAY_S, rate), 40))
    steady = next(at for at, left in enumerate(sent) if left == sent[-1])
    assert found.p50.steady_s == pytest.approx(sum(sent[:steady]) / rate)
    # a geometric row: seed by what is left of the line once churn went over it
    assert found.p50.steady_s == pytest.approx(load.seed_bytes / (rate - 2e12 / DAY_S), rel=0.01)


def test_the_line_that_is_needed_would_do() -> None:
    load, ratio, share = Load(100 * TIB, 4e12), Ratio(1.2, 1.6, 2.5), Link(rate_mbit=100.0, share=0.5)
    found = outlook(load, share, ratio, FAST, within_days=10)
    assert not found.p95.fits
    assert found.needs_mbit is not None
    enough = outlook(load, share.model_copy(update={"rate_mbit": found.needs_mbit}), ratio, FAST)
    assert enough.p95.fits
    assert enough.p95.seed_s <= 10 * DAY_S
    short = outlook(load, share.model_copy(update={"rate_mbit": 0.99 * found.needs_mbit}), ratio, FAST)
    assert short.p95.seed_s > 10 * DAY_S


def test_no_line_helps_where_both_ends_are_too_slow() -> None:
    slow = Rates(cpu_bytes_s=1e6, disk_bytes_s=1e9)
    assert outlook(Load(100 * TIB, 0.0), LINE, EVEN, slow, within_days=10).needs_mbit is None


def test_a_ratio_is_in_order() -> None:
    for parts in ((2.0, 1.5, 3.0), (1.0, 3.0, 2.0), (0.0, 1.0, 1.0)):
        with pytest.raises(BadInput):
            Ratio(*parts)


def test_images_in_place_are_read_at_the_pace_of_disks_and_leave_less_to_the_line() -> None:
    bare, placed = Load(10 * TIB, 1e12), Load(10 * TIB, 1e12, differs=0.05)
    rates = Rates(1e12, 4e8)
    first, second = (outlook(load, LINE, EVEN, rates, within_days=1.0) for load in (bare, placed))
    assert second.p50.seed_s == pytest.approx(10 * TIB / 4e8 + 0.5 * TIB / 106.25e6)
    assert first.p50.steady_s is not None
    assert second.p50.steady_s is not None
    assert second.p50.seed_s <= second.p50.steady_s < first.p50.steady_s
    assert first.needs_mbit is not None
    assert second.needs_mbit is not None
    assert second.needs_mbit < first.needs_mbit
    # Where the reading alone takes longer than there is time, no line helps.
    assert outlook(placed, LINE, EVEN, rates, within_days=0.2).needs_mbit is None
    assert outlook(Load(10 * TIB, 1e12, differs=1.0), LINE, EVEN, rates).p50.seed_s > first.p50.seed_s
