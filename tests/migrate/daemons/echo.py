"""A server for the tests: echoes one line a connection, or fails when its directory says so."""

from __future__ import annotations

import sys
from pathlib import Path

from migrate.daemons.lock import ServerLock
from migrate.daemons.sockets import listen


def main() -> None:
    directory = Path(sys.argv[1])
    if (directory.parent / "fail").exists():
        raise SystemExit("echo cannot serve today")
    with ServerLock(directory, "echo"), listen(directory, "echo.sock") as listener:
        while True:
            peer, _ = listener.accept()
            with peer:
                peer.sendall(peer.recv(100))


if __name__ == "__main__":
    main()
