"""Any table, read in a child: the rows of a workbook, a csv file or a folder of csv files.

    with read_rows(path) as table:
        for sheet in table.sheets:
            for number, cells in table.lines(sheet): ...

Cells are str, float, int, bool; a time is ISO 8601 text, a blank is "". Formulas are their values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from sqlite3 import Connection

from planner.sources import staging
from planner.sources.books import Limits, open_book
from planner.sources.isolation import Bounds, Report, run_isolated, staging_file


@dataclass(frozen=True, slots=True)
class Rows:
    """What was read: sheet names in order, notes, and rows on demand."""

    sheets: tuple[str, ...]
    notes: tuple[str, ...]
    _connection: Connection

    def lines(self, sheet: str) -> Iterator[tuple[int, list[object]]]:
        """Yield (row number counted from 1, cells) of a sheet; rows that hold nothing are left out."""
        yield from staging.lines(self._connection, sheet)


@contextmanager
def read_rows(
    path: Path,
    *,
    limits: Limits | None = None,
    bounds: Bounds | None = None,
    report: Report | None = None,
) -> Iterator[Rows]:
    """Give all rows of an untrusted table; raises BadInput with one sentence and a hint."""
    with staging_file() as file:
        run_isolated("rows", path, file, options=asdict(limits or Limits()), bounds=bounds, report=report)
        with staging.reading(file) as connection:
            yield Rows(tuple(staging.sheets(connection)), tuple(staging.notes(connection)), connection)


def _filled(row: Sequence[object]) -> bool:
    return any(row) or any(cell != "" for cell in row)


def stage(path: Path, file: Path, report: Report, **limits: int) -> None:
    """Read a table into a staging file: what the child does."""
    with staging.writing(file) as connection, open_book(path, Limits(**limits)) as book:
        total, done = sum(book.weights.values()), 0
        for name, weight in book.weights.items():
            filled = ((at, list(row)) for at, row in enumerate(book.rows(name), 1) if _filled(row))
            staging.put_sheet(connection, name, filled)
            done += weight
            report(done, total)
        staging.put_notes(connection, book.notes)
