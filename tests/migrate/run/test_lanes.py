"""Which transfers begin: limits are kept, weight and size decide, nobody is held up by another's host."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from migrate.run.lanes import Lane, Limits, choose


def steps(lanes: list[Lane]) -> list[str]:
    return [lane.step for lane in lanes]


def test_weight_comes_before_size_and_size_before_order() -> None:
    ready = [Lane("a", 10), Lane("b", 30), Lane("c", 10), Lane("d", 1, weight=2.0)]
    assert steps(choose(ready, [], Limits(4))) == ["d", "b", "a", "c"]
    assert steps(choose(ready, [], Limits(2))) == ["d", "b"]
    assert steps(choose(ready, [Lane("x", 1)], Limits(2))) == ["d"]


def test_a_busy_host_holds_up_no_other() -> None:
    ready = [Lane("a", 9, host="h1"), Lane("b", 8, host="h1"), Lane("c", 7, host="h2")]
    assert steps(choose(ready, [], Limits(4, per_host=1))) == ["a", "c"]
    assert steps(choose(ready, [Lane("x", 1, host="h1")], Limits(4, per_host=1))) == ["c"]
    assert steps(choose(ready, [], Limits(4, per_datastore=2))) == ["a", "b"]  # unknown counts as one


lanes = st.builds(
    Lane,
    step=st.uuids().map(str),
    size_bytes=st.integers(0, 100),
    weight=st.sampled_from((0.5, 1.0, 4.0)),
    host=st.sampled_from(("", "h1", "h2")),
    datastore=st.sampled_from(("", "d1", "d2")),
)
limits = st.builds(
    Limits,
    at_once=st.integers(1, 5),
    per_host=st.none() | st.integers(1, 3),
    per_datastore=st.none() | st.integers(1, 3),
)


@given(ready=st.lists(lanes, max_size=12), allowed=limits)
def test_limits_hold_while_work_comes_and_goes_and_everything_gets_its_turn(
    ready: list[Lane], allowed: Limits
) -> None:
    running: list[Lane] = []
    left = list(ready)
    while left or running:
        for lane in choose(left, running, allowed):
            left.remove(lane)
            running.append(lane)
        assert running, "with nothing under way something must begin"
        assert len(running) <= allowed.at_once
        for limit, places in (
            (allowed.per_host, [lane.host for lane in running]),
            (allowed.per_datastore, [lane.datastore for lane in running]),
        ):
            assert limit is None or max(Counter(places).values()) <= limit
        assert not choose(left, running, allowed), "what may begin begins at once"
        running.pop(0)
