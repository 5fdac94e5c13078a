"""Tasks that wait in the queue of a site for movers on other hosts, seen from the engine.

A task whose mover died, or was frozen beyond its lease, is taken from it: its workflow is cancelled, and
the step is tried again with a newer fencing generation, which the receiver prefers to the old one's.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from migrate.daemons.reaching import address_of
from migrate.engine import leases
from migrate.engine.library import MOVERS, dialect, version
from migrate.engine.rates import Rates
from migrate.movers.task import Task, dump_task, load_error, load_moving
from migrate.transfers.ports import Moving
from planner.errors import Paused, Unreachable

if TYPE_CHECKING:
    from dbos import DBOSClient, WorkflowHandle

_LOG = logging.getLogger(__name__)
HAUL = "haul"
PROGRESS = "progress"
_SOON_S, _LOOK_S = 0.05, 0.5  # small tasks are done at once
_OPEN = ("PENDING", "ENQUEUED", "DELAYED")


def queue_of(site: str) -> str:
    """Return the queue in which tasks of a site wait."""
    return f"xfer-{site}"


def holders(url: str) -> list[str]:
    """Return the names of movers that have a task now; raises psycopg's errors."""
    sql = "SELECT executor_id FROM dbos.workflow_status WHERE name = %s AND status = 'PENDING'"
    with leases.connect(url) as connection:
        return [row[0].split(".")[0] for row in connection.execute(sql, (HAUL,)).fetchall() if row[0]]


class Fleet:
    """The movers of a project's sites. ``site`` is where tasks are done: that of the source."""

    def __init__(self, url: str, project: str, site: str) -> None:
        from dbos import DBOSClient, DBOSPortableJSONSerializer

        self._url = url
        self._site = site
        self._prefix = f"{HAUL}-{project}-"
        self._client: DBOSClient = DBOSClient(
            system_database_url=dialect(url),
            application_name=MOVERS,
            serializer=DBOSPortableJSONSerializer(),
        )
        self._done = threading.Event()
        self._taken: dict[str, str] = {}
        leases.prepare(url)
        Rates(url).prepare()
        self._forget()
        threading.Thread(target=self._supervise, name="fleet", daemon=True).start()

    def do(
        self,
        task: Task,
        share: Callable[[], float | None],
        stop: Callable[[], bool],
        report: Callable[[Moving], None],
    ) -> dict[str, Any]:
        """Have a task done by a mover of the site; raises what it failed with.

        Raises Unreachable when its mover died, Paused when it was stopped between two blocks.
        """
        name = f"{self._prefix}{task.generation}"
        handle: WorkflowHandle[Any] = self._client.enqueue(
            {
                "workflow_name": HAUL,
                "queue_name": queue_of(self._site),
                "workflow_id": name,
                "app_version": version(MOVERS),
                "application_name": MOVERS,
            },
            dump_task(_addressed(task)),
        )
        rates = Rates(self._url)
        try:
            return self._await(name, handle, rates, share, stop, report)
        finally:
            rates.forget(name)
            rates.close()

    def _await(
        self,
        name: str,
        handle: WorkflowHandle[Any],
        rates: Rates,
        share: Callable[[], float | None],
        stop: Callable[[], bool],
        report: Callable[[Moving], None],
    ) -> dict[str, Any]:
        """Return what came of a task; meanwhile tell its mover what changes, and tell what it does."""
        begun = time.monotonic()
        told: float | None = None
        stopped = False
        seen: Any = None
        while True:
            status = self._asked(handle.get_status)
            if status is not None and status.status == "SUCCESS":
                return _outcome(handle.get_result(polling_interval_sec=_LOOK_S))
            if status is not None and status.status not in _OPEN:
                raise self._ended(name, stopped)
            if stop() and not stopped:
                stopped = self._asked(partial(self._cancel, [name])) is not None
            if (now := share()) != told and rates.give(name, now):
                told = now
            moving = self._asked(partial(self._client.get_event, name, PROGRESS, 0))
            if moving is not None and moving != seen:
                seen = moving
                report(load_moving(moving))
            time.sleep(_SOON_S if time.monotonic() - begun < _LOOK_S * 4 else _LOOK_S)

    def _cancel(self, names: list[str]) -> bool:
        if names:
            self._client.cancel_workflows(names)
        return True

    def close(self) -> None:
        """Supervise no more; what is under way goes on."""
        self._done.set()
        self._client.destroy()

    def _ended(self, name: str, stopped: bool) -> Exception:
        if stopped:
            return Paused("the transfer was stopped between two blocks", "run the verb again; it resumes")
        mover = self._taken.pop(name, "its mover")
        return Unreachable(f"{mover} died in the middle of a transfer", "another one takes it over")

    def _asked(self, question: Callable[[], Any]) -> Any:
        """Return an answer of the database, None as long as it gives none: it may be restarting."""
        from sqlalchemy.exc import SQLAlchemyError

        try:
            return question()
        except SQLAlchemyError:
            return None

    def _forget(self) -> None:
        """Cancel tasks that an engine before this one waited for: their steps are tried anew."""
        left = self._client.list_workflows(status=list(_OPEN), workflow_id_prefix=self._prefix)
        self._cancel([one.workflow_id for one in left])

    def _supervise(self) -> None:
        """Take the tasks of dead movers away from them."""
        import psycopg
        from sqlalchemy.exc import SQLAlchemyError

        while not self._done.wait(1.0):
            with contextlib.suppress(psycopg.Error, SQLAlchemyError):
                for mover in leases.fence(self._url):
                    held = self._client.list_workflows(status="PENDING", executor_id=mover)
                    names = [one.workflow_id for one in held]
                    _LOG.warning("mover %s is gone and is fenced; it had %d tasks", mover, len(names))
                    self._taken.update(dict.fromkeys(names, f"mover {mover}"))
                    self._cancel(names)


def _addressed(task: Task) -> Task:
    """Return the task with the receiver as this machine knows it now, for its mover may know another one."""
    return replace(task, ends=replace(task.ends, receiver=address_of(task.ends.target)))


def _outcome(said: Any) -> dict[str, Any]:
    if "error" in said:
        raise load_error(said["error"])
    return dict(said)
