"""Bytes, rates, durations: what people write is read once, and printed so that it can be read again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.errors import BadInput
from planner.units import (
    GIB,
    KIB,
    MIB,
    TIB,
    parse_bytes,
    parse_duration,
    parse_rate,
    show_bytes,
    show_duration,
    show_rate,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512", 512),
        ("0", 0),
        ("40G", 40 * GIB),
        ("40 GB", 40 * GIB),
        ("40GiB", 40 * GIB),
        (" 1.5 TiB ", TIB + TIB // 2),
        ("64k", 64 * KIB),
        ("1b", 1),
        ("1P", 1024 * TIB),
    ],
)
def test_sizes_are_binary(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize(
    ("text", "rate"),
    [("400 Mbit/s", 400_000_000), ("1G", 10**9), ("64kbps", 64_000), ("9", 9), ("1.5gbit", 1_500_000_000)],
)
def test_rates_are_decimal(text: str, rate: int) -> None:
    assert parse_rate(text) == rate


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("15 m", 900),
        ("15min", 900),
        ("6H", 21600),
        ("3d", 259200),
        ("250ms", 0.25),
        ("1w", 604800),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


BAD = ["", "G", "-1", "1e9", "1,5G", "40 X", "4 0", "NaN", "inf", "1..2", "\x1b[0m", "٤٠G x", "1 GG"]


@pytest.mark.parametrize("text", BAD)
@pytest.mark.parametrize("parse", [parse_bytes, parse_rate, parse_duration])
def test_what_cannot_be_read_is_refused_with_an_example(parse: object, text: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text)  # type: ignore[operator]
    assert caught.value.hint.startswith("write it like")
    assert "\x1b" not in caught.value.message


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (100 * MIB, "100 MiB"),
        (5000 * TIB, "5000 TiB"),
    ],
)
def test_sizes_are_shown_short(size: int, text: str) -> None:
    assert show_bytes(size) == text
    assert show_rate(size) == f"{text}/s"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (59.6, "1 m"),
        (250, "4 m 10 s"),
        (3600, "1 h"),
        (3605, "1 h 5 s"),
        (86407, "1 d"),
        (284400, "3 d 7 h"),
        (284461, "3 d 7 h"),
        (-90, "-1 m 30 s"),
    ],
)
def test_durations_are_shown_in_two_parts(seconds: float, text: str) -> None:
    assert show_duration(seconds) == text


@given(st.integers(0, 10**16))
def test_a_shown_size_is_read_back_within_its_rounding(size: int) -> None:
    assert parse_bytes(show_bytes(size)) == pytest.approx(size, rel=0.06)
