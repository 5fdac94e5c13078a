"""A file of evidence before it is understood: its digest, its code page, its lines of bounded length."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from planner.errors import BadInput
from planner.names import visible
from planner.sources.books import OLE, ZIP
from planner.sources.isolation import Report

LONGEST = 1 << 20  # characters of one line
_SAID_EVERY = 1 << 15  # lines


@dataclass(frozen=True, slots=True)
class Source:
    """A file that was looked through once. ``name`` is made visible; ``encoding`` is "" for a workbook."""

    path: Path
    name: str
    sha256: str
    size_bytes: int
    encoding: str

    def lines(self, report: Report | None = None) -> Iterator[str]:
        """Yield the lines with their ends as they are; raises BadInput for one that is too long."""
        with self.path.open("rb") as raw, io.TextIOWrapper(raw, self.encoding, "replace", newline="") as file:
            readline = file.readline
            number = 0
            while line := readline(LONGEST):
                number += 1
                if len(line) == LONGEST and line[-1] not in "\r\n":
                    raise BadInput(
                        f"{self.name} has more than {LONGEST:,} characters in line {number}",
                        "name a csv file with one row a line",
                    )
                if report is not None and not number % _SAID_EVERY:
                    report(raw.tell(), self.size_bytes)
                yield line


def look_through(path: Path) -> Source:
    """Read a file once for its digest and its code page; raises BadInput."""
    from planner.sources.csvfiles import code_page

    name = visible(path.name, 80)
    try:
        with path.open("rb") as file:
            head = file.read(8)
            file.seek(0)
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            size_bytes = file.tell()
        if not size_bytes:
            raise BadInput(f"{name} is empty", "export it again")
        encoding = "" if head[:4] == ZIP or head == OLE else code_page(path)
    except OSError as error:
        reason = (
            "does not exist" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"
        )
        raise BadInput(f"{visible(str(path), 120)} {reason}", "check the path and its rights") from error
    except ValueError as error:  # a NUL in the path
        raise BadInput(f"{visible(str(path), 120)} cannot be opened", "check the path") from error
    return Source(path, name, sha256, size_bytes, encoding)
