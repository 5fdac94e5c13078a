"""The engine library, DBOS: orders that are under way survive the process, and begin anew with the next.

The library keeps which orders run, nothing of what is in them: no step of a run is a step of its. Its
file is ``engine.db``; what a person reads is in ``project.db``.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Engine

FILE = "engine.db"
QUEUE = "orders"
PROTOCOL = "1"  # of what is stored: another one takes up nothing that this one began
_AT_ONCE = 64
_LOOK_S = 0.1
_SUBSECOND_SQLITE = (3, 42)


class Library:
    """The library, launched; ``carry`` is given the numbers of orders, each in a thread of its own."""

    def __init__(self, directory: Path, carry: Callable[[int], None]) -> None:
        from dbos import DBOS

        _quiet()
        DBOS(
            config={
                "name": "wherry",
                "system_database_engine": _sqlite(directory / FILE),
                "application_version": PROTOCOL,
                "executor_id": "engine",
                "log_level": "WARNING",
                "max_executor_threads": _AT_ONCE,
            }
        )

        @DBOS.workflow(name="carry", max_recovery_attempts=None)
        def carry_order(number: int) -> None:
            carry(number)

        self._carry: Callable[[int], None] = carry_order
        DBOS.listen_queues([QUEUE])
        DBOS.launch()
        DBOS.register_queue(QUEUE, worker_concurrency=_AT_ONCE, polling_interval_sec=_LOOK_S)

    def enqueue(self, number: int) -> None:
        """Have an order carried out; one that is known already is not begun twice."""
        from dbos import DBOS, SetWorkflowID

        with SetWorkflowID(f"order-{number}"):
            DBOS.enqueue_workflow(QUEUE, self._carry, number)


def _quiet() -> None:
    """Keep the library's own handler away from the log, and its news to what matters."""
    log = logging.getLogger("dbos")
    log.addHandler(logging.NullHandler())
    log.setLevel(logging.WARNING)


def _sqlite(path: Path) -> Engine:
    """Return an engine for a file of our own, durable at every commit."""
    import sqlalchemy

    made = sqlalchemy.create_engine(
        f"sqlite:///{path}",
        pool_size=20,
        max_overflow=0,
        pool_timeout=30,
        connect_args={"check_same_thread": False},
    )

    @sqlalchemy.event.listens_for(made, "connect")
    def prepare(connection: Any, _record: object) -> None:
        if sqlite3.sqlite_version_info < _SUBSECOND_SQLITE:
            # the library asks newer Pythons' SQLite for parts of a second, whatever SQLite there is
            connection.create_function(
                "unixepoch", -1, lambda *words: time.time() if "subsec" in words else int(time.time())
            )
        connection.isolation_level = "IMMEDIATE"
        for pragma in ("busy_timeout=30000", "foreign_keys=ON", "journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    return made
