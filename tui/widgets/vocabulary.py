"""The words that filters of a table know: its columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from planner.vocabulary import Field, Number, Text, Vocabulary
from tui.widgets.column import Column

_LOOKED = 20_000  # rows


def _words(at: int) -> Callable[[Any, Any], tuple[str | None, ...]]:
    return lambda row, seen: (str(row[at]) or None,) if row[at] is not None else (None,)


def _number(at: int) -> Callable[[Any, Any], int | None]:
    return lambda row, seen: row[at]


def field_of(column: Column) -> Field:
    """Return the field of a column: its row's value, unknown where it is None or empty."""
    if column.kind == "text":
        return Text(column.title, _words(column.field))
    return Number(column.title, _number(column.field), is_size=column.kind == "size")


def vocabulary_of(columns: Iterable[Column]) -> Vocabulary:
    """Return the vocabulary of a table; a bare word is asked of its first column."""
    fields = {column.asked: field_of(column) for column in columns if column.kind}
    return Vocabulary(fields=fields, bare=next(iter(fields)))


def values_in(columns: Iterable[Column], rows: Sequence[tuple[Any, ...]], name: str) -> Sequence[str]:
    """Return values that a field has in the first of many rows, for completion."""
    for column in columns:
        if column.asked == name and column.kind == "text":
            return [
                value for value in dict.fromkeys(str(row[column.field]) for row in rows[:_LOOKED]) if value
            ]
    return ()
