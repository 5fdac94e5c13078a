"""The filter language, the same for every table, on the command line, on screens and in rules.

    crm os~win disk>100G -power:off (app:crm,erp or owner:) attr."Cost centre":47* "name with blanks" @mine

Terms are and-ed, the word ``and`` may stand between; ``or`` binds weaker, parentheses group, ``-`` turns
around. A bare word is part of the name. ``:`` and ``=`` ask for equality (``*`` = anything), ``~`` for a
part, ``< <= > >=`` compare; a comma is "or" inside a value; ``@`` stands before the name of a saved filter.
``matches`` and ``rows`` are for tables: what is unknown matches nothing. ``decide`` is for rules: Kleene's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from planner.column import Column, both, everywhere, inverted, rows_of
from planner.fields import VM_WORDS, Seen
from planner.names import visible
from planner.terms import QUOTED, Asked, read_term, wrong
from planner.vocabulary import Vocabulary, column_name, shown

_NOTHING_MORE = Seen()
_DEEPEST = 32
_LONGEST = 1000  # terms, those of saved filters counted wherever they stand
_TERM = re.compile(rf'(?:{QUOTED}|[^\s"])+', re.DOTALL)
Columns = Mapping[str, Column]


class _Node(Protocol):
    """A part of a filter: three-valued for rules, two-valued for tables.

    ``facts`` are the values by which it comes out as ``wanted``, each with its field's name.
    """

    def decide(self, vm: Any, seen: Any) -> bool | None: ...

    def facts(self, vm: Any, seen: Any, wanted: bool) -> Iterator[str]: ...

    def matches(self, vm: Any, seen: Any) -> bool: ...

    def mask(self, columns: Columns, rows: int) -> bytes: ...

    def terms(self) -> Iterator[Asked]: ...


@dataclass(frozen=True, slots=True)
class _Term:
    asked: Asked
    bare: str

    def facts(self, vm: Any, seen: Any, wanted: bool) -> Iterator[str]:
        if self.asked.name != self.bare:  # whose fact it is says that already
            yield f"{visible(self.asked.name, 60)} {shown(self.asked.field, vm, seen)}"

    def decide(self, vm: Any, seen: Any) -> bool | None:
        return self.asked.judge.value(self.asked.field.read(vm, seen))

    def matches(self, vm: Any, seen: Any) -> bool:
        return self.asked.judge.value(self.asked.field.read(vm, seen)) is True

    def mask(self, columns: Columns, rows: int) -> bytes:
        return columns[column_name(self.asked.name)].mask(self.asked.judge)

    def terms(self) -> Iterator[Asked]:
        yield self.asked


@dataclass(frozen=True, slots=True)
class _Not:
    part: _Node

    def facts(self, vm: Any, seen: Any, wanted: bool) -> Iterator[str]:
        return self.part.facts(vm, seen, not wanted)

    def decide(self, vm: Any, seen: Any) -> bool | None:
        found = self.part.decide(vm, seen)
        return None if found is None else not found

    def matches(self, vm: Any, seen: Any) -> bool:
        return not self.part.matches(vm, seen)

    def mask(self, columns: Columns, rows: int) -> bytes:
        return inverted(self.part.mask(columns, rows))

    def terms(self) -> Iterator[Asked]:
        return self.part.terms()


@dataclass(frozen=True, slots=True)
class _Joined:
    """Parts of which one value decides: a False among and-ed ones, a True among or-ed ones."""

    parts: tuple[_Node, ...]
    deciding: bool

    def facts(self, vm: Any, seen: Any, wanted: bool) -> Iterator[str]:
        for part in self.parts:
            if part.decide(vm, seen) is wanted:
                yield from part.facts(vm, seen, wanted)

    def decide(self, vm: Any, seen: Any) -> bool | None:
        unknown = False
        for part in self.parts:
            found = part.decide(vm, seen)
            if found is self.deciding:
                return self.deciding
            unknown = unknown or found is None
        return None if unknown else not self.deciding

    def matches(self, vm: Any, seen: Any) -> bool:
        one = any(part.matches(vm, seen) is self.deciding for part in self.parts)
        return one is self.deciding

    def mask(self, columns: Columns, rows: int) -> bytes:
        # an "or" is what is left of an "and" of all that does not match
        found = everywhere(rows)
        for part in self.parts:
            mask = part.mask(columns, rows)
            found = both(found, inverted(mask) if self.deciding else mask)
        return inverted(found) if self.deciding else found

    def terms(self) -> Iterator[Asked]:
        for part in self.parts:
            yield from part.terms()


@dataclass(frozen=True, slots=True)
class Filter:
    """A parsed filter. ``text`` is what was typed; an empty filter matches every subject.

    A subject is a VM or a row of another table, ``seen`` what its fields want to know besides.
    """

    text: str
    root: _Node

    def matches(self, vm: Any, seen: Any = _NOTHING_MORE) -> bool:
        """Return whether it holds for the subject; a term about something unknown does not."""
        return self.root.matches(vm, seen)

    def decide(self, vm: Any, seen: Any = _NOTHING_MORE) -> bool | None:
        """Return whether it holds for the subject, ``None`` when that hangs on what nobody said."""
        return self.root.decide(vm, seen)

    def facts(self, vm: Any, seen: Any = _NOTHING_MORE) -> tuple[str, ...]:
        """Return by what it holds: fields with their values, harmless to print, each once."""
        return tuple(dict.fromkeys(self.root.facts(vm, seen, True)))

    def needs(self) -> frozenset[str]:
        """Return the names of the columns that ``rows`` looks at."""
        return frozenset(column_name(asked.name) for asked in self.root.terms())

    def rows(self, columns: Columns, count: int) -> list[int]:
        """Return the rows that match, in order: the same ones as ``matches`` row by row.

        ``columns`` holds at least what it ``needs``, each of ``count`` rows.
        """
        return rows_of(self.root.mask(columns, count))


def _closes_too_often(term: str) -> bool:
    bare = re.sub(QUOTED, "", term, flags=re.DOTALL)
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


class _Saved:
    """The saved filters one text may name, each read once; counts the terms of all of them."""

    def __init__(self, words: Vocabulary, texts: Mapping[str, str]) -> None:
        self.words = words
        self._texts = texts
        self._read: dict[str, _Node] = {}
        self._open: list[str] = []
        self._terms = 0

    def term(self, text: str) -> _Node:
        """Return the node of a term."""
        if text.startswith("@") and len(text) > 1 and '"' not in text:
            return self._named(text)
        self._count(1, text)
        return _Term(read_term(text, self.words), self.words.bare)

    def _count(self, terms: int, text: str) -> None:
        self._terms += terms
        if self._terms > _LONGEST:
            raise wrong(self.words, text, f"makes more than {_LONGEST} terms", "write it simpler")

    def _named(self, term: str) -> _Node:
        name = term[1:].casefold()
        if name not in self._texts:
            known = ", ".join(f"@{name}" for name in sorted(self._texts)) or "none yet"
            raise wrong(
                self.words,
                term,
                "names a saved filter that does not exist",
                f"saved are {visible(known)}; a name that begins so is written in quotes",
            )
        if name in self._open:
            ring = " names ".join(f"@{one}" for one in (*self._open[self._open.index(name) :], name))
            raise wrong(
                self.words, term, f"names itself: {visible(ring)}", "save one of them without the other"
            )
        if name in self._read:
            self._count(sum(1 for _ in self._read[name].terms()), term)
        else:
            self._open.append(name)
            self._read[name] = _node(self._texts[name], self)
            self._open.pop()
        return self._read[name]


class _Parser:
    """Recursive descent over the tokens of one filter."""

    def __init__(self, text: str, saved: _Saved) -> None:
        self.text = text
        self.saved = saved
        self.tokens = list(_tokens(text))
        self.at = 0
        self.depth = 0

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _refuse(self, why: str, hint: str) -> NoReturn:
        raise wrong(self.saved.words, self.text, why, hint)

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
            return _Not(self.saved.term(word[1:]))
        return self.saved.term(word)


def _node(text: str, saved: _Saved) -> _Node:
    if '"' in _TERM.sub("", text):
        raise wrong(saved.words, text, "has a quote that is not closed", 'close it with "')
    parser = _Parser(text, saved)
    if not parser.tokens:
        return _Joined((), deciding=False)
    # A word alone is a name, whatever it is.
    if len(parser.tokens) == 1 and parser.tokens[0].casefold() in {"and", "or"}:
        return saved.term(text.strip())
    return parser.whole()


def parse(text: str, vocabulary: Vocabulary = VM_WORDS, saved: Mapping[str, str] | None = None) -> Filter:
    """Return the filter that ``text`` writes; raises BadInput, naming the term.

    ``saved`` holds the texts that ``@name`` stands for, by name in lower case.
    """
    return Filter(text, _node(text, _Saved(vocabulary, saved or {})))
