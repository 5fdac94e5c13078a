"""Rate and time left, by the documented formula."""

from __future__ import annotations

from migrate.replication.pace import STRETCH_S, Left, Pace


def paced(rates: list[float]) -> Pace:
    pace, now, done = Pace(100.0), 100.0, 0.0
    for rate in rates:
        for _ in range(4):  # four looks a stretch
            now += STRETCH_S / 4
            done += rate * STRETCH_S / 4
            pace.saw(now, int(done))
    return pace


def test_nobody_knows_before_three_stretches() -> None:
    assert paced([100, 100]).left(1000) is None
    assert paced([100, 100]).rate_bytes_s is None
    assert paced([100, 100, 100]).left(1000) == Left(10.0, 10.0)


def test_p50_is_the_median_and_p95_the_slow_end() -> None:
    pace = paced([100.0] * 18 + [50.0, 20.0])
    assert pace.left(1000) == Left(10.0, 20.0)  # 95 % of the stretches reached 50 a second
    assert pace.rate_bytes_s == 100


def test_only_recent_stretches_count() -> None:
    assert paced([10.0] * 40 + [1000.0] * 30).left(1000) == Left(1.0, 1.0)


def test_a_pass_that_stands_still_has_no_end() -> None:
    assert paced([0.0] * 5).left(1000) is None
    assert paced([0.0, 100, 100]).left(1000) == Left(10.0, 10.0)
