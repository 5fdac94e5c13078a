"""What is asked of a journal in words, and what is refused."""

from __future__ import annotations

import pytest

from migrate.journal.limits import (
    USUAL_RESERVE,
    Bounds,
    Limits,
    Room,
    parse_history,
    parse_limits,
    parse_reserve,
    parse_room,
)
from planner.errors import BadInput
from planner.units import GIB, MIB, TIB


@pytest.mark.parametrize(
    ("text", "room"),
    [
        ("100GiB", Room(100 * GIB)),
        (" 1.5 T ", Room(3 * TIB // 2)),
        ("20%", Room(percent=20.0)),
        ("150 %", Room(percent=150.0)),
        ("2.5%", Room(percent=2.5)),
    ],
)
def test_limits_are_bytes_or_percent(text: str, room: Room) -> None:
    assert parse_room(text) == room


@pytest.mark.parametrize(
    "text",
    ["", "%", "0%", "0.5%", "-5%", "20000%", "twenty", "1MiB", "0", "12%%", "1e9", "\x1b[31m5%x", "٥%%"],
)
def test_what_is_no_limit_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(BadInput) as told:
        parse_room(text)
    assert told.value.exit_code == 2
    assert told.value.hint
    assert "\x1b" not in told.value.message
    assert not told.value.message.endswith(".")


def test_what_stays_free_is_of_a_file_system_and_little() -> None:
    assert parse_limits().reserve == parse_reserve("") == USUAL_RESERVE
    assert [USUAL_RESERVE.of(size) for size in (100 * GIB, TIB)] == [2 * GIB, 4 * GIB]
    assert parse_limits(reserve="16MiB").reserve == Room(16 * MIB)
    assert parse_limits(reserve="50%").reserve == Room(percent=50.0)
    for text in ("51%", "15MiB", "0", "none", "\x1b[31m"):
        with pytest.raises(BadInput) as told:
            parse_reserve(text)
        assert told.value.hint
        assert "\x1b" not in told.value.message


def test_history_is_an_hour_to_thirty_days() -> None:
    assert parse_history("1h") == 3600
    assert parse_history("30d") == 30 * 86400
    for text in ("59m", "31d", "1", "", "a day", "0h"):
        with pytest.raises(BadInput):
            parse_history(text)


def test_limits_of_a_group_come_from_its_disks() -> None:
    limits = parse_limits("7d", "20%", "", "10GiB")
    assert limits.history_s == 7 * 86400
    assert limits.of(10 * TIB) == Bounds(2 * TIB, 3 * TIB // 2, 10 * GIB)
    assert Limits().of(TIB) == Bounds()
    assert parse_limits("24h", "100GiB", "60GiB").of(TIB) == Bounds(100 * GIB, 60 * GIB)
    assert parse_limits("24h", "", "60GiB").of(TIB) == Bounds(0, 60 * GIB)


def test_a_warning_comes_before_the_limit() -> None:
    for hard, warning in (("20GiB", "20GiB"), ("20GiB", "30GiB"), ("20%", "20%"), ("20%", "40%")):
        with pytest.raises(BadInput, match="is not below the limit"):
            parse_limits("24h", hard, warning)
    mixed = parse_limits("24h", "20GiB", "50%")  # which is more, only the disks know
    assert mixed.of(TIB) == Bounds(20 * GIB, 20 * GIB)
    assert mixed.of(10 * GIB) == Bounds(20 * GIB, 5 * GIB)
