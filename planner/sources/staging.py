"""The staging file: what a child read of an untrusted file, in SQLite, for its parent to take over.

It holds rows (of any table) or an inventory (VMs as the store lists them, with their bodies beside). The
parent opens it without trusting it: read-only, no schema functions, and what can be worked out of the
bodies is not believed but worked out again.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path

from planner.errors import BadInput
from planner.listing import COLUMNS, listed
from planner.model import VM, Inventory
from planner.names import visible

_SCHEMA = """
CREATE TABLE head (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE note (position INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;
CREATE TABLE sheet (position INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
CREATE TABLE line (sheet INTEGER NOT NULL, number INTEGER NOT NULL, cells TEXT NOT NULL) STRICT;
CREATE TABLE vm (
    id TEXT NOT NULL, name TEXT NOT NULL, cluster TEXT NOT NULL, power TEXT NOT NULL, guest_os TEXT NOT NULL,
    cpus INTEGER NOT NULL, memory_bytes INTEGER NOT NULL, disk_bytes INTEGER NOT NULL,
    application TEXT NOT NULL, body BLOB NOT NULL
) STRICT;
CREATE TABLE part (name TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT;
"""
_MOST_BYTES = 2**63 - 1  # of an SQLite integer
_TOLD_EVERY = 1000  # VMs
_LISTED = ", ".join(COLUMNS)


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


def put_inventory(
    connection: sqlite3.Connection, inventory: Inventory, told: Callable[[int, int], None] | None = None
) -> None:
    """Write an inventory; raises BadInput for text that no encoding can write.

    ``told`` hears now and then how many of how many VMs are written.
    """
    from planner.codec import encode
    from planner.fingerprint import encoded_parts
    from planner.volumes import volumes

    size_bytes = sum(volume.size_bytes for volume in volumes(inventory))
    if max([size_bytes, *(vm.disk_bytes for vm in inventory.vms)]) > _MOST_BYTES:
        raise BadInput(
            f"{visible(inventory.source, 80)} has disks that add up to more than 8 EiB",
            "look for the largest capacities in it and correct them",
        )
    connection.executemany(
        f"INSERT INTO vm ({_LISTED}, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        ((*listed(vm), encode(vm)) for vm in _counted(inventory.vms, told)),
    )
    connection.executemany("INSERT INTO part VALUES (?, ?)", encoded_parts(inventory).items())
    head = {"source": inventory.source, "taken_at": inventory.taken_at, "size_bytes": str(size_bytes)}
    connection.executemany("INSERT INTO head VALUES (?, ?)", head.items())


def _counted(vms: tuple[VM, ...], told: Callable[[int, int], None] | None) -> Iterator[VM]:
    for at, vm in enumerate(vms, 1):
        yield vm
        if told and not at % _TOLD_EVERY:
            told(at, len(vms))


@dataclass(frozen=True, slots=True)
class Staged:
    """An inventory in a staging file, as long as that is open."""

    source: str
    taken_at: str
    size_bytes: int  # of all volumes, each once
    connection: sqlite3.Connection

    @classmethod
    def of(cls, connection: sqlite3.Connection) -> Staged:
        """Return the inventory of an open staging file."""
        head = dict(connection.execute("SELECT key, value FROM head"))
        return cls(head["source"], head["taken_at"], int(head["size_bytes"]), connection)

    def bodies(self) -> Iterator[bytes]:
        """Yield the JSON of each VM, in order."""
        for (body,) in self.connection.execute("SELECT body FROM vm ORDER BY rowid"):
            yield body

    def listed(self) -> Iterator[tuple[str | int, ...]]:
        """Yield what tables list of each VM, in order."""
        return self.connection.execute(f"SELECT {_LISTED} FROM vm ORDER BY rowid")  # noqa: S608

    def parts(self) -> dict[str, bytes]:
        """Return the JSON of each part of the inventory, by name; raises BadInput."""
        from planner.fingerprint import PARTS

        found = dict(self.connection.execute("SELECT name, body FROM part"))
        if not found.keys() <= set(PARTS):
            raise BadInput(f"{self.source} was staged in another shape", "read the file again")
        return found

    def inventory(self) -> Inventory:
        """Return all of it as nouns."""
        from planner.codec import decode
        from planner.fingerprint import part_shape

        return Inventory(
            source=self.source,
            taken_at=self.taken_at,
            vms=tuple(decode(body, VM) for body in self.bodies()),
            **{name: decode(body, part_shape(name)) for name, body in self.parts().items()},
        )
