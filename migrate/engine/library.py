"""The engine library, DBOS: launched on a file of our own or on the user's PostgreSQL.

The library keeps which orders and tasks are under way, nothing of what is in a run: no step of a run is
a step of its. What it stores is JSON; it is kept from reading anything else, for rows of a shared
database are not ours alone.
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from planner.errors import Unreachable
from planner.names import visible

if TYPE_CHECKING:
    from dbos import DBOSConfig
    from sqlalchemy import Engine

FILE = "engine.db"
QUEUE = "orders"
_PROTOCOL = "1"  # of what is stored: another one takes up nothing that this one began
MOVERS = "wherry-mover"  # movers are another application: nothing of the engine's is taken by them
_ENGINE = "wherry"
_AT_ONCE = 64
_LOOK_S = 0.3
_SUBSECOND_SQLITE = (3, 42)


class Library:
    """The library, launched for an engine; ``carry`` is given numbers of orders, each in its own thread."""

    def __init__(self, directory: Path, project: str, url: str, carry: Callable[[int], None]) -> None:
        """``url`` is the user's PostgreSQL, empty for a file; raises Unreachable."""
        from dbos import DBOS

        self._queue = f"{QUEUE}-{project}"
        self._project = project

        def carry_order(number: int) -> None:
            carry(number)

        begin(_ENGINE, f"engine-{project}", url, directory)
        self._carry = DBOS.workflow(name=f"carry-{project}", max_recovery_attempts=None)(carry_order)
        launch([self._queue])
        DBOS.register_queue(self._queue, worker_concurrency=_AT_ONCE, polling_interval_sec=_LOOK_S)

    def enqueue(self, number: int) -> None:
        """Have an order carried out; one that is known already is not begun twice."""
        from dbos import DBOS, SetWorkflowID

        with SetWorkflowID(f"order-{self._project}-{number}"):
            DBOS.enqueue_workflow(self._queue, self._carry, number)


def begin(application: str, executor: str, url: str, directory: Path | None = None) -> None:
    """Make the library's one instance of this process; workflows are named after this and before launch."""
    from dbos import DBOS, DBOSPortableJSONSerializer

    quiet()
    refuse_pickles()
    config: DBOSConfig = {
        "name": application,
        "application_version": version(application),
        "executor_id": executor,
        "log_level": "WARNING",
        "max_executor_threads": _AT_ONCE,
        "serializer": DBOSPortableJSONSerializer(),
    }
    if url:
        config["system_database_url"] = dialect(url)
    else:
        config["system_database_engine"] = _sqlite((directory or Path()) / FILE)
    DBOS(config=config)


def launch(queues: list[str]) -> None:
    """Begin to work on these queues; raises Unreachable when the database does not answer."""
    from dbos import DBOS
    from sqlalchemy.exc import SQLAlchemyError

    DBOS.listen_queues(queues)
    try:
        DBOS.launch()
    except SQLAlchemyError as error:
        said = visible(str(getattr(error, "orig", error)).strip().splitlines()[0], 200)
        raise Unreachable(
            f"the engine's database does not answer: {said}",
            "look whether it runs, or go back with 'wherry engine use --embedded'",
        ) from error


def version(application: str) -> str:
    """Return the version of an application of ours: not its code's, but of what it stores."""
    return f"{application}-{_PROTOCOL}"


def dialect(url: str) -> str:
    """Return a PostgreSQL url with the driver that comes along."""
    return f"postgresql+psycopg://{url.split('://', 1)[1]}"


def quiet() -> None:
    """Keep the library's own handler away from the log, and its news to what matters."""
    log = logging.getLogger("dbos")
    log.addHandler(logging.NullHandler())
    log.setLevel(logging.WARNING)


def refuse_pickles() -> None:
    """Have the library refuse rows that claim to be pickles: reading one would run what is in it."""
    from dbos import _serialization

    def refused(_serializer: object, _text: str) -> NoReturn:
        raise TypeError("a row of the engine's database holds a pickle, which is never read")

    _serialization.DefaultSerializer.deserialize = refused  # type: ignore[assignment, method-assign]


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
