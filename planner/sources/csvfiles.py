"""Csv files as the sheets of a book: code page, delimiter and quotes are found out, lines are bounded.

UTF-8 and UTF-16 are told by their marks or by their bytes; what is neither is read as Windows-1252
and said so. A file is a sheet named by the file; the delimiter is that of its header line.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from planner.errors import BadInput
from planner.names import visible
from planner.sources.books import WORKBOOKS, Limits, check_width
from planner.units import show_count

_DELIMITERS = ",;\t|"
_CHUNK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FILES = 500  # of one folder


def _unmarked(head: bytes) -> str:
    """Return the UTF-16 that a file without a mark is in by its blank bytes, else ""."""
    blank = [head[at::2].count(0) for at in (0, 1)]
    half = (len(head) + 1) // 2
    if blank[1] > 0.5 * half and not blank[0]:
        return "utf-16-le"
    if blank[0] > 0.5 * half and not blank[1]:
        return "utf-16-be"
    return ""


def _no_text(path: Path) -> BadInput:
    # Named as a workbook it was never meant to be text.
    what = "workbook" if path.suffix.lower() in WORKBOOKS else "csv file"
    return BadInput(
        f"{visible(path.name, 80)} is no {what}: its content is of another kind",
        "name the .xlsx or .csv file that was exported",
    )


def code_page(path: Path) -> str:
    """Return the name of the encoding of a text file; raises BadInput when it is no text."""
    with path.open("rb") as file:
        head = file.read(4096)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return name
        if unmarked := _unmarked(head):
            return unmarked
        decoder = codecs.getincrementaldecoder("utf-8")()
        found, chunk = "utf-8", head
        while chunk:
            if b"\0" in chunk:
                raise _no_text(path)
            if found == "utf-8":
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    found = "cp1252"
            chunk = file.read(_CHUNK)
    return found


def delimiter_of(line: str) -> str:
    """Return the delimiter of a header line: the candidate that stands most often outside of quotes."""
    bare = re.sub(r'"[^"]*"', "", line)
    return max(_DELIMITERS, key=lambda sign: (bare.count(sign), -_DELIMITERS.index(sign)))


class CsvBook:
    """Csv files by the names of their sheets."""

    def __init__(self, files: Mapping[str, Path], limits: Limits) -> None:
        self._files = dict(files)
        self._limits = limits
        self.notes: list[str] = []
        self.torn: list[str] = []  # those of the notes that say which rows were left out
        self.weights = {name: max(path.stat().st_size, 1) for name, path in self._files.items()}

    @classmethod
    def of_files(cls, paths: Sequence[Path], limits: Limits) -> CsvBook:
        """Return the book of these files; a sheet is named by its file without .csv."""
        return cls({path.stem: path for path in paths}, limits)

    @classmethod
    def of_directory(cls, directory: Path, limits: Limits) -> CsvBook:
        """Return the book of all csv files of a directory; raises BadInput when there is none."""
        found = sorted(
            path for path in directory.iterdir() if path.suffix.lower() == ".csv" and path.is_file()
        )
        shown = visible(directory.name, 80)
        if not found:
            raise BadInput(f"{shown} holds no csv files", "name the folder that RVTools exported to")
        if len(found) > _FILES:
            raise BadInput(
                f"{shown} holds {len(found)} csv files, more than {_FILES}",
                "name a folder with one export in it",
            )
        return cls.of_files(found, limits)

    def rows(self, name: str) -> Iterator[list[object]]:
        """Yield every row from the first one, cells as text; raises BadInput."""
        path = self._files[name]
        shown = visible(path.name, 80)
        encoding = code_page(path)
        if encoding == "cp1252":
            self.notes.append(f"{shown} is not in Unicode: it was read as Windows-1252")
        try:
            with path.open(encoding=encoding, errors="replace", newline="") as file:
                yield from self._parsed(file, shown)
        except UnicodeError as error:
            raise BadInput(f"{shown} is no text in {encoding}", "export it again") from error

    def _parsed(self, file: TextIO, shown: str) -> Iterator[list[object]]:
        limits = self._limits
        lines = _bounded(file, shown, limits.line_chars)
        first = next(lines, "")
        if named := re.fullmatch(r'"?sep=(.)"?\s*', first, re.IGNORECASE):
            # Excel's own word for the delimiter.
            delimiter, first = named[1], next(lines, "")
        else:
            delimiter = delimiter_of(first)
        csv.field_size_limit(limits.cell_chars)
        reader = csv.reader(_chained(first, lines), delimiter=delimiter)
        width, misplaced = 0, []
        try:
            for at, row in enumerate(reader):
                if len(row) > width:
                    if at == 0:
                        check_width(shown, shown, len(row), limits)
                        width = len(row)
                    elif any(row[width:]):
                        # A delimiter inside of a cell without quotes: what stands behind it is elsewhere.
                        misplaced.append(at + 1)
                        continue
                yield row  # type: ignore[misc]  # a list of str holds objects
        except csv.Error as error:
            raise BadInput(
                f"{shown} has a cell that does not end, near line {reader.line_num}: {error}",
                "look for a single quotation mark there, or export a workbook instead",
            ) from error
        if misplaced:
            numbers = ", ".join(map(str, misplaced[:5])) + (", ..." if len(misplaced) > 5 else "")
            self.torn.append(
                f"{shown} has {show_count(len(misplaced), 'row')} with more cells than headers "
                f"({'row' if len(misplaced) == 1 else 'rows'} {numbers}): left out"
            )
            self.notes.append(self.torn[-1])


def _bounded(file: TextIO, shown: str, most: int) -> Iterator[str]:
    while line := file.readline(most):
        if len(line) == most and line[-1] not in "\r\n":
            raise BadInput(
                f"{shown} is refused: it has a line of more than {most:,} characters", "export it again"
            )
        yield line


def _chained(first: str, rest: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from rest
