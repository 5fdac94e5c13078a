"""One server per directory and name: a lock file that dies with its holder.

``NAME.pid`` is locked by the server for as long as it lives and holds its process id. A process
id is believed only while the lock is held, so a reused id is never mistaken for the server.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from pathlib import Path
from types import TracebackType

from planner.errors import ProjectBusy
from planner.names import visible


class ServerLock:
    """The right to be the server ``name`` in ``directory``; released by close or by death."""

    def __init__(self, directory: Path, name: str, patience_s: float = 1.0) -> None:
        """Take the lock and write our process id; raises ProjectBusy when another server has it."""
        from migrate.daemons.sockets import private_directory  # not for those who only look

        path = private_directory(directory) / f"{name}.pid"
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        # is_running takes the lock for an instant to test it, hence the patience
        deadline = time.monotonic() + patience_s
        while not _try(self._fd, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                os.close(self._fd)
                raise ProjectBusy(
                    f"{visible(str(directory))} is served already by another {name}",
                    "use that one, or stop it",
                )
            time.sleep(0.01)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def close(self) -> None:
        """Release the lock; closing twice is not an error."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> ServerLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _try(fd: int, kind: int) -> bool:
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_running(directory: Path, name: str) -> int | None:
    """Return the process id of the living server ``name`` in ``directory``, None when there is none."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        fd = os.open(directory / f"{name}.pid", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if not _try(fd, fcntl.LOCK_SH):
                return int(os.pread(fd, 32, 0))
        finally:
            os.close(fd)
    return None
