"""A client's socket on an event loop: what comes is offered in one buffer, what is answered leaves at once.

A client that does not read its answers is not read from either. The loop's own transports would do the
same, and take longer for that than a write to a disk does.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Final

from migrate.disks.nbd.serving.negotiation import Answer
from migrate.disks.nbd.serving.window import Window

_AT_ONCE: Final = 16  # connections a wake-up, parts a call
_WAIT_S: Final = 1.0  # after one that could not be taken: no descriptor is free, mostly


class Client:
    """One client. Who serves it derives from this and does in ``work`` what came whole of ``window``.

    It is not read from while it ``is_held``, nor while it ``is_choked``, which is when ``work`` has to
    end early and is called again later.
    """

    def __init__(self, sock: socket.socket, living: set[Client], greeting: bytes) -> None:
        self.window = Window()
        self.is_held = self.is_closed = False
        self._sock = sock
        self._fd = sock.fileno()
        self._living = living
        self._loop = asyncio.get_running_loop()
        self._unsent: deque[memoryview] = deque()
        self._is_working = self._is_read_from = False
        living.add(self)
        sock.setblocking(False)
        if sock.family != socket.AF_UNIX:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.answer(greeting)
        self._listen()

    @property
    def is_choked(self) -> bool:
        """Whether answers wait for the client to read them."""
        return bool(self._unsent)

    def work(self) -> int:
        """Do what came whole, and return how many bytes the next message needs in all."""
        raise NotImplementedError

    def answer(self, data: Answer) -> None:
        """Send it, or keep it until the client reads."""
        if self._unsent:
            self._unsent.append(memoryview(data))
        elif not self.is_closed:
            try:
                sent = self._sock.send(data)
            except (BlockingIOError, InterruptedError):
                sent = 0
            except OSError:
                self.close()
                return
            if sent < len(data):
                self._unsent.append(memoryview(data)[sent:])
                self._loop.add_writer(self._fd, self.writable)

    def go_on(self) -> None:
        """Do what came already, unless that is under way, and read on."""
        if self._is_working or self.is_closed:
            return
        self._is_working = True
        try:
            needed = self.work()
        except BaseException:
            self.close()
            raise
        finally:
            self._is_working = False
        if not self.is_closed:
            self.window.make_room(needed)
            self._listen()

    def close(self) -> None:
        """Cut the client off; what it asked for and waits is done, and nobody is told."""
        if not self.is_closed:
            self.is_closed = True
            self._unsent.clear()
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._sock.close()
            self._living.discard(self)

    def readable(self) -> None:
        """Take in what has come."""
        try:
            count = self._sock.recv_into(self.window.room())
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            count = 0
        if not count:
            self.close()
            return
        self.window.end += count
        self.go_on()

    def writable(self) -> None:
        """Send what is left, and go on when nothing is."""
        try:
            sent = self._sock.sendmsg(list(islice(self._unsent, _AT_ONCE)))
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close()
            return
        while self._unsent and sent >= len(self._unsent[0]):
            sent -= len(self._unsent.popleft())
        if self._unsent:
            self._unsent[0] = self._unsent[0][sent:]
            return
        self._loop.remove_writer(self._fd)
        if not self.is_held:
            self.go_on()

    def _listen(self) -> None:
        """Be told of what comes, if that is wanted now."""
        wanted = not (self.is_held or self._unsent)
        if wanted != self._is_read_from and not self.is_closed:
            self._is_read_from = wanted
            if wanted:
                self._loop.add_reader(self._fd, self.readable)
            else:
                self._loop.remove_reader(self._fd)


@contextmanager
def accepting(
    listening: socket.socket, serve: Callable[[socket.socket, set[Client]], Client], most: int
) -> Iterator[None]:
    """Have ``serve`` make a client of whoever connects, ``most`` at once, for the block; then cut all off."""
    loop, living = asyncio.get_running_loop(), set[Client]()

    def accept() -> None:
        for _ in range(_AT_ONCE):
            try:
                sock, _address = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                loop.remove_reader(listening)
                loop.call_later(_WAIT_S, begin)
                return
            if len(living) < most:
                serve(sock, living)
            else:
                sock.close()

    def begin() -> None:
        if not is_over:
            loop.add_reader(listening, accept)

    is_over = False
    listening.setblocking(False)
    begin()
    try:
        yield
    finally:
        is_over = True
        loop.remove_reader(listening)
        for client in list(living):
            client.close()
