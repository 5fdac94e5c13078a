"""The staging file: what a child read of an untrusted file, in SQLite, for its parent to take over.

It holds rows (of any table) or an inventory (in the shape of the store). The parent opens it without
trusting it: read-only, no schema functions, and nothing in it is believed that can be worked out.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path

_SCHEMA = """
CREATE TABLE head (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE note (position INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE sheet (position INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE line (sheet INTEGER NOT NULL, number INTEGER NOT NULL, cells TEXT NOT NULL) STRICT;
"""


@contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a new staging file in one transaction that lasts as long as the block."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        # Nobody reads a file whose child has not said that it is done.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.executescript(_SCHEMA)
        connection.execute("BEGIN")
        yield connection
        connection.execute("COMMIT")


@contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Give a staging file to read."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        connection.execute("PRAGMA trusted_schema = OFF")
        yield connection


def _plain(cell: object) -> object:
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return cell.total_seconds()
    return cell


def put_sheet(connection: sqlite3.Connection, name: str, rows: Iterable[tuple[int, list[object]]]) -> None:
    """Write a sheet's rows with their numbers; times become ISO 8601 text, blanks stay ""."""
    at = connection.execute("INSERT INTO sheet (name) VALUES (?)", (_text(name),)).lastrowid
    write = json.JSONEncoder(default=_plain, separators=(",", ":")).encode
    connection.executemany(
        "INSERT INTO line VALUES (?, ?, ?)", ((at, number, write(cells)) for number, cells in rows)
    )


def put_notes(connection: sqlite3.Connection, notes: Iterable[str]) -> None:
    """Write notes, one sentence each."""
    connection.executemany("INSERT INTO note (text) VALUES (?)", ((_text(note),) for note in notes))


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate is no text to SQLite


def sheets(connection: sqlite3.Connection) -> list[str]:
    """Return the names of the sheets, in order."""
    return [name for (name,) in connection.execute("SELECT name FROM sheet ORDER BY position")]


def lines(connection: sqlite3.Connection, sheet: str) -> Iterator[tuple[int, list[object]]]:
    """Yield (row number as the file counts, cells) of the first sheet of that name."""
    found = connection.execute("SELECT min(position) FROM sheet WHERE name = ?", (sheet,)).fetchone()
    for number, cells in connection.execute(
        "SELECT number, cells FROM line WHERE sheet = ? ORDER BY rowid", (found[0],)
    ):
        yield number, json.loads(cells)


def notes(connection: sqlite3.Connection) -> list[str]:
    """Return the notes, in order."""
    return [text for (text,) in connection.execute("SELECT text FROM note ORDER BY position")]
