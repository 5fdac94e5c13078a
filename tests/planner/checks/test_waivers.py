"""Waivers over findings: whom they cover, until when, and what they never do."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from planner.checks.registry import Readiness
from planner.checks.waivers import Subject, Waiver, Withdrawal, chosen, expired, waived
from planner.errors import BadInput, NotFound
from planner.model import Finding, Severity


def finding(check: str, subject: str, name: str = "", kind: str = "vm") -> Finding:
    return Finding(check, Severity.BLOCKER, subject, name or subject, "m", "r", kind)


def waiver(check: str, *subjects: str, until: str = "2026-12-31", kind: str = "vm", **more: object) -> Waiver:
    return Waiver(
        **{  # type: ignore[arg-type]
            "id": 1,
            "check": check,
            "subjects": tuple(Subject(kind, item, item) for item in subjects),
            "reason": "known",
            "owner": "Anna",
            "until": date.fromisoformat(until),
            "who": "root",
            "at": "2026-01-01",
            **more,
        }
    )


FOUND = Readiness(
    (finding("a.x", "1"), finding("a.x", "2"), finding("b.y", "1"), finding("a.x", "1", kind="host")),
    {"a.x": 3},
)
DAY = date(2026, 12, 31)


def covered(*waivers: Waiver, day: date = DAY) -> list[bool]:
    return [bool(item.waiver) for item in waived(FOUND, waivers, day).findings]


def test_a_waiver_covers_its_check_and_objects_only() -> None:
    assert covered(waiver("a.x", "1")) == [True, False, False, False]
    assert covered(waiver("a.x", "1", kind="host")) == [False, False, False, True]
    assert covered(waiver("a.x", "1", "2"), waiver("b.y", "1")) == [True, True, True, False]
    assert covered() == [False] * 4


def test_it_counts_through_its_last_day() -> None:
    one = waiver("a.x", "1")
    assert covered(one, day=date(2026, 12, 31))[0]
    assert not covered(one, day=date(2027, 1, 1))[0]
    assert one.state(date(2026, 12, 31)) == "in force"
    assert one.state(date(2027, 1, 1)) == "expired"


def test_a_withdrawn_one_counts_no_more() -> None:
    one = waiver("a.x", "1", withdrawn=Withdrawal("root", "now", "moved"))
    assert covered(one) == [False] * 4
    assert one.state(DAY) == one.state(date(2030, 1, 1)) == "withdrawn"


def test_findings_stay_and_only_counts_leave_them_aside() -> None:
    result = waived(FOUND, [waiver("a.x", "1")], DAY)
    assert [replace(item, waiver="") for item in result.findings] == list(FOUND.findings)
    assert result.unknown == FOUND.unknown
    assert (FOUND.count(Severity.BLOCKER), result.count(Severity.BLOCKER)) == (4, 3)
    assert result.findings[0].waiver == "Anna accepts it until 2026-12-31: known"


def test_of_two_the_longer_one_is_shown() -> None:
    short, long = waiver("a.x", "1", owner="Short"), waiver("a.x", "1", until="2027-05-01", owner="Long")
    for order in ((short, long), (long, short)):
        assert waived(FOUND, order, DAY).findings[0].waiver.startswith("Long")


def test_expired_ones_are_told_while_their_findings_are_open() -> None:
    late = date(2027, 1, 1)
    old = waiver("a.x", "1")
    assert expired(waived(FOUND, [old], late), [old], late) == (old,)
    assert expired(waived(FOUND, [old], DAY), [old], DAY) == ()
    gone = waiver("a.x", "9")
    assert expired(FOUND, [gone], late) == ()
    new = waiver("a.x", "1", until="2028-01-01")
    assert expired(waived(FOUND, [old, new], late), [old, new], late) == ()


def test_hostile_words_are_shown_harmless() -> None:
    one = waiver("a.x", "1", reason="\x1b[31mred", owner="A\u202eB")
    assert one.sentence.isprintable()


def test_objects_are_chosen_by_name_or_id_among_those_found() -> None:
    found = (
        finding("a.x", "1", "web"),
        finding("a.x", "2", "Web"),
        finding("a.x", "3", "db"),
        finding("b.y", "4"),
    )
    assert chosen("a.x", found, ["DB", "1"]) == (Subject("vm", "3", "db"), Subject("vm", "1", "web"))
    assert chosen("a.x", found, ["3", "db"]) == (Subject("vm", "3", "db"),)
    assert chosen("a.x", found, [], lambda item: item.subject != "3") == (
        Subject("vm", "1", "web"),
        Subject("vm", "2", "Web"),
    )
    with pytest.raises(BadInput, match="web is the name of 2 objects"):
        chosen("a.x", found, ["web"])
    with pytest.raises(NotFound, match="4 has no finding of"):
        chosen("a.x", found, ["4"])
    with pytest.raises(NotFound, match="no VM that the filter matches"):
        chosen("a.x", found, [], lambda item: False)
