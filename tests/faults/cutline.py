"""The line to a lab site's receiver, which can be cut: what is on it ends, what comes is turned away."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from pathlib import Path

from migrate.daemons.receiver import SOCKET
from migrate.daemons.sockets import connect, listen

_BEHIND = "receiver.far"
_CHUNK = 16 * 1024


class CutLine:
    """Stands before a receiver that runs. It is cut when ``at_bytes`` have gone there, for the first time.

    ``mends`` is asked at each connection while it is cut: True makes it whole for good. ``refused`` counts
    those that were turned away. Use it as a context manager.
    """

    def __init__(self, run: Path, at_bytes: int, mends: Callable[[], bool] = lambda: False) -> None:
        self._run = run
        self._left = at_bytes
        self._mends = mends
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._is_cut = self._was_cut = False
        self.refused = 0
        (run / SOCKET).rename(run / _BEHIND)
        self._listening = listen(run, SOCKET)
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> CutLine:
        return self

    def __exit__(self, *exc: object) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        (self._run / _BEHIND).rename(self._run / SOCKET)

    def mend(self) -> None:
        """Make it whole."""
        self._is_cut = False

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _address = self._listening.accept()
                if self._is_cut and self._mends():
                    self.mend()
                if self._is_cut:
                    self.refused += 1
                    near.close()
                    continue
                far = connect(self._run, _BEHIND, 5.0)
                with self._lock:
                    self._open += [near, far]
                threading.Thread(target=self._carry, args=(near, far, True), daemon=True).start()
                threading.Thread(target=self._carry, args=(far, near, False), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, there: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                sink.sendall(data)
                if there:
                    self._count(len(data))
        for sock in (source, sink):
            _end(sock)

    def _count(self, size: int) -> None:
        with self._lock:
            self._left -= size
            if self._left > 0 or self._was_cut:
                return
            self._is_cut = self._was_cut = True
            gone, self._open = self._open, []
        for sock in gone:
            _end(sock)


def _end(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits there
    sock.close()
