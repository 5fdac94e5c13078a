"""The filter language for VMs, the same on the command line, on screens and in rules.

    crm os~win disk>100G -power:off (app:crm,erp or owner:) attr."Cost centre":47* "name with blanks"

Terms are and-ed, the word ``and`` may stand between; ``or`` binds weaker, parentheses group, ``-`` turns
around. A bare word is part of the name. ``:`` and ``=`` ask for equality (``*`` = anything), ``~`` for a
part, ``< <= > >=`` compare; a comma is "or" inside a value. ``matches`` is for tables: what is unknown
matches nothing. ``decide`` is for rules: what hangs on the unknown is unknown (Kleene's logic).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NoReturn, Protocol

from planner.errors import BadInput
from planner.fields import FIELDS, OPEN_FIELDS, Choice, Field, Number, Seen, Text, named_field, shown
from planner.model import VM
from planner.names import visible
from planner.units import parse_bytes

Test = Callable[[VM, Seen], bool | None]
_NOTHING_MORE = Seen()
_DEEPEST = 32

_COMPARE: dict[str, Callable[[int, int], bool]] = {
    ":": int.__eq__,
    "=": int.__eq__,
    "<": int.__lt__,
    "<=": int.__le__,
    ">": int.__gt__,
    ">=": int.__ge__,
}
# A quoted part may stand anywhere in a term: name:"a b",c
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_TERM = re.compile(rf'(?:{_QUOTED}|[^\s"])+', re.DOTALL)
_FIELD = re.compile(rf'(attr|tag)\.({_QUOTED}|[^:=~<>"]+)|([A-Za-z]+)', re.DOTALL | re.IGNORECASE)
_OPERATOR = re.compile(r"<=|>=|[:=~<>]")
_PART = re.compile(r'"((?:[^"\\]|\\.)*)"|(,)|([^",]+)', re.DOTALL)


class _Node(Protocol):
    """A part of a filter: three-valued for rules, two-valued for tables.

    ``facts`` are the values by which it comes out as ``wanted``, each with its field's name.
    """

    def decide(self, vm: VM, seen: Seen) -> bool | None: ...

    def facts(self, vm: VM, seen: Seen, wanted: bool) -> Iterator[str]: ...

    def matches(self, vm: VM, seen: Seen) -> bool: ...


@dataclass(frozen=True, slots=True)
class _Term:
    test: Test
    name: str = "name"
    field: Field = FIELDS["name"]

    def facts(self, vm: VM, seen: Seen, wanted: bool) -> Iterator[str]:
        if self.name != "name":  # whose fact it is says that already
            yield f"{visible(self.name, 60)} {shown(self.field, vm, seen)}"

    def decide(self, vm: VM, seen: Seen) -> bool | None:
        return self.test(vm, seen)

    def matches(self, vm: VM, seen: Seen) -> bool:
        return self.test(vm, seen) is True


@dataclass(frozen=True, slots=True)
class _Not:
    part: _Node

    def facts(self, vm: VM, seen: Seen, wanted: bool) -> Iterator[str]:
        return self.part.facts(vm, seen, not wanted)

    def decide(self, vm: VM, seen: Seen) -> bool | None:
        found = self.part.decide(vm, seen)
        return None if found is None else not found

    def matches(self, vm: VM, seen: Seen) -> bool:
        return not self.part.matches(vm, seen)


@dataclass(frozen=True, slots=True)
class _Joined:
    """Parts of which one value decides: a False among and-ed ones, a True among or-ed ones."""

    parts: tuple[_Node, ...]
    deciding: bool

    def facts(self, vm: VM, seen: Seen, wanted: bool) -> Iterator[str]:
        for part in self.parts:
            if part.decide(vm, seen) is wanted:
                yield from part.facts(vm, seen, wanted)

    def decide(self, vm: VM, seen: Seen) -> bool | None:
        unknown = False
        for part in self.parts:
            found = part.decide(vm, seen)
            if found is self.deciding:
                return self.deciding
            unknown = unknown or found is None
        return None if unknown else not self.deciding

    def matches(self, vm: VM, seen: Seen) -> bool:
        one = any(part.matches(vm, seen) is self.deciding for part in self.parts)
        return one is self.deciding


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter. ``text`` is what was typed; an empty filter matches every VM."""

    text: str
    root: _Node

    def matches(self, vm: VM, seen: Seen = _NOTHING_MORE) -> bool:
        """Return whether it holds for the VM; a term about something unknown does not."""
        return self.root.matches(vm, seen)

    def decide(self, vm: VM, seen: Seen = _NOTHING_MORE) -> bool | None:
        """Return whether it holds for the VM, ``None`` when that hangs on what the source does not say."""
        return self.root.decide(vm, seen)

    def facts(self, vm: VM, seen: Seen = _NOTHING_MORE) -> tuple[str, ...]:
        """Return by what it holds for a VM: fields with their values, harmless to print, each once."""
        return tuple(dict.fromkeys(self.root.facts(vm, seen, True)))


def _wrong(term: str, why: str, hint: str = "") -> BadInput:
    known = ", ".join([*FIELDS, *(f"{name}.NAME" for name in OPEN_FIELDS)])
    return BadInput(
        f"filter term {visible(term, 60)!r} {why}", hint or f"fields are {known}; a bare word is a name"
    )


def _unquote(part: str) -> str:
    return re.sub(r"\\(.)", r"\1", part, flags=re.DOTALL)


def _values(text: str, term: str) -> tuple[str, ...]:
    """Return the alternatives of a value; commas in quotes don't part them."""
    values = [""]
    for quoted, comma, plain in _PART.findall(text):
        if comma:
            values.append("")
        else:
            values[-1] += _unquote(quoted) if quoted else plain
    # owner: alone asks for VMs without an owner; a dangling comma is a slip.
    if len(values) > 1 and "" in values:
        raise _wrong(term, "has a comma without a value", "write values as a,b")
    return tuple(values)


def _one_of(read: Callable[[VM, Seen], tuple[str | None, ...]], fits: Callable[[str], bool]) -> Test:
    """Return the test that one of a text's values fits."""

    def test(vm: VM, seen: Seen) -> bool | None:
        unknown = False
        for text in read(vm, seen):
            if text is None:
                unknown = True
            elif fits(text.casefold()):
                return True
        return None if unknown else False

    return test


def _text_test(name: str, field: Text, operator: str, values: tuple[str, ...], term: str) -> Test:
    if operator == "~":
        if values == ("",):
            raise _wrong(term, "has no value", f"write {name}~part")
        parts = tuple(value.casefold() for value in values)
        return _one_of(field.read, lambda text: any(part in text for part in parts))
    if operator not in {":", "="}:
        raise _wrong(term, f"compares text by {operator}", f"write {name}:value or {name}~part")
    if values == ("",):
        # Whether anything is said is always known.
        return lambda vm, seen: not any(field.read(vm, seen))
    patterns = tuple(map(_pattern, values))
    return _one_of(field.read, lambda text: any(fits(text) for fits in patterns))


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


def _number_test(name: str, field: Number, operator: str, values: tuple[str, ...], term: str) -> Test:
    if operator not in _COMPARE:
        raise _wrong(term, "searches a number for text", f"write {name}>=8 or {name}:8")
    compare = _COMPARE[operator]
    try:
        wanted = tuple(parse_bytes(value) if field.is_size else int(value) for value in values)
    except (BadInput, ValueError) as error:
        kind = "a size like 100G" if field.is_size else "a whole number"
        raise _wrong(term, f"needs {kind}", f"write {name}>{'100G' if field.is_size else '8'}") from error

    def test(vm: VM, seen: Seen) -> bool | None:
        value = field.read(vm, seen)
        return None if value is None else any(compare(value, one) for one in wanted)

    return test


def _choice_test(name: str, field: Choice, operator: str, values: tuple[str, ...], term: str) -> Test:
    chosen = frozenset(value.casefold() for value in values)
    if operator not in {":", "="} or not chosen <= {*field.words, "unknown"}:
        words = ", ".join((*field.words, "unknown"))
        raise _wrong(term, "is none of the choices", f"write {name}: with one of {words}")

    def test(vm: VM, seen: Seen) -> bool | None:
        words = field.read(vm, seen)
        if words is not None:
            return not words.isdisjoint(chosen)
        # A word is true or false of what is unknown only when unknown itself was asked for.
        return True if "unknown" in chosen else None

    return test


def _field(found: re.Match[str], term: str) -> tuple[str, Field]:
    if found[1]:
        family, name = found[1].casefold(), found[2]
        name = _unquote(name[1:-1]) if name.startswith('"') else name
        return f"{family}.{name}", named_field(family, name)
    name = found[3].casefold()
    if name not in FIELDS:
        raise _wrong(term, f"names a field that does not exist: {name}")
    return name, FIELDS[name]


def _term(term: str) -> _Term:
    found = _FIELD.match(term)
    operator = _OPERATOR.match(term, found.end()) if found else None
    if not found or not operator:
        parts = tuple(value.casefold() for value in _values(term, term))
        return _Term(_one_of(FIELDS["name"].read, lambda text: any(part in text for part in parts)))  # type: ignore[arg-type]
    name, field = _field(found, term)
    values = _values(term[operator.end() :], term)
    if isinstance(field, Text):
        return _Term(_text_test(name, field, operator[0], values, term), name, field)
    if isinstance(field, Number):
        return _Term(_number_test(name, field, operator[0], values, term), name, field)
    return _Term(_choice_test(name, field, operator[0], values, term), name, field)


def _closes_too_often(term: str) -> bool:
    bare = re.sub(_QUOTED, "", term, flags=re.DOTALL)
    return bare.endswith(")") and bare.count(")") > bare.count("(")


def _tokens(text: str) -> Iterator[str]:
    """Yield terms and parentheses. Only a parenthesis before a term opens a group: os~(64-bit) is text."""
    depth = 0
    for found in _TERM.finditer(text):
        term = found[0]
        while opening := re.match(r"-?\(", term):
            yield opening[0]
            depth += 1
            term = term[opening.end() :]
        closing = 0
        while closing < depth and _closes_too_often(term):
            term, closing = term[:-1], closing + 1
        if term:
            yield term
        for _ in range(closing):
            yield ")"
        depth -= closing


class _Parser:
    """Recursive descent over the tokens of one filter."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _refuse(self, why: str, hint: str) -> NoReturn:
        raise _wrong(self.text, why, hint)

    def _is_word(self, word: str) -> bool:
        return self._next().casefold() == word

    def whole(self) -> _Node:
        found = self._either()
        if self._next():
            self._refuse("has a parenthesis too many", 'take it away, or quote it: ")"')
        return found

    def _either(self) -> _Node:
        parts = [self._both()]
        while self._is_word("or"):
            self.at += 1
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else _Joined(tuple(parts), deciding=True)

    def _both(self) -> _Node:
        parts = [self._item()]
        while self._next() and self._next() != ")" and not self._is_word("or"):
            if self._is_word("and"):
                self.at += 1
            parts.append(self._item())
        return parts[0] if len(parts) == 1 else _Joined(tuple(parts), deciding=False)

    def _item(self) -> _Node:
        word = self._next()
        if word.casefold() in {"", ")", "and", "or"}:
            where = f"before {word!r}" if word else "at the end"
            self._refuse(f"has no term {where}", 'write a term there, or quote the word: "and"')
        self.at += 1
        if word in {"(", "-("}:
            self.depth += 1
            if self.depth > _DEEPEST:
                self._refuse(f"has more than {_DEEPEST} parentheses in each other", "write it simpler")
            inner = self._either()
            if self._next() != ")":
                self._refuse("has a parenthesis that is not closed", "close it with )")
            self.at += 1
            self.depth -= 1
            return _Not(inner) if word == "-(" else inner
        if word.startswith("-") and len(word) > 1:
            return _Not(_term(word[1:]))
        return _term(word)


def parse(text: str) -> Filter:
    """Return the filter that ``text`` writes; raises BadInput, naming the term."""
    if '"' in _TERM.sub("", text):
        raise _wrong(text, "has a quote that is not closed", 'close it with "')
    parser = _Parser(text)
    if not parser.tokens:
        return Filter(text, _Joined((), deciding=False))
    # A word alone is a name, whatever it is.
    if len(parser.tokens) == 1 and parser.tokens[0].casefold() in {"and", "or"}:
        return Filter(text, _term(text.strip()))
    return Filter(text, parser.whole())
