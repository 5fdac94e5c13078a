"""A table that comes back: its header and rows, and the refusal that names every wrong row.

Cells are made visible when they are read. A name may come back as it was exported, or with the apostrophe
that keeps spreadsheets from running it lost on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from planner.errors import BadInput
from planner.export.csv import harmless
from planner.names import visible
from planner.sources.books import Limits
from planner.sources.csvfiles import CsvBook
from planner.units import show_count

_SHOWN = 20  # wrong rows that the error names; the rest is counted
_LIMITS = Limits()


class RowsRefused(BadInput):
    """Rows of a table cannot be applied; ``rows`` holds one sentence each, which begins ``row 7:``."""

    def __init__(self, file: str, rows: Sequence[str]) -> None:
        ordered = sorted(rows, key=_row_number)
        shown = "; ".join(ordered[:_SHOWN])
        more = f"; and {len(ordered) - _SHOWN} more" if len(ordered) > _SHOWN else ""
        super().__init__(
            f"{file}: {show_count(len(ordered), 'row')} cannot be applied: {shown}{more}",
            "correct them and import again: nothing was changed",
        )
        self.rows = tuple(ordered)


def _row_number(sentence: str) -> int:
    return int(sentence.removeprefix("row ").partition(":")[0])


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as it was read. ``header`` is in lower case; rows are numbered as a spreadsheet counts."""

    name: str
    header: tuple[str, ...]
    lines: tuple[tuple[int, tuple[str, ...]], ...]

    def need(self, columns: Sequence[str], contract: Sequence[str]) -> None:
        """Raise BadInput when a column is missing or stands twice; ``contract`` is the exported header."""
        if missing := [name for name in columns if name not in self.header]:
            raise BadInput(
                f"{self.name} has no column {missing[0]}",
                f"keep the header of the export: {', '.join(contract)}",
            )
        if twice := [name for name in columns if self.header.count(name) > 1]:
            raise BadInput(f"{self.name} has the column {twice[0]} twice", "keep one of them")

    def rows(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield each row with its number and its cells by column; short rows are filled up."""
        for number, cells in self.lines:
            padded = [*cells, *[""] * (len(self.header) - len(cells))]
            yield number, dict(zip(self.header, padded, strict=False))

    def unknown(self, contract: Sequence[str]) -> tuple[str, ...]:
        """Return the columns that the exported table does not have."""
        return tuple(dict.fromkeys(name for name in self.header if name and name not in contract))


def sheet(path: Path) -> Sheet:
    """Return the table of a csv file; raises BadInput."""
    shown = visible(path.name, 80)
    if not path.is_file():
        raise BadInput(f"{shown} cannot be read: there is no such file", "check the path")
    book = CsvBook.of_files([path], _LIMITS)
    try:
        rows = [tuple(visible(str(cell)).strip() for cell in row) for row in book.rows(path.stem)]
    except OSError as error:
        raise BadInput(f"{shown} cannot be read: {error.strerror}", "check the path") from error
    if not rows:
        raise BadInput(f"{shown} is empty", "export it again with 'wherry export csv'")
    if book.torn:
        raise BadInput(book.torn[0], "correct those rows and import again: nothing was changed")
    header = tuple(cell.casefold() for cell in rows[0])
    return Sheet(shown, header, tuple((at, row) for at, row in enumerate(rows[1:], 2) if any(row)))


def forms(text: str) -> tuple[str, str]:
    """Return what a text may look like in a table that comes back."""
    shown = visible(text)
    return str(harmless(shown)).strip(), shown.strip()
