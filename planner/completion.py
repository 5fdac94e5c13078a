"""What may follow in a filter that is being typed: fields, operators, values and saved filters.

    -os~wi|          the term around the cursor: a sign, a field, an operator, the last of its values
     └─┬─┘

Pure: the values of a field are asked of the caller. What is proposed can be typed into any field: quoted
where it has to be, and ``*`` where a value holds what no terminal should be sent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from planner.names import visible
from planner.terms import FIELD, OPERATOR, QUOTED, unquoted
from planner.vocabulary import Choice, Field, Number, Text, Vocabulary, column_name

_TERM = re.compile(rf'(?:{QUOTED}|"(?:[^"\\]|\\.)*\\?$|[^\s"])+', re.DOTALL)
_SIGNS = re.compile(r"(?:-?\()*-?")
_LAST = re.compile(rf'(?:{QUOTED}|[^,"])*("(?:[^"\\]|\\.)*\\?)?$', re.DOTALL)
_ALTERNATIVE = re.compile(rf'(?:{QUOTED}|[^,"])+', re.DOTALL)
_PLAIN = re.compile(r"[^\s\",()]+")
_OTHERS = 200  # values that hold what was typed, behind those that begin so
_BARE = re.compile(r"\w[\w.-]*")
_MEANINGS = {
    ":": "is, * stands for anything",
    "~": "has a part",
    "<": "less than",
    "<=": "at most",
    ">": "more than",
    ">=": "at least",
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One way to go on: what to show, what it means, the whole text with it and where the cursor is then."""

    shown: str
    meaning: str
    whole: str
    cursor: int


Values = Callable[[str], Iterable[str]]
_Way = tuple[str, str]  # what takes the term's place from where it is completed, and what it means


def complete(
    text: str,
    at: int,
    words: Vocabulary,
    values: Values,
    saved: Mapping[str, str] | None = None,
    open_names: Sequence[str] = (),
    most: int = 50,
) -> tuple[Suggestion, ...]:
    """Return how a filter may go on at the cursor, the likeliest first.

    ``values`` gives the words a field of a column's name has, ``saved`` what ``@name`` stands for,
    ``open_names`` the fields of open families there are, as ``attr.cost centre``.
    """
    at = max(0, min(at, len(text)))
    start, end = _term_around(text, at)
    typed = text[start:at]
    begin, ways = _ways(typed, words, values, saved or {}, open_names)
    found: dict[str, Suggestion] = {}
    for insert, meaning in ways:
        whole = text[: start + begin] + insert + text[end:]
        if insert != text[start + begin : end]:  # it says that already
            cursor = start + begin + len(insert)
            found.setdefault(whole, Suggestion(visible(insert, 60), visible(meaning, 60), whole, cursor))
        if len(found) == most:
            break
    return tuple(found.values())


def _term_around(text: str, at: int) -> tuple[int, int]:
    """Return from where to where the term at the cursor goes, signs and parentheses before it left out."""
    for found in _TERM.finditer(text):
        if found.start() <= at <= found.end():
            signs = _SIGNS.match(found[0])
            start = found.start() + (signs.end() if signs else 0)
            if at < start:
                return at, at
            term = text[start : found.end()]
            closing = len(term) - len(term.rstrip(")")) if '"' not in term and "(" not in term else 0
            return start, max(at, found.end() - closing)
    return at, at


def _ways(
    typed: str, words: Vocabulary, values: Values, saved: Mapping[str, str], open_names: Sequence[str]
) -> tuple[int, Iterator[_Way]]:
    """Return from where in the term it is completed, and with what."""
    if typed.startswith("@"):
        return 0, _saved(typed[1:], saved)
    found = FIELD.match(typed)
    operator = OPERATOR.match(typed, found.end()) if found else None
    if found and operator:
        name = _name(found)
        field = words.find(name)
        if field is None:
            return 0, iter(())
        last = _LAST.search(typed, operator.end())
        begin = last.start() if last else len(typed)
        given = {_said(one).casefold() for one in _ALTERNATIVE.findall(typed[operator.end() : begin])}
        ways = _values(_said(typed[begin:]), operator[0], name, field, values)
        return begin, (way for way in ways if _said(way[0]).casefold() not in given)
    return 0, chain(
        _operators(typed, words, open_names),
        _fields(typed, words, open_names),
        _saved("", saved) if not typed else (),
        _bare(typed, words, values),
    )


def _name(found: re.Match[str]) -> str:
    if not found[1]:
        return column_name(found[3])
    return f"{column_name(found[1])}.{column_name(_said(found[2]))}"


def _said(text: str) -> str:
    """Return what is meant by text in which a quote may still be open."""
    return unquoted("".join(re.split(r'(?<!\\)"', text)))


def _saved(part: str, saved: Mapping[str, str]) -> Iterator[_Way]:
    for name in sorted(saved):
        if name.startswith(part.casefold()):
            yield f"@{name}", saved[name]


def _operators(typed: str, words: Vocabulary, open_names: Sequence[str]) -> Iterator[_Way]:
    """Yield the operators of a field that is typed to its end."""
    name = column_name(_said(typed))
    field = words.find(name) if name in words.fields or name in open_names else None
    if field is not None:
        for operator in _of(field):
            yield typed + operator, f"{_MEANINGS[operator]} · {field.meaning}"


def _of(field: Field) -> tuple[str, ...]:
    if isinstance(field, Number):
        return (">", ">=", "<", "<=", ":")
    return (":", "~") if isinstance(field, Text) else (":",)


def _fields(typed: str, words: Vocabulary, open_names: Sequence[str]) -> Iterator[_Way]:
    part = column_name(_said(typed))
    for name, field in words.fields.items():
        if name.startswith(part):
            yield name + _of(field)[0], field.meaning
    for family, about in words.families.items():
        if "." not in typed and family.startswith(part):
            yield f"{family}.", about.meaning
    for name in open_names:
        family, dot, chosen = name.partition(".")
        if dot and part and name.startswith(part) and family in words.families and visible(chosen) == chosen:
            quoted = chosen if _BARE.fullmatch(chosen) else in_quotes(chosen)
            yield f"{family}.{quoted}:", words.families[family].named(chosen).meaning


def _bare(typed: str, words: Vocabulary, values: Values) -> Iterator[_Way]:
    """Yield words of the field that a bare word is looked for in."""
    if len(typed) < 2:
        return
    for value in _matching(values(words.bare), _said(typed)):
        if visible(value) == value:
            plain = _BARE.fullmatch(value) and value.casefold() not in {"and", "or"}
            yield value if plain else in_quotes(value), words.fields[words.bare].meaning


def _values(part: str, operator: str, name: str, field: Field, values: Values) -> Iterator[_Way]:
    if isinstance(field, Choice):
        for word in (*field.words, "unknown"):
            if word.startswith(part.casefold()):
                yield word, field.meaning
    elif isinstance(field, Text) and operator in {":", "=", "~"}:
        nothing = (field.nothing,) if field.nothing and operator != "~" else ()
        for value in _matching(chain(nothing, values(name)), part):
            harmless = "".join(char if visible(char) == char else "*" for char in value)
            if harmless == value or operator != "~":  # a part has no stars
                yield harmless if _PLAIN.fullmatch(harmless) else in_quotes(harmless), field.meaning


def _matching(values: Iterable[str], part: str) -> Iterator[str]:
    """Yield the values that begin with a part, then those that hold it elsewhere."""
    wanted = part.casefold()
    others: list[str] = []
    for value in values:
        folded = value.casefold()
        if folded.startswith(wanted):
            yield value
        elif wanted in folded and len(others) < _OTHERS:
            others.append(value)
    yield from others


def in_quotes(text: str) -> str:
    """Return a value as filters write it, whatever it holds."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
