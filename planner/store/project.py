"""A project: one directory with ``project.db`` in it, and short transactions on that file.

Any local process may open it at the same time. Readers never block writers (WAL); a commit is on
disk when it returns (synchronous=FULL). Nothing of a project lives outside its directory.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.errors import BadInput, NoSpace, NotFound, ProjectBusy, WherryError
from planner.store import schema
from planner.store.writer import writer

if TYPE_CHECKING:
    from sqlite_utils import Database

FILE = "project.db"


def _may_write(path: Path) -> bool:
    """Return whether this person may write the file and beside it, which SQLite's WAL needs even to read."""
    return all(os.access(item, os.W_OK, effective_ids=True) for item in (path, path.parent))


def utc_now() -> str:
    """Return the time as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Project:
    """An open project. Cheap to open; close it or use it as a context manager."""

    def __init__(self, root: Path, connection: sqlite3.Connection) -> None:
        self.root = root
        # What a reader keeps while the project is open, under its own key; it checks that it still holds.
        self.memory: dict[str, object] = {}
        self._connection = connection

    @classmethod
    def create(cls, root: Path, name: str = "") -> Project:
        """Make a project in ``root`` (created when missing); raises BadInput if there is one."""
        if (root / FILE).exists():
            raise BadInput(f"{root} is a project already", "use it, or give another directory")
        try:
            root.mkdir(parents=True, exist_ok=True)
            (root / "run").mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise BadInput(f"{root} cannot be made a project: {error.strerror}", "choose a directory "
                           "you may write to") from error  # fmt: skip
        import secrets

        project = cls._open(root)
        (root / FILE).chmod(0o600)
        with project.write() as db:
            db.table("project").upsert_all(
                [
                    {"key": "name", "value": name or root.resolve().name},
                    {"key": "id", "value": secrets.token_hex(6)},
                    {"key": "created_at", "value": utc_now()},
                ],
                pk="key",
            )
        return project

    @classmethod
    def open(cls, root: Path) -> Project:
        """Open the project in ``root``; raises NotFound when there is none."""
        if not (root / FILE).is_file():
            raise NotFound(f"{root} is not a wherry project", "run 'wherry init' there, or use --project DIR")
        return cls._open(root)

    @classmethod
    def _open(cls, root: Path) -> Project:
        path = root / FILE
        connection: sqlite3.Connection | None = None
        try:
            connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            schema.check(connection, str(path))  # before anything is written
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            schema.migrate(connection, str(path))
        except BaseException as error:
            if connection is not None:
                connection.close()
            if isinstance(error, sqlite3.OperationalError) and not _may_write(path):
                raise BadInput(
                    f"{path} cannot be opened: its directory and the file must be writable, for reading too",
                    "work as the person it belongs to, or on a copy of the directory",
                ) from error
            if isinstance(error, sqlite3.OperationalError):  # the disk's fault or another process's
                raise _explained(path, error) from error
            if isinstance(error, sqlite3.DatabaseError):
                raise BadInput(
                    f"{path} cannot be used as a project: {error}",
                    "restore it from a backup, or begin a new one",
                ) from error
            raise
        return cls(root, connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Project:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    @property
    def name(self) -> str:
        """The project's display name: untrusted text."""
        found = self.rows("SELECT value FROM project WHERE key = 'name'")
        return str(found[0]["value"]) if found else self.root.resolve().name

    @property
    def id(self) -> str:
        """Twelve hexadecimal digits that tell this project from any other one on the same sites."""
        return str(self.rows("SELECT value FROM project WHERE key = 'id'")[0]["value"])

    @property
    def run_dir(self) -> Path:
        """Directory for locks and sockets that only the owner can enter."""
        path = self.root / "run"
        if not path.is_dir():
            path.mkdir(mode=0o700, exist_ok=True)
        return path

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Run one query with parameters and return all rows."""
        return self._connection.execute(sql, values).fetchall()

    def stream(self, sql: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Run one query and yield plain tuples as they come: for very many rows."""
        cursor = self._connection.cursor()
        cursor.row_factory = None
        return cursor.execute(sql, values)

    @contextmanager
    def write(self) -> Iterator[Database]:
        """One durable transaction, holding the write lock from its start.

        Raises NoSpace when the disk is full and ProjectBusy when another process writes for too long.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield writer(self._connection)
            self._connection.execute("COMMIT")
        except BaseException as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise _explained(self.root / FILE, error) from error
            raise


def _explained(path: Path, error: sqlite3.OperationalError) -> WherryError:
    """Return what an error of the disk or of another writer means for the person."""
    kind = error.sqlite_errorcode & 0xFF  # the rest says where in SQLite it came up
    if kind in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
        return NoSpace(f"{path} cannot be written: {error}", "free space on its disk, then try again")
    if kind in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return ProjectBusy(f"{path} is being written by another process", "try again")
    return WherryError(f"{path} cannot be written: {error}", "run 'wherry doctor'")
