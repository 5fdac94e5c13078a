"""The kinds of fields a filter may ask for, and the vocabulary of one table: which fields it has.

    Vocabulary ── fields by name ──▶ Text, Number, Choice ── read(subject, seen) ──▶ a value
        └─ open families: attr.NAME

A text is read as all its values, a value nobody said as ``None``; a number as itself or ``None``; a
choice as the words that are true, ``None`` when that is not known. Subjects are VMs, or rows of any table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from planner.names import visible
from planner.units import show_bytes

Words = tuple[str | None, ...]
Value = Words | int | frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Text:
    """A field of words; ``None`` among them is a value that is not known.

    ``nothing`` is a word that asks for no value at all, as ``none`` of waves.
    """

    meaning: str
    read: Callable[[Any, Any], Words]
    nothing: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """A field that is counted, or measured in bytes when ``is_size``."""

    meaning: str
    read: Callable[[Any, Any], int | None]
    is_size: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """A field of a few words, several of which may be true at once."""

    meaning: str
    read: Callable[[Any, Any], frozenset[str] | None]
    words: tuple[str, ...] = ("yes", "no")


Field = Text | Number | Choice
YES, NO = frozenset({"yes"}), frozenset({"no"})


@dataclass(frozen=True, slots=True)
class Family:
    """Fields whose second half is a name that people chose: ``attr.NAME``."""

    meaning: str
    named: Callable[[str], Field]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What filters of one table may ask for. ``bare`` is the text field a bare word is a part of."""

    fields: Mapping[str, Field]
    families: Mapping[str, Family] = field(default_factory=dict)
    bare: str = "name"
    noun: str = "VM"

    @property
    def names(self) -> tuple[str, ...]:
        """The fields as errors list them, families with ``NAME`` for what people chose."""
        return (*self.fields, *(f"{family}.NAME" for family in self.families))

    def also(self, fields: Mapping[str, Field]) -> Vocabulary:
        """Return a vocabulary with more fields, as a table has columns of its own."""
        return replace(self, fields={**self.fields, **fields})

    def find(self, name: str) -> Field | None:
        """Return the field of a name as ``column_name`` writes it, None when there is none."""
        family, dot, named = name.partition(".")
        if dot and family in self.families:
            return self.families[family].named(named)
        return self.fields.get(name)


def column_name(name: str) -> str:
    """Return the name of a field as columns are called: case tells no two of them apart."""
    return name.casefold()


_SHOWN = 3  # values that one fact names


def shown_value(field: Field, value: Value) -> str:
    """Return a value as people read it, harmless to print; ``unknown`` where it is."""
    if isinstance(value, int):
        return show_bytes(value) if isinstance(field, Number) and field.is_size else str(value)
    said: Iterable[str | None] = value or ()
    if isinstance(value, frozenset):
        said = sorted(value - YES) or sorted(value)  # where there is a closer word, yes says nothing more
    values = list(dict.fromkeys("unknown" if word is None else word for word in said)) or ["unknown"]
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(visible(word, 60) for word in values[:_SHOWN]) + more


def shown(field: Field, subject: Any, seen: Any) -> str:
    """Return the value of a subject's field as people read it."""
    return shown_value(field, field.read(subject, seen))
