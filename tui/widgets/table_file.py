"""A table as it is shown, written to a csv file that no spreadsheet runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from planner.errors import BadInput


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a new file, whole or not at all; raises BadInput when it exists already, OSError."""
    from planner.export.csv import table_bytes
    from planner.export.printout import Table

    if path.exists():
        raise BadInput(f"{path} exists already", "name a new file")
    body = table_bytes(Table(path.stem, tuple(columns), tuple(map(tuple, rows))))
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(body)
    fresh.replace(path)
