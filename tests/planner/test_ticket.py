"""Patterns of tickets: what they match, and that none of them takes long, whatever is typed."""

from __future__ import annotations

import re

import pytest

from planner.conduct import GateRule
from planner.ticket import LONGEST, compile_ticket, matches


@pytest.mark.parametrize(
    ("pattern", "ticket"),
    [
        (r"CHG\d{7}", "CHG0012345"),
        (r"(CHG|INC|RFC)-?[0-9]{4,8}", "RFC-20261"),
        (r"[A-Z]+-[0-9]+(-[0-9]+)?", "DC-12-3"),
        (r"(?:OPS-)?\d+", "OPS-7"),
        (r"[]\]]+", "]]"),
        (r"a{,3}b", "aab"),
    ],
)
def test_the_whole_ticket_has_the_form(pattern: str, ticket: str) -> None:
    assert matches(pattern, ticket)
    assert not matches(pattern, f"{ticket}\n")
    assert not matches(pattern, f"x{ticket}")


def test_a_ticket_too_long_never_matches() -> None:
    assert matches("x*", "x" * LONGEST)
    assert not matches("x*", "x" * (LONGEST + 1))


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)"
        "(a|ab)(a|ab)(a|ab)(a|ab)(a|ab)x",
        "a*a*a*a*a*b",
        "(a{,9}){,9}b",
        "(a{0,99999}){0,99999}b",
        r"[\][](a+)+[]]",
        "[^]](?:(?:a*)b?)*",
    ],
)
def test_what_could_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="leaves too much open"):
        compile_ticket(pattern)


@pytest.mark.parametrize(
    "pattern", [r"(a)\1", "(?P<x>a)(?P=x)", "(?=a)a", "(?i)a", "a\\", "(", ")", "*a", "[a", "a" * 201, "x**"]
)
def test_what_is_no_pattern_of_ours_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        compile_ticket(pattern)


def test_a_brace_that_counts_nothing_is_itself() -> None:
    assert re.compile("a{}").fullmatch("a{}")
    assert matches("a{}", "a{}")


def test_settings_refuse_such_a_pattern_where_it_is_set() -> None:
    assert GateRule(ticket=r"CHG\d{7}").ticket == r"CHG\d{7}"
    with pytest.raises(ValueError, match="leaves too much open"):
        GateRule(ticket="(a+)+")
