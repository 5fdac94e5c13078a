"""A line between a sender and a receiver that does at a byte what it is told: cut, swallow, flip."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_CHUNK = 64 * 1024


def nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Event:
    """What happens on one connection when the sender has sent ``at`` bytes of it.

    ``act`` is called; then the line is cut, or swallows everything for good, or flips a bit of that byte.
    ``rate_bytes_s`` is how fast it is from the start, 0 for as fast as it goes.
    """

    at: int = 2**62
    act: Callable[[], None] = nothing
    cuts: bool = False
    swallows: bool = False
    flips: bool = False
    rate_bytes_s: int = 0


class Line:
    """Connections to ``port`` are carried to ``to``. Each takes the next of ``events``, if there is one."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.events: deque[Event] = deque()
        self.happened = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def drop(self) -> None:
        """Cut every connection, as an operating system does that finds nobody at the other end."""
        for sock in self._open:
            _end(sock)
        self._open.clear()

    def close(self) -> None:
        """Take the line down."""
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self.drop()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _address = self._listening.accept()
                event = self.events.popleft() if self.events else Event()
                try:
                    far = socket.create_connection(("127.0.0.1", self.to))
                except OSError:
                    near.close()
                    continue
                self._open += [near, far]
                gone = threading.Event()
                threading.Thread(target=self._carry, args=(near, far, event, gone), daemon=True).start()
                threading.Thread(target=self._carry, args=(far, near, Event(), gone), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, event: Event, gone: threading.Event) -> None:
        done = 0
        with contextlib.suppress(OSError):
            while data := source.recv(_CHUNK):
                if gone.is_set():
                    continue
                if done <= event.at < done + len(data):
                    self.happened += 1
                    event.act()
                    before = event.at - done
                    if event.cuts or event.swallows:
                        sink.sendall(data[:before])
                        gone.set()
                        if event.cuts:
                            break
                        continue
                    if event.flips:
                        data = data[:before] + bytes([data[before] ^ 4]) + data[before + 1 :]
                sink.sendall(data)
                done += len(data)
                if event.rate_bytes_s:
                    time.sleep(len(data) / event.rate_bytes_s)
        for sock in (source, sink):
            _end(sock)


def _end(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits there
    sock.close()  # and whoever still sends hears of it
