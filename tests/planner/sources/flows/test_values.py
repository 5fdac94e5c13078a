"""Cells: ports, sizes and times in every spelling, and which of two ports is the server's."""

from __future__ import annotations

import pytest

from planner.evidence.records import iso
from planner.sources.flows.values import Clock, read_port, read_protocol, read_size, server_is_second


@pytest.mark.parametrize("text", ["443", " 443 ", "TCP:443", "443 [https]", "https", "443.0"])
def test_ports_that_are_443(text: str) -> None:
    assert read_port(text) == 443


@pytest.mark.parametrize("text", ["", "0", "any", "-"])
def test_no_port_was_said(text: str) -> None:
    assert read_port(text) is None


@pytest.mark.parametrize("text", ["65536", "-1", "8000-8010", "port", "1" * 30, "443,444"])
def test_what_is_no_port(text: str) -> None:
    with pytest.raises(ValueError):
        read_port(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1536", 1536),
        ("1,536", 1536),
        ("1.5 KB", 1536),
        ("2 GiB", 2 * 1024**3),
        ("", None),
        ("-", None),
    ],
)
def test_sizes(text: str, size: int | None) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["-5", "many", "9" * 20, "1e400"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError):
        read_size(text)


def test_protocols_by_number_and_name() -> None:
    assert [read_protocol(text) for text in ("6", "TCP", "udp", "17", "x" * 99, "")] == [
        "tcp", "tcp", "udp", "udp", "x" * 16, "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-01T08:00:00Z", "2026-10-01T08:00:00Z"),
        ("2026-10-01 08:00:00.123", "2026-10-01T08:00:00Z"),
        ("2026-10-01T08:00:00+02:00", "2026-10-01T06:00:00Z"),
        ("1790841600", "2026-10-01T08:00:00Z"),
        ("1790841600000", "2026-10-01T08:00:00Z"),
        ("10/1/2026 8:00", "2026-10-01T08:00:00Z"),
        ("10/1/2026 8:00:00 PM", "2026-10-01T20:00:00Z"),
        ("01.10.2026 08:00", "2026-10-01T08:00:00Z"),
        ("16-Jul-2026", "2026-07-16T00:00:00Z"),
        ("", ""),
        ("yesterday", ""),
        ("9999-12-31", ""),
        ("0001-01-01T00:00:00+14:00", ""),
    ],
)
def test_times(text: str, moment: str) -> None:
    clock = Clock("")
    assert iso(clock.read(text)) == moment
    assert clock.unread == bool(text and not moment)


def test_a_day_above_12_shows_how_dates_are_written() -> None:
    assert iso(Clock("3/4/2026").read("3/4/2026")) == "2026-03-04T00:00:00Z"
    assert iso(Clock("3/4/2026,\n13/4/2026,").read("3/4/2026")) == "2026-04-03T00:00:00Z"


def test_slots() -> None:
    clock = Clock("")
    assert [*map(iso, clock.slot("7/28/2026 12:00-18:00"))] == [
        "2026-07-28T12:00:00Z",
        "2026-07-28T18:00:00Z",
    ]
    assert [*map(iso, clock.slot("7/28/2026 18:00-0:00"))] == ["2026-07-28T18:00:00Z", "2026-07-29T00:00:00Z"]
    assert [*map(iso, clock.slot("2026-07-28"))] == ["2026-07-28T00:00:00Z", "2026-07-28T00:00:00Z"]
    assert clock.slot("") == (None, None)


@pytest.mark.parametrize(
    ("first", "second", "second_serves"),
    [
        (51000, 443, True),
        (443, 51000, False),
        (1433, 1025, False),
        (33000, 5432, True),
        (40000, 12345, True),
        (12345, 40000, False),
        (53, 53, True),
        (123, 53, True),
        (53, 123, False),
    ],
)
def test_the_server_of_two_ports(first: int, second: int, second_serves: bool) -> None:
    assert server_is_second(first, second) is second_serves
