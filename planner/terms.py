"""One term of a filter: what a field's value is judged by, apart from where the value comes from.

    os~win,red ──▶ Judge ── value(words) ──▶ true, false, or None = that is not known

A judge is asked a value at a time, or by a column the words of all values at once.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from planner.errors import BadInput
from planner.names import visible
from planner.units import parse_bytes
from planner.vocabulary import Choice, Field, Number, Text, Vocabulary, Words

_COMPARE: dict[str, Callable[[int, int], bool]] = {
    ":": int.__eq__,
    "=": int.__eq__,
    "<": int.__lt__,
    "<=": int.__le__,
    ">": int.__gt__,
    ">=": int.__ge__,
}
# A quoted part may stand anywhere in a term: name:"a b",c
QUOTED = r'"(?:[^"\\]|\\.)*"'
FIELD = re.compile(rf'([A-Za-z]+)\.({QUOTED}|[^:=~<>"]+)|([A-Za-z]+)', re.DOTALL)
OPERATOR = re.compile(r"<=|>=|[:=~<>]")
_PART = re.compile(r'"((?:[^"\\]|\\.)*)"|(,)|([^",]+)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Judge:
    """What a value has to be. For texts ``word`` is what one word of it, casefolded, has to fit.

    ``parts`` says the same where it is enough that one of them stands in the word.
    """

    value: Callable[[Any], bool | None]
    word: Callable[[str], bool] | None = None
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A term as it was understood: the field by its name, and what its value has to be."""

    name: str
    field: Field
    judge: Judge


def wrong(words: Vocabulary, term: str, why: str, hint: str = "") -> BadInput:
    """Return the error about a term; without a hint it lists the fields there are."""
    bare = "a name" if words.bare == "name" else f"looked for in {words.bare}"
    known = ", ".join(words.names)
    return BadInput(
        f"filter term {visible(term, 60)!r} {why}", hint or f"fields are {known}; a bare word is {bare}"
    )


def read_term(term: str, words: Vocabulary) -> Asked:
    """Return what a term asks for; raises BadInput that names it."""
    found = FIELD.match(term)
    if found and found[1] and found[1].casefold() not in words.families:
        found = None  # a bare word with a dot, as www.example
    operator = OPERATOR.match(term, found.end()) if found else None
    if not found or not operator:
        parts = tuple(value.casefold() for value in _values(term, term, words))
        return Asked(words.bare, words.fields[words.bare], _holds(parts))
    name, field = _field(found, term, words)
    values = _values(term[operator.end() :], term, words)
    return Asked(name, field, _judge(name, field, operator[0], values, term, words))


def unquoted(part: str) -> str:
    """Return what stands between quotes, without the backslashes that guard it."""
    return re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL)


def _field(found: re.Match[str], term: str, words: Vocabulary) -> tuple[str, Field]:
    if found[1]:
        family, name = found[1].casefold(), found[2]
        name = unquoted(name[1:-1]) if name.startswith('"') else name
        return f"{family}.{name}", words.families[family].named(name)
    name = found[3].casefold()
    if name not in words.fields:
        raise wrong(words, term, f"names a field that does not exist: {name}")
    return name, words.fields[name]


def _values(text: str, term: str, words: Vocabulary) -> tuple[str, ...]:
    """Return the alternatives of a value; commas in quotes don't part them."""
    values = [""]
    for quoted, comma, plain in _PART.findall(text):
        if comma:
            values.append("")
        else:
            values[-1] += unquoted(quoted) if quoted else plain
    # owner: alone asks for VMs without an owner; a dangling comma is a slip.
    if len(values) > 1 and "" in values:
        raise wrong(words, term, "has a comma without a value", "write values as a,b")
    return tuple(values)


def _judge(
    name: str, field: Field, operator: str, values: tuple[str, ...], term: str, words: Vocabulary
) -> Judge:
    if isinstance(field, Text):
        return _text(name, field, operator, values, term, words)
    if isinstance(field, Number):
        return Judge(_number(name, field, operator, values, term, words))
    return Judge(_choice(name, field, operator, values, term, words))


def _one_of(fits: Callable[[str], bool]) -> Callable[[Words], bool | None]:
    """Return the judgement that one of a text's words fits."""

    def judged(said: Words) -> bool | None:
        unknown = False
        for text in said:
            if text is None:
                unknown = True
            elif fits(text.casefold()):
                return True
        return None if unknown else False

    return judged


def _holds(parts: tuple[str, ...]) -> Judge:
    if len(parts) == 1:
        (part,) = parts
        return Judge(_one_of(lambda text: part in text), lambda text: part in text, parts)
    return Judge(
        _one_of(lambda text: any(part in text for part in parts)),
        lambda text: any(part in text for part in parts),
        parts,
    )


def _text(
    name: str, field: Text, operator: str, values: tuple[str, ...], term: str, words: Vocabulary
) -> Judge:
    if operator == "~":
        if values == ("",):
            raise wrong(words, term, "has no value", f"write {name}~part")
        return _holds(tuple(value.casefold() for value in values))
    if operator not in {":", "="}:
        raise wrong(words, term, f"compares text by {operator}", f"write {name}:value or {name}~part")
    if values == ("",):
        # Whether anything is said is always known.
        return Judge(lambda said: not any(said))
    patterns = tuple(_pattern(value) for value in values)
    fits = patterns[0] if len(patterns) == 1 else (lambda text: any(one(text) for one in patterns))
    judged = _one_of(fits)
    if field.nothing and field.nothing in {value.casefold() for value in values}:
        return Judge(lambda said: judged(said) if said else True)
    return Judge(judged, fits)


def _pattern(value: str) -> Callable[[str], bool]:
    """Return what a text equals; ``*`` stands for anything. Takes no longer than the text is long."""
    first, *more = value.casefold().split("*")
    if not more:
        return lambda text: text == first
    *middle, last = more

    def fits(text: str) -> bool:
        at, end = len(first), len(text) - len(last)
        if at > end or not text.startswith(first) or not text.endswith(last):
            return False
        for part in middle:
            found = text.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True

    return fits


def _number(
    name: str, field: Number, operator: str, values: tuple[str, ...], term: str, words: Vocabulary
) -> Callable[[int | None], bool | None]:
    if operator not in _COMPARE:
        raise wrong(words, term, "searches a number for text", f"write {name}>=8 or {name}:8")
    compare = _COMPARE[operator]
    try:
        wanted = tuple(parse_bytes(value) if field.is_size else int(value) for value in values)
    except (BadInput, ValueError) as error:
        kind = "a size like 100G" if field.is_size else "a whole number"
        raise wrong(
            words, term, f"needs {kind}", f"write {name}>{'100G' if field.is_size else '8'}"
        ) from error
    if len(wanted) == 1:
        (limit,) = wanted
        return lambda value: None if value is None else compare(value, limit)
    return lambda value: None if value is None else any(compare(value, one) for one in wanted)


def _choice(
    name: str, field: Choice, operator: str, values: tuple[str, ...], term: str, words: Vocabulary
) -> Callable[[frozenset[str] | None], bool | None]:
    chosen = frozenset(value.casefold() for value in values)
    if operator not in {":", "="} or not chosen <= {*field.words, "unknown"}:
        offered = ", ".join((*field.words, "unknown"))
        raise wrong(words, term, "is none of the choices", f"write {name}: with one of {offered}")

    def judged(said: frozenset[str] | None) -> bool | None:
        if said is not None:
            return not said.isdisjoint(chosen)
        # A word is true or false of what is unknown only when unknown itself was asked for.
        return True if "unknown" in chosen else None

    return judged
