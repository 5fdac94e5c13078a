"""A book: named sheets of raw rows, whether it is a workbook, a csv file or a folder of csv files.

Only what is asked for is read, a row at a time. ``open_book`` tells the kinds apart by content; it
belongs into a child with limits (see ``planner.sources.isolation``) unless the file is our own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from planner.errors import BadInput
from planner.names import visible

WORKBOOKS = (".xlsx", ".xlsm", ".xls")
ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a table may be once unpacked."""

    entries: int = 2000
    unpacked_bytes: int = 4 * 1024**3
    ratio: int = 200
    # Tiny files are allowed any ratio: a sheet of blanks compresses a thousandfold harmlessly.
    ratio_from_bytes: int = 16 * 1024**2
    columns: int = 5000
    line_chars: int = 4 * 1024**2  # of a csv file
    cell_chars: int = 256 * 1024  # of a csv file; Excel's longest cell has 32,767


class Book(Protocol):
    """Sheets by name. Cells are str, float, bool or datetime; a blank is ""."""

    @property
    def weights(self) -> Mapping[str, int]:
        """The sheets' names in order, with about how many bytes each has to be read."""

    @property
    def notes(self) -> Sequence[str]:
        """What was repaired while reading, one sentence each; complete when all rows were read."""

    def rows(self, name: str) -> Iterator[Sequence[object]]:
        """Yield every row of a sheet from the first one; raises BadInput."""


def check_width(shown: str, sheet: str, columns: int, limits: Limits) -> None:
    """Raise BadInput when a sheet is wider than any export."""
    if columns > limits.columns:
        raise BadInput(
            f"{shown} is refused: its sheet {visible(sheet, 40)} has {columns:,} columns, "
            f"a cell far outside of any export",
            "export again and do not repack the file",
        )


@contextmanager
def open_book(path: Path, limits: Limits | None = None) -> Iterator[Book]:
    """Give the book at ``path``: .xlsx, .xlsm, .xls, a csv file or a directory of them; raises BadInput."""
    limits = limits or Limits()
    shown = visible(path.name, 80)
    try:
        if path.is_dir():
            from planner.sources.csvfiles import CsvBook

            yield CsvBook.of_directory(path, limits)
            return
        if path.exists() and not path.is_file():
            raise BadInput(f"{shown} is no ordinary file", "copy what it gives to a file and name that")
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        reason = (
            "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        )
        raise BadInput(f"{visible(str(path), 120)} {reason}", "check the path and its rights") from error
    if not head:
        raise BadInput(f"{shown} is empty", "export it again")
    if head[:4] == ZIP or head == OLE:
        from planner.sources.workbook import open_workbook

        with open_workbook(path, limits) as book:
            yield book
    elif path.suffix.lower() in WORKBOOKS:
        raise BadInput(
            f"{shown} is not a workbook: its content is of another kind",
            "name the .xlsx file that was exported; a csv file has to be called .csv",
        )
    else:
        from planner.sources.csvfiles import CsvBook, code_page

        code_page(path)  # what is no text is refused as such, before its name counts as a sheet
        yield CsvBook.of_files([path], limits)
