"""A limit over a whole conversation: a host that drips a byte now and then gets no further than it."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator


@contextlib.contextmanager
def cut_off_after(connection: socket.socket, until: float) -> Iterator[None]:
    """Shut a connection down at ``until`` (monotonic); whoever waits on it is told that it ended."""

    def cut() -> None:
        with contextlib.suppress(OSError):
            held.shutdown(socket.SHUT_RDWR)

    # a handle of its own: wrapping a socket in TLS takes the first one away
    held = connection.dup()
    timer = threading.Timer(max(until - time.monotonic(), 0.0), cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        held.close()
