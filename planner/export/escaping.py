"""Text as Markdown that shows exactly this text, and tables of it.

A name never becomes a heading, a link, an image, HTML or a table cell of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from planner.export.printout import Cell
from planner.names import visible

# What CommonMark or its GitHub dialect reads as markup wherever it stands; a colon because "http:"
# alone makes a link there (before a digit it is a time), and the dot of "www." for the same reason.
_MARKUP = re.compile(r"[\\`*_\[\]|~$@#]|:(?=[^\d\s])|(?<=www)\.", re.IGNORECASE)
# What is markup at the start of a text only: list items, numbered ones, rules.
_START = re.compile(r"^(\s*)([-+](?=[-\s]|$)|\d+(?=[.)](?:\s|$)))")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_ENTITY = re.compile(r'[&<>"]')


def _start(match: re.Match[str]) -> str:
    space, mark = match[1], match[2]
    return f"{space}&#{ord(mark[0])};{mark[1:]}"


def escaped(text: str) -> str:
    """Return text as Markdown that shows exactly this text, on one line."""
    plain = _MARKUP.sub(lambda match: f"\\{match[0]}", visible(text))
    inert = _ENTITY.sub(lambda match: _ENTITIES[match[0]], plain)
    return _START.sub(_start, inert)


def table_lines(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield the lines of a table and a blank one; cells are escaped, column titles are our own."""
    yield "| " + " | ".join(columns) + " |"
    yield "|" + " --- |" * len(columns)
    for row in rows:
        yield "| " + " | ".join(escaped(str(cell)) for cell in row) + " |"
    yield ""
