"""The table in a file: where its header stands, and every row under it.

A row's number is the one a spreadsheet shows: from 1, the header and lines above it included. Csv is
streamed in this process; a workbook is parsed in a child with limits.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from planner.errors import BadInput
from planner.evidence.records import Kind
from planner.names import visible
from planner.sources.cells import text
from planner.sources.flows.layouts import Header, layout_of, read_header
from planner.sources.flows.text import Source
from planner.sources.isolation import Report

_SEPARATORS = ",;\t|"
_ABOVE = 20  # titles and remarks that may stand over the header
_SAMPLE = 200  # rows that show how dates are written
_WIDEST = 2_000  # columns
_LONGEST_CELL = 128 * 1024  # characters; a quote that never ends costs no more than these
_LEAST = (
    "give it headers in English: a flow file needs at least source,destination "
    "and an application list at least vm,application"
)

Rows = Iterator[tuple[int, Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` gives number and cells as text; in place of the cells, what is wrong with a row.

    Rows are filled up to the header's width, and one blank cell more: index -1 is always blank.
    ``sample`` is the text of the first rows.
    """

    header: Header
    rows: Rows
    sample: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    header: Header
    row: int
    place: str  # the separator of a csv file, the sheet of a workbook

    @property
    def rank(self) -> tuple[bool, int]:
        return not self.header.lacks, len(self.header.columns)


@contextmanager
def open_table(source: Source, kind: Kind | None, report: Report | None) -> Iterator[Table]:
    """Give the table in a file; raises BadInput when no layout, or not that of ``kind``, knows a header."""
    if source.encoding:
        yield _of_text(source, kind, report)
        return
    from planner.sources.rows import read_rows

    with read_rows(source.path, report=report) as book:
        heads = {sheet: list(islice(book.lines(sheet), _SAMPLE)) for sheet in book.sheets}
        found = _header(
            source.name, kind, ((sheet, map(_plain, rows[:_ABOVE])) for sheet, rows in heads.items())
        )
        sample = "\n".join(text(cell) for _, cells in heads[found.place] for cell in cells)
        yield Table(found.header, _under(map(_plain, book.lines(found.place)), found), sample, book.notes)


def _plain(row: tuple[int, list[object]]) -> tuple[int, list[str]]:
    return row[0], [text(cell) for cell in row[1]]


def _of_text(source: Source, kind: Kind | None, report: Report | None) -> Table:
    lines = list(islice(source.lines(), _SAMPLE))
    found = _header(source.name, kind, ((sign, _cut(lines[:_ABOVE], sign)) for sign in _SEPARATORS))
    notes: tuple[str, ...] = ()
    if source.encoding == "cp1252":
        notes = (f"{source.name} is not in Unicode: it was read as Windows-1252",)
    rows = _under(_cut(source.lines(report), found.place), found)
    return Table(found.header, rows, "".join(lines), notes)


def _cut(lines: Iterable[str], separator: str) -> Rows:
    """Yield number and cells of each record; for one that cannot be cut into cells, what is wrong."""
    csv.field_size_limit(_LONGEST_CELL)  # of the whole process: somebody may have set another
    reader = csv.reader(lines, delimiter=separator)
    number = 0
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield number, f"cannot be cut into cells: {visible(str(error))}"
        else:
            yield number, cells


def _header(name: str, kind: Kind | None, places: Iterable[tuple[str, Iterable[tuple[int, Any]]]]) -> _Found:
    """Return the best header among the first rows of all places; raises BadInput when it is none."""
    best: _Found | None = None
    for place, rows in places:
        for number, cells in rows:
            if isinstance(cells, str) or not 1 <= len(cells) <= _WIDEST:
                continue
            # One column is never enough; it is looked at to say what a bare list of names lacks.
            header = read_header(cells, kind or (Kind.APPLICATIONS if len(cells) == 1 else None))
            found = _Found(header, number, place)
            if best is None or found.rank > best.rank:
                best = found
    if best is None or best.header.lacks:
        raise _unknown(name, kind, best.header if best else None)
    return best


def _unknown(name: str, kind: Kind | None, nearest: Header | None) -> BadInput:
    if nearest is not None and nearest.width == 1 and "subject" in nearest.columns:
        layout = layout_of(Kind.APPLICATIONS)
        return BadInput(
            f"{name} names VMs and says nothing of them",
            f"add columns of an application list, as in {layout.example}",
        )
    if nearest is None or (kind is None and not _alike(nearest)):
        return BadInput(f"{name} has no header that wherry knows", _LEAST)
    layout = nearest.layout
    said = f"{name} has no header that wherry knows"
    if nearest.columns:
        lacking = " and no ".join(" or ".join(group).replace("_", " ") for group in nearest.lacks)
        said = f"{name} is most like a file of kind {layout.kind}, but has no column for {lacking}"
    return BadInput(said, f"give it the columns of kind {layout.kind}, as in {layout.example}")


def _alike(header: Header) -> bool:
    """Return whether half of what is needed and half of what is there match; a chance word is no likeness."""
    return 2 * len(header.lacks) <= len(header.layout.needs) and 2 * len(header.columns) >= header.width


def _under(rows: Iterable[tuple[int, Any]], found: _Found) -> Rows:
    header, width = found.row, found.header.width
    for row in rows:
        number, cells = row
        if number <= header or not cells:
            continue
        if not isinstance(cells, str):
            short = width - len(cells)
            if short > 0:
                cells += [""] * short
            cells.append("")
        yield row
