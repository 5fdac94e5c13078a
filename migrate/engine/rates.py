"""What each task of a fleet may take of the line now: written by the engine, read by its mover."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from migrate.engine.leases import connect

if TYPE_CHECKING:
    import psycopg

_TABLE = """
CREATE SCHEMA IF NOT EXISTS wherry;
CREATE TABLE IF NOT EXISTS wherry.rate (task text PRIMARY KEY, bytes_s double precision)"""
_SET = """
INSERT INTO wherry.rate (task, bytes_s) VALUES (%s, %s)
ON CONFLICT (task) DO UPDATE SET bytes_s = excluded.bytes_s"""


class Rates:
    """The table of rates over one connection, made anew when it broke. Each thread has its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: psycopg.Connection | None = None

    def prepare(self) -> None:
        """Make the table where there is none."""
        self._ask(_TABLE)

    def give(self, task: str, bytes_s: float | None) -> bool:
        """Say what a task may send a second, None for anything; False when the database did not answer."""
        return self._ask(_SET, task, bytes_s) is not None

    def take(self, task: str) -> tuple[float | None] | None:
        """Return what a task may send a second, in a tuple of one; None when nobody said or answers."""
        rows = self._ask("SELECT bytes_s FROM wherry.rate WHERE task = %s", task)
        return (rows[0][0],) if rows else None

    def forget(self, task: str) -> None:
        """Take a task's row away."""
        self._ask("DELETE FROM wherry.rate WHERE task = %s", task)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, sql: str, *values: object) -> list[tuple[float | None]] | None:
        import psycopg

        try:
            self._connection = self._connection or connect(self._url)
            cursor = self._connection.execute(sql.encode(), values or None)
            return cursor.fetchall() if cursor.description else []
        except psycopg.Error:
            with contextlib.suppress(psycopg.Error):
                self.close()
            self._connection = None
            return None
