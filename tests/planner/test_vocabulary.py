"""Filters over rows of any table: the fields are the table's own, the language is the same."""

from __future__ import annotations

import pytest

from planner.errors import BadInput
from planner.fields import TABLE_WORDS, VM_WORDS, Seen
from planner.model import VM
from planner.query import parse
from planner.vocabulary import Choice, Number, Text, Vocabulary, shown_value

WAVES = Vocabulary(
    {
        "wave": Text("name", lambda row, seen: (row[0],)),
        "vms": Number("VMs", lambda row, seen: row[1]),
        "size": Number("data", lambda row, seen: row[2], is_size=True),
        "state": Choice("state", lambda row, seen: row[3], ("planned", "approved")),
    },
    bare="wave",
    noun="wave",
)
ROWS = (
    ("W01 first", 3, 2**40, frozenset({"planned"})),
    ("W02", 40, None, frozenset({"approved"})),
    ("W10", 7, 5, None),
)


def chosen(text: str) -> list[str]:
    wanted = parse(text, WAVES)
    return [row[0][:3] for row in ROWS if wanted.matches(row)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["W01", "W02", "W10"]),
        ("w0", ["W01", "W02"]),
        ("wave:W1*", ["W10"]),
        ("vms>5", ["W02", "W10"]),
        ("size>=1T", ["W01"]),
        ("-size<1T", ["W01", "W02"]),
        ("state:approved or vms<5", ["W01", "W02"]),
        ("state:unknown", ["W10"]),
    ],
)
def test_rows_are_filtered_by_their_own_fields(text: str, expected: list[str]) -> None:
    assert chosen(text) == expected


def test_errors_list_the_fields_of_that_vocabulary() -> None:
    with pytest.raises(BadInput) as caught:
        parse("cluster:a", WAVES)
    assert "names a field that does not exist: cluster" in caught.value.message
    assert caught.value.hint == "fields are wave, vms, size, state; a bare word is looked for in wave"


def test_a_family_is_one_of_the_vocabulary_only() -> None:
    assert chosen("attr.owner:x") == []  # a bare word here
    assert parse("attr.owner:x").needs() == {"attr.owner"}


def test_rules_cannot_ask_for_what_tables_know() -> None:
    for text in ("wave:none", "group:crm", "checks:blocked"):
        with pytest.raises(BadInput, match="does not exist"):
            parse(text, VM_WORDS)
        parse(text, TABLE_WORDS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wave:none", "c"),
        ("wave:", "c"),
        ("-wave:none", "ab"),
        ("wave:none,W01", "ac"),
        ("wave~0", "ab"),
        ("wave~none", ""),
        ("group:crm", "ab"),
        ("checks:blocked", "a"),
        ("checks:warned", "a"),
        ("checks:undecided", "a"),
        ("checks:fine", "b"),
        ("checks:unknown", "c"),
        ("-checks:fine", "ac"),
    ],
)
def test_a_table_of_vms_knows_plan_and_checks(text: str, expected: str) -> None:
    seen = Seen(placed={"a": ("W01", "crm"), "b": ("W02", "crm")}, tallies={"a": (1, 2, 3), "b": (0, 0, 0)})
    wanted = parse(text, TABLE_WORDS)
    assert "".join(one for one in "abc" if wanted.matches(VM(one, one), seen)) == expected


def test_a_saved_filter_stands_for_its_text() -> None:
    saved = {"big": "vms>5 or size>=1T", "open": "@big -state:approved"}
    named = [row[0][:3] for row in ROWS if parse("@OPEN vms<5", WAVES, saved).matches(row)]
    assert named == ["W01"]
    assert [row[0][:3] for row in ROWS if parse("-@open", WAVES, saved).matches(row)] == ["W02"]
    assert parse("@open", WAVES, saved).needs() == {"vms", "size", "state"}


@pytest.mark.parametrize(
    ("text", "saved", "said"),
    [
        ("@mine", {}, "names a saved filter that does not exist"),
        ("@a", {"a": "crm @b", "b": "-(@a)"}, "names itself: @a names @b names @a"),
        ("@a", {"a": "@a"}, "names itself: @a names @a"),
        ("@a", {"a": "vms>many"}, "needs a whole number"),
        ("@\x1b[31m", {}, "does not exist"),
    ],
)
def test_saved_filters_that_cannot_be_read(text: str, saved: dict[str, str], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        parse(text, WAVES, saved)
    assert said in caught.value.message
    assert caught.value.hint
    assert "\x1b" not in caught.value.message + caught.value.hint


def test_a_name_that_begins_with_the_sign_is_written_in_quotes() -> None:
    assert parse('"@ops"').matches(VM("1", "x@ops"))
    assert not parse('"@ops"').matches(VM("1", "ops"))
    assert parse("mail@ops").matches(VM("1", "mail@ops"))


def test_saved_filters_that_double_each_other_are_refused_before_they_grow() -> None:
    saved = {f"n{at}": f"@n{at + 1} @n{at + 1}" for at in range(40)} | {"n40": "x"}
    with pytest.raises(BadInput, match="more than 1000 terms"):
        parse("@n0", WAVES, saved)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("size", 2**40, "1.0 TiB"),
        ("vms", 3, "3"),
        ("state", None, "unknown"),
        ("wave", (None,), "unknown"),
        ("wave", ("\x1b[31m",), "␛[31m"),
        ("wave", ("a", "b", "c", "d"), "a, b, c and 1 more"),
    ],
)
def test_values_are_shown_harmlessly(name: str, value: object, said: str) -> None:
    assert shown_value(WAVES.fields[name], value) == said  # type: ignore[arg-type]
