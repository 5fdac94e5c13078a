"""Filters over findings and waves, as those tables hold them."""

from __future__ import annotations

import pytest

from planner.model import Finding, Severity
from planner.places import FINDING_WORDS, WAVE_WORDS
from planner.query import parse

FOUND = (
    Finding("disks.rdm", Severity.BLOCKER, "1", "db-01", "has an RDM", "convert it"),
    Finding("hosts.old", Severity.WARNING, "h", "esx-01", "is old", "renew it", "host", "Anna accepts it"),
)
FIRST = (
    *("W01", "W01", "pilots", 2, 9, 2**40, "Sat 05 Sep 22:00", (10.0, 61.4), (0.5, "vms"), "planned", "ann"),
    *(None, 0, ""),
)
WAVES = (FIRST, ("W02", "W02", "", 2, 40, 2**41, "", None, None, "planned", "", None, 3, "●"))


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
        ("w0", ["W01", "W02"]),
        ("title~pilot", ["W01"]),
        ("window~sep", ["W01"]),
        ("window:", ["W02"]),
        ("vms>9", ["W02"]),
        ("data>=1T groups:2 state:planned", ["W01", "W02"]),
        ("broken>0", ["W02"]),
        ("approved:ann", ["W01"]),
        ("edit~●", ["W02"]),
    ],
)
def test_waves(text: str, expected: list[str]) -> None:
    wanted = parse(text, WAVE_WORDS)
    assert [row[0] for row in WAVES if wanted.matches(row)] == expected
