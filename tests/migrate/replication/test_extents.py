"""Extents and zeros against plain sets of bytes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrate.replication.extents import ExtentSet, aligned, checked, cut, merge, subtract, walk
from migrate.replication.zeros import is_zero, zero_runs
from migrate.sites.ports import Extent
from planner.errors import BadInput

extents = st.lists(st.builds(Extent, st.integers(0, 200), st.integers(0, 40)), max_size=12)


def points(runs: list[Extent]) -> set[int]:
    return {at for run in runs for at in range(run.offset, run.end)}


@given(extents)
def test_merge_keeps_the_bytes(runs: list[Extent]) -> None:
    merged = list(merge(runs))
    assert points(merged) == points(runs)
    assert all(a.end < b.offset for a, b in pairwise(merged))


@given(extents, extents)
def test_subtract_and_sets(a: list[Extent], b: list[Extent]) -> None:
    left = list(subtract(merge(a), merge(b)))
    assert points(left) == points(a) - points(b)
    growing = ExtentSet(a)
    for run in b:
        growing.add(run.offset, run.length)
    assert growing.extents() == merge([*a, *b])


@given(extents, st.integers(1, 50))
def test_cut_and_walk_cover_everything_once(runs: list[Extent], block: int) -> None:
    merged = merge(runs)
    whole = list(walk(merged, 300))
    assert [at for run, _ in whole for at in range(run.offset, run.end)] == list(range(300))
    assert points([run for run, inside in whole if inside]) == points(runs)
    pieces = [piece for run in merged for piece in cut(run, block)]
    assert points(pieces) == points(runs)
    assert all(piece.offset // block == (piece.end - 1) // block for piece in pieces)


@given(extents, st.sampled_from([1, 4, 16]))
def test_aligned_is_the_smallest_aligned_superset(runs: list[Extent], grain: int) -> None:
    merged = merge(runs)
    wide = list(aligned([(run.offset, run.length) for run in merged], grain, 241))
    expected = {
        at
        for at in range(241)
        if points(list(merged)) & set(range(at // grain * grain, at // grain * grain + grain))
    }
    assert points(wide) == expected
    assert list(merge(wide)) == wide


def test_bounds() -> None:
    with pytest.raises(BadInput, match="outside"):
        checked([Extent(5, 6)], 10)
    small = ExtentSet(limit=3)
    for at in (0, 10, 20):
        small.add(at, 1)
    with pytest.raises(BadInput, match="scattered"):
        small.add(30, 1)
    assert ExtentSet([Extent(0, 5), Extent(5, 5)]).covers(10)
    assert not ExtentSet([Extent(0, 5), Extent(6, 4)]).covers(10)
    assert ExtentSet().covers(0)


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 40)), max_size=10))
def test_zero_runs(parts: list[tuple[bool, int]]) -> None:
    data = bytearray(b"".join((b"x" if full else b"\0") * length for full, length in parts))
    runs = list(zero_runs(data, len(data), grain=8))
    assert [at for a, b, _ in runs for at in range(a, b)] == list(range(len(data)))
    for start, end, zero in runs:
        for at in range(start, end, 8):
            assert (not any(data[at : min(at + 8, end)])) == zero
            assert is_zero(data, at, min(at + 8, end)) == zero
