"""The engine of a project: ``python -m migrate.engine.process DIR`` takes its orders until there are none.

It has no port. New orders, and what only time brings, are looked for four times a second at the cost of
one pragma. It is made to be killed: to stop, runs halt at their next edge, and the process ends.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.daemons.lock import ServerLock
from migrate.engine.carrying import carry
from migrate.engine.presence import NAME, announce
from migrate.engine.times import Times
from migrate.engine.where import url_of
from migrate.movers.pool import Pool
from migrate.movers.transfers import Generations, Shares
from migrate.notices.sending import Teller
from migrate.run import orders
from migrate.run.board import Board
from migrate.run.means import Hauling
from planner.errors import Unreachable, WherryError
from planner.names import visible
from planner.store import settings as settings_store
from planner.store.project import FILE, Project

if TYPE_CHECKING:
    from migrate.engine.fleet import Fleet
    from migrate.engine.library import Library
    from planner.settings_notices import Notices

_LOG = logging.getLogger(__name__)
_LOOK_S = 0.25
_IDLE_S = 10.0
_EDGE_S = 45.0  # for runs to reach an edge


class Engine:
    """One engine, in the process that holds its lock."""

    def __init__(self, root: Path, idle_s: float = _IDLE_S) -> None:
        self._root = root
        self._idle_s = idle_s
        self._shared = Shares(), Generations(), Board()
        self._hauling: Hauling | None = None
        self._teller: Teller | None = None
        self._halting = threading.Event()
        self._lock = threading.Lock()
        self._under_way: set[int] = set()
        self._parked = 0

    def run(self) -> None:
        """Take orders until nothing is left to do or a person says stop."""
        from migrate.engine.library import Library

        with Project.open(self._root) as project, ExitStack() as at_end:
            url = url_of(project)
            movers = _fleet(project, url) if url else Pool()
            at_end.callback(movers.close)
            local = movers
            if not isinstance(movers, Pool):
                local = Pool()
                at_end.callback(local.close)
            self._hauling = Hauling(movers, *self._shared, local)
            self._teller = Teller(partial(_notices, self._root))
            at_end.callback(self._teller.close)
            library = Library(self._root, project.id, url, self._carry)
            announce(project.run_dir)
            _LOG.info("takes orders")
            self._take(project, library)
            self._await_edges()

    def _take(self, project: Project, library: Library) -> None:
        known: set[int] = set()
        version = None
        assert self._teller is not None
        times = Times(project, self._teller.tell)
        busy_at = time.monotonic()
        while not self._halting.is_set() and (self._root / FILE).exists():
            now = project.rows("PRAGMA data_version")[0][0]
            times.look(now != version)
            if now != version or times.ordered:
                version = now
                for order in orders.waiting(project):
                    if order.id not in known:
                        known.add(order.id)
                        with self._lock:
                            self._under_way.add(order.id)
                        library.enqueue(order.id)
            with self._lock:
                busy = bool(self._under_way)
            if busy or times.waits:
                busy_at = time.monotonic()
            elif time.monotonic() - busy_at > self._idle_s:
                _LOG.info("nothing is left to do")
                return
            self._halting.wait(_LOOK_S)

    def _carry(self, number: int) -> None:
        with self._lock:
            self._under_way.add(number)
        assert self._hauling is not None
        assert self._teller is not None
        _LOG.info("order %d begins", number)
        whole = carry(self._root, number, self._hauling, self._halting.is_set, self._teller.tell)
        _LOG.info("order %d %s", number, "ended" if whole else "halted")
        with self._lock:
            if whole:
                self._under_way.discard(number)
            else:
                self._parked += 1
        if not whole:  # the library must not think that it ended: the next engine takes it up again
            threading.Event().wait()

    def halt(self) -> None:
        """Have everything stop at its next edge."""
        self._halting.set()

    def _await_edges(self) -> None:
        """Return when all runs have halted, or after a while."""
        self._halting.set()
        deadline = time.monotonic() + _EDGE_S
        while time.monotonic() < deadline:
            with self._lock:
                if len(self._under_way) <= self._parked:
                    break
            time.sleep(0.02)


def _notices(root: Path) -> Notices:
    """Return who is told, as the settings say now."""
    with Project.open(root) as project:
        return settings_store.load(project).notices


def _fleet(project: Project, url: str) -> Fleet:
    """Return the movers of the source's site; raises Unreachable when the database does not answer."""
    import psycopg

    from migrate.engine.fleet import Fleet

    settings = settings_store.load(project)
    site = next((name for name, one in settings.sites.items() if one.role == "source"), "")
    try:
        return Fleet(url, project.id, site)
    except psycopg.Error as error:
        raise Unreachable(
            f"the engine's database does not answer: {visible(str(error).strip().splitlines()[0], 200)}",
            "look whether it runs, or go back with 'wherry engine use --embedded'",
        ) from error


def main(arguments: list[str]) -> int:
    """Be the engine of the project named by the only argument; return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m migrate.engine.process DIR\n")
        return 2
    root = Path(arguments[0])
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(process)d %(message)s")
    try:
        lock = ServerLock(root / "run", NAME)
        engine = Engine(root)
        signal.signal(signal.SIGTERM, lambda _signal, _frame: engine.halt())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        engine.run()
        lock.close()
    except WherryError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    logging.shutdown()
    sys.stdout.flush()
    os._exit(0)  # threads of the library that are parked must not go on


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
