"""Filters over findings and waves, as those tables hold them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from planner.model import Finding, Severity
from planner.places import FINDING_WORDS, WAVE_WORDS
from planner.query import parse
from planner.store.plan_waves import PlannedWindow, WaveRow

FOUND = (
    Finding("disks.rdm", Severity.BLOCKER, "1", "db-01", "has an RDM", "convert it"),
    Finding("hosts.old", Severity.WARNING, "h", "esx-01", "is old", "renew it", "host", "Anna accepts it"),
)
FIRST = WaveRow(
    "W01", "pilots", PlannedWindow(datetime(2026, 9, 5, 20, tzinfo=UTC), 6.0, "Europe/Berlin"), 2, 9, 2**40,
    (1.0, 2.0), (10.0, 61.4), None, 3, 120, 48.0, "f", 0,
)  # fmt: skip
WAVES = (FIRST, replace(FIRST, name="W02", title="", window=None, vms=40))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("db", "1"),
        ("severity:warning", "h"),
        ("kind:host", "h"),
        ("family:disks", "1"),
        ("check:disks.*", "1"),
        ("waived:no", "1"),
        ("waiver~anna", "h"),
        ("waiver:", "1"),
        ("message~rdm remedy~convert", "1"),
        ("id:h", "h"),
    ],
)
def test_findings(text: str, expected: str) -> None:
    wanted = parse(text, FINDING_WORDS)
    assert "".join(row.subject for row in FOUND if wanted.matches(row)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pilot", ["W01"]),
        ("w0", ["W01", "W02"]),
        ("start:2026-09-*", ["W01"]),
        ("start:none", ["W02"]),
        ("vms>9", ["W02"]),
        ("size>=1T groups:2 tasks:3 effort>100", ["W01", "W02"]),
        ("downtime>61", []),
    ],
)
def test_waves(text: str, expected: list[str]) -> None:
    wanted = parse(text, WAVE_WORDS)
    assert [row.name for row in WAVES if wanted.matches(row)] == expected
