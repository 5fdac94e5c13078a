"""Where words go: stdout is data, stderr is narration. Everything from the estate is made visible."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import click

from planner.errors import WherryError
from planner.names import visible


def data(value: Any) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def line(text: str = "") -> None:
    """Print a line of data on stdout."""
    click.echo(text)


def say(text: str = "") -> None:
    """Tell the person something on stderr."""
    click.echo(text, err=True)


def complain(error: WherryError, as_json: bool) -> None:
    """Print an error: one sentence and a hint on stderr, or one JSON object on stdout."""
    if as_json:
        data(error.as_json())
        return
    click.echo(f"{click.style('wherry:', fg='red')} {visible(error.message)}", err=True)
    if error.hint:
        click.echo(f"  {click.style('hint:', fg='cyan')} {visible(error.hint)}", err=True)


def table(columns: Sequence[str], rows: Iterable[Sequence[str | int]]) -> None:
    """Print aligned columns on stdout; numbers to the right, nothing cut off."""
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

    line(click.style(laid([title.upper() for title in columns]), bold=True))
    for row in cells:
        line(laid(row))
