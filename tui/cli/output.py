"""Where words go: stdout is data, stderr is narration. Everything from the estate is made visible."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Any

import click

from planner.errors import WherryError
from planner.names import visible


def is_plain() -> bool:
    """Return whether the person asked for no colours, or has a terminal that cannot move its cursor."""
    return bool(os.environ.get("NO_COLOR")) or is_dumb()


def is_dumb() -> bool:
    """Return whether the terminal can only append lines."""
    return os.environ.get("TERM", "") in ("dumb", "unknown")


def data(value: Any) -> None:
    """Print one JSON document on stdout; dataclasses in it are objects."""
    line(json.dumps(value, indent=2, ensure_ascii=False, default=fields_of))


def fields_of(value: Any) -> Any:
    """Return what JSON has no word for as it is printed: a dataclass by its fields, all else as text."""
    fields = getattr(value, "__dataclass_fields__", None)
    return str(value) if fields is None else {name: getattr(value, name) for name in fields}


def line(text: str = "") -> None:
    """Print a line of data on stdout."""
    click.echo(text, color=False if is_plain() else None)


def say(text: str = "") -> None:
    """Tell the person something on stderr."""
    click.echo(text, err=True, color=False if is_plain() else None)


def complain(error: WherryError, as_json: bool) -> None:
    """Print an error: one sentence and a hint on stderr, or one JSON object on stdout."""
    from tui.cli import events

    if as_json:
        data(error.as_json())
    if events.are_told():
        events.tell_error(error)
    if as_json or events.are_told():
        return
    say(f"{click.style('wherry:', fg='red')} {visible(error.message)}")
    if error.hint:
        say(f"  {click.style('hint:', fg='cyan')} {visible(error.hint)}")


def table(columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> None:
    """Print aligned columns on stdout; numbers to the right, nothing cut off.

    On a terminal that is too narrow the last column stands under the others.
    """
    from rich.cells import cell_len

    cells = [[visible(str(cell)) for cell in row] for row in rows]
    numeric = [
        bool(cells) and all(row[at].replace(",", "").replace(".", "").isdigit() for row in cells)
        for at in range(len(columns))
    ]
    widths = [
        max([cell_len(title), *(cell_len(row[at]) for row in cells)]) for at, title in enumerate(columns)
    ]

    def laid(row: Sequence[str]) -> str:
        parts = []
        for at, cell in enumerate(row):
            blanks = " " * (widths[at] - cell_len(cell))
            parts.append(blanks + cell if numeric[at] else cell + blanks)
        return "  ".join(parts).rstrip()

    folds = len(columns) > 2 and sum(widths) + 2 * len(widths) - 2 > _room()
    shown = len(columns) - 1 if folds else len(columns)
    line(click.style(laid([title.upper() for title in columns][:shown]), bold=True))
    for row in cells:
        line(laid(row[:shown]))
        if folds and row[-1]:
            line(f"    {row[-1]}")


def _room() -> int:
    """Return how many cells a line of stdout has; a file or a pipe has as many as it takes."""
    if not sys.stdout.isatty():
        return sys.maxsize
    from shutil import get_terminal_size

    return get_terminal_size().columns
