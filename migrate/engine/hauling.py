"""A mover of a fleet: takes tasks from the queue of its site, and does each in a child process.

It works under a lease and fences itself: when the lease is not renewed in time, its children stop at the
next edge of a block, and what they still had on the way is refused by the receiver.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from typing import Any

from migrate.daemons.reaching import must_be_at
from migrate.engine import leases
from migrate.engine.fleet import HAUL, PROGRESS, queue_of
from migrate.engine.leases import Lease
from migrate.engine.library import MOVERS, begin, launch
from migrate.engine.rates import Rates
from migrate.movers.pool import Pool
from migrate.movers.task import load_task
from migrate.transfers.ports import Moving
from planner.errors import Unreachable, WherryError

_LOG = logging.getLogger(__name__)
_TELL_EVERY_S = 0.5
_LOOK_S = 0.5


class Hauler:
    """One mover process of a fleet, until ``halt``."""

    def __init__(self, url: str, name: str, site: str, slots: int) -> None:
        self._url = url
        self._name = name
        self._site = site
        self._slots = slots
        self._pool = Pool()
        self._halting = threading.Event()

    def run(self) -> None:
        """Take tasks until halted; raises Unreachable when the database does not answer."""
        import psycopg
        from dbos import DBOS

        try:
            leases.prepare(self._url)
        except psycopg.Error as error:
            raise Unreachable(
                f"the engine's database does not answer: {str(error).strip().splitlines()[0]}",
                "look whether it runs and lets this login in",
            ) from error
        # each life is an executor of its own: one that was fenced never comes back under its old name
        self._executor = f"{self._name}.{os.getpid()}.{int(time.time())}"
        begin(MOVERS, self._executor, self._url)

        @DBOS.workflow(name=HAUL, max_recovery_attempts=None)
        def haul(task: dict[str, Any]) -> dict[str, Any]:
            return DBOS.run_step({"name": HAUL}, self._haul, task)

        self._lease = Lease(self._url, self._executor, self._site, self._slots, self._fenced)
        launch([queue_of(self._site)])
        DBOS.register_queue(
            queue_of(self._site), worker_concurrency=self._slots, polling_interval_sec=_LOOK_S
        )
        _LOG.info("mover %s takes tasks of site %s", self._executor, self._site)
        self._halting.wait()
        self._lease.close()
        self._pool.close()

    def halt(self) -> None:
        """Stop at the next edges."""
        self._halting.set()

    def _fenced(self) -> None:
        _LOG.error("mover %s was fenced: it did not renew its lease in time", self._executor)
        self._halting.set()

    def _haul(self, raw: dict[str, Any]) -> dict[str, Any]:
        """Do one task and return what came of it, never raising: it is stored as it is."""
        from dbos import DBOS

        name = str(DBOS.workflow_id)
        watch = _Watch(self._url, name, self._lease, self._halting)
        try:
            task = load_task(raw)
            must_be_at(task.ends.target, task.ends.receiver)
            return self._pool.do(task, watch.share, watch.stop, watch.report)
        except WherryError as error:
            return {"error": error.as_json()}
        except (KeyError, TypeError, ValueError) as error:
            told = WherryError(f"task {name} cannot be read: {error}", "give movers the engine's version")
            return {"error": told.as_json()}
        finally:
            watch.close()


class _Watch:
    """What changes while a task is done, asked of the database by a thread of its own."""

    def __init__(self, url: str, name: str, lease: Lease, halting: threading.Event) -> None:
        from dbos import DBOS

        self._rates = Rates(url)
        self._name = name
        self._lease = lease
        self._halting = halting
        self._cancelled = False
        self._share: float | None = None
        self._moving: Moving | None = None
        self._told_at = float("-inf")
        self._set_event = DBOS.set_event
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def share(self) -> float | None:
        return self._share

    def stop(self) -> bool:
        return self._cancelled or self._halting.is_set() or not self._lease.left_s

    def report(self, moving: Moving) -> None:
        now = time.monotonic()
        if now - self._told_at >= _TELL_EVERY_S:
            self._told_at = now
            self._set_event(PROGRESS, moving)

    def close(self) -> None:
        self._done.set()

    def _look(self) -> None:
        from dbos import DBOS
        from sqlalchemy.exc import SQLAlchemyError

        while not self._done.wait(_LOOK_S):
            if (said := self._rates.take(self._name)) is not None:
                (self._share,) = said
            try:
                status = DBOS.get_workflow_status(self._name)
            except SQLAlchemyError:
                continue
            self._cancelled = status is not None and status.status == "CANCELLED"
        self._rates.close()


def main(url: str, name: str, site: str, slots: int) -> int:
    """Be a mover until SIGTERM; return the exit code."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    hauler = Hauler(url, name, site, slots)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _signal, _frame: hauler.halt())
    hauler.run()
    logging.shutdown()
    os._exit(0)  # threads of the library that wait for tasks
