"""The receiver of a lab site: ``python -m migrate.daemons.receiver DIR`` serves DIR until idle.

Its socket is ``DIR/run/receiver.sock``, its store ``DIR/state/receiver``. It opens volumes through the
site, which refuses one that a powered-on VM holds.
"""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.daemons.lock import ServerLock
from migrate.daemons.sockets import connect, listen
from migrate.daemons.spawn import start
from migrate.disks.ports import ReadableDisk, WritableDisk
from planner.errors import Unreachable, WherryError

if TYPE_CHECKING:
    from migrate.sites.lab.client import LabSite

NAME = "receiver"
SOCKET = "receiver.sock"
IDLE_EXIT_S = 120.0


def start_receiver(directory: Path) -> int:
    """Start the receiver of the site in ``directory`` unless it runs; return its process id.

    Raises Unreachable when it does not come up.
    """

    def answers() -> bool:
        try:
            connect(directory / "run", SOCKET, 1.0).close()
        except Unreachable:
            return False
        return True

    return start(
        "migrate.daemons.receiver", [str(directory)], directory=directory / "run", name=NAME, answers=answers
    )


def connect_receiver(directory: Path) -> socket.socket:
    """Return a connection to the receiver of a site, started if needed; raises Unreachable."""
    start_receiver(directory)
    return connect(directory / "run", SOCKET, 5.0)


class _Volumes:
    """Opens volumes of the site, which is connected to when the first one is asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._lock = threading.Lock()

    def open_write(self, volume: str) -> WritableDisk:
        with self._site() as site:
            return site.open_write(volume)

    def open_read(self, volume: str) -> ReadableDisk:
        """Open a volume as it is now, beside its writer."""
        with self._site() as site:
            return site.open_read(volume)

    @contextmanager
    def _site(self) -> Iterator[LabSite]:
        from migrate.sites.lab.client import LabSite

        # A fresh connection each time: the site's process may have been restarted in between.
        with self._lock, closing(LabSite.connect(self._directory)) as site:
            yield site


def main(arguments: list[str]) -> int:
    """Serve the site folder named by the only argument; return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m migrate.daemons.receiver DIR\n")
        return 2
    from migrate.replication.service import serve_forever

    directory = Path(arguments[0])
    volumes = _Volumes(directory)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda _signal, _frame: stopping.set())
    try:
        if not (directory / "site.json").is_file():
            raise Unreachable(f"{directory} is not a site folder", "build the lab first")
        with ServerLock(directory / "run", NAME), listen(directory / "run", SOCKET) as listener:
            serve_forever(
                listener,
                volumes.open_write,
                directory / "state" / "receiver",
                IDLE_EXIT_S,
                open_read=volumes.open_read,
                stop=stopping.is_set,
            )
    except WherryError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
