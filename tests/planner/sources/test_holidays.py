"""Holidays from ics calendars: whole days, yearly ones spelled out, nonsense named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from planner.errors import BadInput
from planner.sources.holidays import read_holidays

TODAY = date(2026, 10, 1)


def ics(folder: Path, *events: str) -> Path:
    body = "".join(f"BEGIN:VEVENT\r\nUID:{at}\r\n{said}\r\nEND:VEVENT\r\n" for at, said in enumerate(events))
    path = folder / "h.ics"
    path.write_text(f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:t\r\n{body}END:VCALENDAR\r\n", "utf-8")
    return path


def days(path: Path, years: int = 2) -> list[str]:
    return [f"{item.day} {item.name}" for item in read_holidays(path, TODAY, years).holidays]


def test_days_are_read_in_order_and_an_event_of_several_days_is_all_of_them(tmp_path: Path) -> None:
    path = ics(
        tmp_path,
        "SUMMARY:Christmas\r\nDTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227",
        "SUMMARY:Unity\r\nDTSTART;VALUE=DATE:20261003",
        "SUMMARY:Three\r\nDTSTART;VALUE=DATE:20261010\r\nDURATION:P3D",
    )
    assert days(path) == [
        "2026-10-03 Unity",
        "2026-10-10 Three",
        "2026-10-11 Three",
        "2026-10-12 Three",
        "2026-12-25 Christmas",
        "2026-12-26 Christmas",
    ]


def test_days_that_come_back_are_spelled_out_until_they_end(tmp_path: Path) -> None:
    yearly = "SUMMARY:May\r\nDTSTART;VALUE=DATE:20100501\r\nRRULE:FREQ=YEARLY"
    assert days(ics(tmp_path, yearly)) == ["2026-05-01 May", "2027-05-01 May", "2028-05-01 May"]
    assert days(ics(tmp_path, f"{yearly};UNTIL=20270601")) == ["2026-05-01 May", "2027-05-01 May"]
    assert days(ics(tmp_path, f"{yearly};UNTIL=20270601T000000Z")) == ["2026-05-01 May", "2027-05-01 May"]


def test_events_with_a_time_of_day_are_no_holidays_and_counted(tmp_path: Path) -> None:
    path = ics(tmp_path, "DTSTART:20261001T100000Z", "DTSTART;VALUE=DATE:20261003")
    found = read_holidays(path, TODAY, 1)
    assert (found.timed, [item.day.day for item in found.holidays]) == (1, [3])


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("SUMMARY:bad\x1b[31m\r\nDTSTART;VALUE=DATE:2026", "event 1"),
        ("SUMMARY:none", "event 1 (none)"),
        ("SUMMARY:back\r\nDTSTART;VALUE=DATE:20261003\r\nDTEND;VALUE=DATE:20261001", "ends before it starts"),
        ("SUMMARY:long\r\nDTSTART;VALUE=DATE:20261003\r\nDTEND;VALUE=DATE:20361001", "lasts 3651 days"),
        ("DTSTART;VALUE=DATE:20261003\r\nRRULE:FREQ=NEVER", "event 1"),
    ],
)
def test_an_event_that_cannot_be_read_is_named(tmp_path: Path, event: str, said: str) -> None:
    with pytest.raises(BadInput) as error:
        read_holidays(ics(tmp_path, event), TODAY, 1)
    assert said in error.value.message
    assert "\x1b" not in error.value.message


@pytest.mark.parametrize("content", [b"", b"hello", b"BEGIN:VCALENDAR\r\n", b"\xff\xfe\x00", b"PK\x03\x04"])
def test_what_is_no_calendar_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.ics"
    path.write_bytes(content)
    with pytest.raises(BadInput):
        read_holidays(path, TODAY, 1)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        read_holidays(tmp_path / "nothing.ics", TODAY, 1)
