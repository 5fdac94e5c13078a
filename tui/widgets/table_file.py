"""A table as it is shown, taken elsewhere: as text with tabs, or to a csv file that no spreadsheet runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from planner.errors import BadInput, WherryError
from planner.names import visible
from tui.text import plural
from tui.widgets.table import VirtualTable


def text_of(table: VirtualTable, keys: Collection[Any] | None = None) -> str:
    """Return the titles and a line for each row that is shown, or for those of these keys alone."""
    lines = ["\t".join(table.columns[index].title for index in table.chosen)]
    for index in table.order:
        if keys is None or table.rows[index][0] in keys:
            lines.append("\t".join(cell.strip() for cell in table.cells(table.rows[index])))
    return "\n".join(lines)


def copied_words(text: str) -> str:
    """Say how many rows such a text has."""
    return f"copied {plural(len(text.splitlines()) - 1, 'row')}"


def write_shown(table: VirtualTable, to: str) -> tuple[str, str]:
    """Write what is shown to a new file; returns what came of it, and the tone of that."""
    path = Path(to).expanduser()
    try:
        write_table(path, [table.columns[index].title for index in table.chosen],
                    (table.cells(table.rows[index]) for index in table.order))  # fmt: skip
    except (WherryError, OSError) as error:
        return f"✖ {visible(getattr(error, 'message', '') or str(error))}", "bad"
    return f"wrote {plural(len(table.order), 'row')} to {visible(str(path))}", "good"


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
