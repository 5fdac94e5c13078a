"""A word that ends every wait of this process at once: that there is no more time, or no more reason."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterable


class Stop:
    """Said once, heard by all waits. Thread-safe; ``close`` it when nobody waits any more."""

    def __init__(self) -> None:
        self._fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def say(self) -> None:
        """End all waits, those to come too."""
        os.eventfd_write(self._fd, 1)

    def wait(self, until: float, *fds: int, write: int | None = None) -> list[int]:
        """Wait until a descriptor can be read (``write``: written); empty when it is stopped or time is up.

        ``until`` is a moment of ``time.monotonic``.
        """
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        for fd in fds:
            poll.register(fd, select.POLLIN)
        if write is not None:
            poll.register(write, select.POLLOUT)
        ready = [fd for fd, _ in poll.poll(max(0.0, until - time.monotonic()) * 1000)]
        return [] if self._fd in ready else ready

    @property
    def said(self) -> bool:
        """Whether it was said."""
        return await_any([self._fd], 0.0)

    def close(self) -> None:
        """Let go of its descriptor."""
        os.close(self._fd)


def await_any(fds: Iterable[int], seconds: float | None) -> bool:
    """Wait until one of these can be read, whatever their numbers; False when none can in that time."""
    poll = select.poll()
    for fd in fds:
        poll.register(fd, select.POLLIN)
    return bool(poll.poll(None if seconds is None else seconds * 1000))
