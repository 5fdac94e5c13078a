"""The receiver of a site: ``python -m migrate.daemons.receiver WHERE`` serves it until idle.

Its socket is ``run/receiver.sock`` in the site's folder, its store ``state/receiver``. It opens
volumes through the site, which refuses one that a powered-on VM holds.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.daemons.lock import ServerLock, is_running
from migrate.daemons.sockets import connect, listen
from migrate.daemons.spawn import start
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.opening import folder_of
from planner.errors import SiteRefused, Unreachable, WherryError
from planner.names import visible

if TYPE_CHECKING:
    from migrate.daemons.control import Asks
    from migrate.journal.attending import Attending
    from migrate.sites.reached import Reached

NAME = "receiver"
ON_NETWORK = "network-receiver"  # held as well by one that answers by TLS, and not at the socket
SOCKET = "receiver.sock"
IDLE_EXIT_S = 120.0


def run_of(where: str) -> Path:
    """Return the folder in which the receiver of a site has its socket, lock and log."""
    return folder_of(where) / "run"


def start_receiver(where: str) -> int:
    """Start the receiver of a site unless it runs; return its process id.

    Raises Unreachable when it does not come up, SiteRefused when a person started one for a network.
    """
    must_be_beside(where)

    def answers() -> bool:
        try:
            connect(run_of(where), SOCKET, 1.0).close()
        except Unreachable:
            return False
        return True

    return start("migrate.daemons.receiver", [where], directory=run_of(where), name=NAME, answers=answers)


def must_be_beside(where: str) -> None:
    """Raise SiteRefused when the receiver of a site serves a network, so that none can be beside us."""
    if is_running(run_of(where), ON_NETWORK) is not None:
        name = visible(folder_of(where).name, 80)
        raise SiteRefused(
            f"the receiver of {name} serves a network, and this project does not know its address",
            f"name it with 'wherry site receiver {name} --at HOST:PORT --keys FILE', or stop it",
        )


def connect_receiver(where: str) -> socket.socket:
    """Return a connection to the receiver of a site, started if needed; raises Unreachable."""
    start_receiver(where)
    return connect(run_of(where), SOCKET, 5.0)


def store_of(where: str) -> Path:
    """Return the folder in which the receiver of a site keeps what it remembers, its journals among it."""
    return folder_of(where) / "state" / "receiver"


def asked_receiver(where: str, patience_s: float = 20.0) -> Asks:
    """Return a way to ask the receiver of a site, started if needed; raises Unreachable."""
    from migrate.daemons.control import ControlClient

    start_receiver(where)
    client = ControlClient(store_of(where))
    until = time.monotonic() + patience_s
    while not client.is_answered():  # it listens for passes a moment before
        if time.monotonic() > until:
            raise Unreachable(
                f"the receiver of {visible(str(folder_of(where)), 200)} does not answer",
                "look at its log in run/",
            )
        time.sleep(0.02)
    return client


def must_be_site(where: str) -> None:
    """Raise Unreachable unless a site is there."""
    if not (folder_of(where) / "site.json").is_file():
        raise Unreachable(f"{folder_of(where)} is not a site folder", "build the lab first")


class SiteVolumes:
    """Opens volumes of the site, which is connected to when the first one is asked for.

    One whose disks are gone with the connection stays open; it finds back to its site by itself.
    """

    def __init__(self, where: str) -> None:
        self._where = where
        self._lock = threading.Lock()
        self._staying: Reached | None = None

    def open_write(self, volume: str) -> WritableDisk:
        with self.site() as site:
            return site.open_write(volume)

    def open_read(self, volume: str) -> ReadableDisk:
        """Open a volume as it is now, beside its writer."""
        with self.site() as site:
            return site.open_read(volume)

    @contextmanager
    def site(self) -> Iterator[Reached]:
        from migrate.sites.opening import open_at

        with self._lock:
            # Else a fresh connection each time: the site's process may have been restarted in between.
            site = self._staying or open_at(self._where)
            self._staying = site if site.holds_disks else None
            try:
                yield site
            finally:
                if not site.holds_disks:
                    site.close()


class KeptVolumes:
    """The disks of the site as its receiver opens them: through a journal where they are in one."""

    def __init__(self, volumes: SiteVolumes, store: Path) -> None:
        self._volumes = volumes
        self._store = store

    @contextmanager
    def attended(self) -> Iterator[Attending]:
        """Keep the journals and answer about them for as long as the block lasts; the store is ours."""
        from migrate.journal.attending import attended_site
        from migrate.journal.site import SiteJournals

        self._journals = SiteJournals(self._store, self._volumes)
        with attended_site(self._store, self._journals) as attending:
            yield attending

    @contextmanager
    def needed(self) -> Iterator[Callable[[], bool]]:
        """The same for who serves until idle: whether somebody needs us."""
        with self.attended() as attending:
            yield attending.is_needed

    def open_write(self, volume: str) -> WritableDisk:
        return self._journals.open_write(volume)

    def open_read(self, volume: str) -> ReadableDisk:
        return self._journals.open_read(volume)

    def resynced(self, volume: str, why: str) -> None:
        self._journals.resynced(volume, why)


def main(arguments: list[str]) -> int:
    """Serve the site at the place that is the only argument; return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m migrate.daemons.receiver WHERE\n")
        return 2
    from migrate.replication.service import serve_forever

    where = arguments[0]
    store = store_of(where)
    kept = KeptVolumes(SiteVolumes(where), store)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stopping.set())
    try:
        must_be_site(where)
        with ServerLock(run_of(where), NAME), listen(run_of(where), SOCKET) as listener:
            serve_forever(
                listener,
                kept.open_write,
                store,
                IDLE_EXIT_S,
                open_read=kept.open_read,
                stop=stopping.is_set,
                resynced=kept.resynced,
                beside=kept.needed,
            )
    except WherryError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
