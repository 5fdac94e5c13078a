"""Columns give back what they were made of, and judge a value once for all rows that have it."""

from __future__ import annotations

import pytest

from planner.column import Column, constant, rows_of
from planner.query import parse
from planner.terms import Judge
from planner.vocabulary import Number, Text, Value, Vocabulary

WORDS = Vocabulary(
    {"name": Text("name", lambda row, seen: row), "size": Number("size", lambda row, seen: row)}
)


@pytest.mark.parametrize(
    "values",
    [
        [],
        [("a",)],
        [("a",), ("b",), ("a",)],
        [("a",), ("b",), ("c",)],
        [(), (None,), ("a", None), ("a", "b"), ("",), ()],
        [1, None, 3, 1],
        [frozenset({"yes"}), None, frozenset({"no", "x"})],
        [(str(at % 300),) for at in range(1000)],
        [*range(70_000), 5],
    ],
)
def test_values_come_back_by_row(values: list[Value]) -> None:
    column = Column.of(values)
    assert list(column) == values
    assert len(column) == len(values)
    assert set(column.distinct) == set(values)


def test_a_value_is_judged_once_however_many_rows_have_it() -> None:
    asked: list[object] = []

    def judge(value: object) -> bool:
        asked.append(value)
        return value == 7

    column = Column.of([7, 8, None] * 100)
    assert rows_of(column.mask(Judge(judge))) == list(range(0, 300, 3))
    assert asked == [7, 8, None]


@pytest.mark.parametrize("count", [1, 200, 300, 70_000])
def test_masks_are_right_for_numbers_of_every_width(count: int) -> None:
    values = [(f"n{at}",) for at in range(count)] + [("n0",)]
    rows = parse("name:n0", WORDS).rows({"name": Column.of(values)}, len(values))
    assert rows == [0, count]
    assert len(parse("-name:n0", WORDS).rows({"name": Column.of(values)}, len(values))) == count - 1


def test_unknown_words_are_no_match_and_no_word() -> None:
    column = {"name": Column.of([("Ab",), (None,), (), ("x", None), ("x", "AB")])}
    asked = {
        "a": [0, 4],
        "-a": [1, 2, 3],
        '""': [0, 3, 4],
        "name:": [1, 2],
        "name:*": [0, 3, 4],
        "a,x": [0, 3, 4],
        "name:ab,x": [0, 3, 4],
    }
    for text, rows in asked.items():
        assert parse(text, WORDS).rows(column, 5) == rows, text


def test_one_value_for_all_rows() -> None:
    assert list(constant((None,), 3)) == [(None,)] * 3
    assert list(constant(5, 1)) == [5]
    assert list(constant((), 0)) == []


def test_a_filter_says_which_columns_it_needs() -> None:
    assert parse('crm (os~win or -attr."Cost Centre":x) tag.ENV:a').needs() == {
        "name", "os", "attr.cost centre", "tag.env",
    }  # fmt: skip
    assert parse("").needs() == frozenset()
    assert parse("").rows({}, 3) == [0, 1, 2]
