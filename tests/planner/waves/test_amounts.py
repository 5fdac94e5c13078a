"""Two amounts in one sentence are never written alike while they differ."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.units import GIB, TIB
from planner.waves.amounts import told_apart


@pytest.mark.parametrize(
    ("use", "cap", "in_bytes", "said"),
    [
        (9 * TIB, 8 * TIB, True, ("9.0 TiB", "8.0 TiB")),
        (8 * TIB + 20 * GIB, 8 * TIB, True, ("8.02 TiB", "8.00 TiB")),
        (TIB + GIB // 2, TIB, True, ("1.0005 TiB", "1.0000 TiB")),
        (8 * TIB + 1, 8 * TIB, True, ("8,796,093,022,209 B", "8,796,093,022,208 B")),
        (1000.4 * GIB, 1000 * GIB, True, ("1000.40 GiB", "1000.00 GiB")),
        (1023.99 * GIB, TIB, True, ("1024 GiB", "1.0 TiB")),
        (2 * GIB, 2 * GIB, True, ("2.0 GiB", "2.0 GiB")),
        (3, 2, False, ("3", "2")),
        (40.00002, 40, False, ("40.00002", "40")),
    ],
)
def test_amounts_have_as_many_digits_as_tell_them_apart(
    use: float, cap: float, in_bytes: bool, said: tuple[str, str]
) -> None:
    assert told_apart(use, cap, in_bytes) == said


@given(st.integers(0, 2**50), st.integers(0, 2**50), st.booleans())
def test_amounts_that_differ_never_look_alike(use: int, cap: int, in_bytes: bool) -> None:
    told = told_apart(use, cap, in_bytes)
    assert (told[0] == told[1]) == (use == cap)
