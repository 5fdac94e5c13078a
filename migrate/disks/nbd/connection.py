"""One connection to an NBD export with several requests in flight; any thread may ask.

One thread of our own receives, straight into the buffers of those who ask. A broken connection
stays broken: everybody who waits or asks later gets the same reason, and no buffer is touched any more.
"""

from __future__ import annotations

import contextlib
import errno
import threading
import time
from collections.abc import Sequence

from migrate.disks.nbd import numbers
from migrate.disks.nbd.handshake import Export
from migrate.disks.nbd.numbers import Command
from migrate.disks.nbd.pipe import Pipe
from migrate.disks.nbd.replies import Request, read_reply


class Connection:
    """Requests to one export. ``timeout_s`` bounds how long the server may say nothing at all."""

    def __init__(self, pipe: Pipe, export: Export, timeout_s: float) -> None:
        self._pipe = pipe
        self.export = export
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._sending = threading.Lock()
        self._room = threading.BoundedSemaphore(numbers.IN_FLIGHT)
        self._waiting: dict[int, Request] = {}
        self._cookie = 0
        self._broken: OSError | None = None
        self._heard = time.monotonic()
        self._receiver = threading.Thread(target=self._receive, name="nbd replies", daemon=True)
        self._receiver.start()

    def do(self, request: Request, flags: int = 0, data: memoryview | None = None) -> None:
        """Carry out one request; raises OSError, the server's or the connection's."""
        self.do_all([(request, flags, data)])

    def do_all(self, asked: Sequence[tuple[Request, int, memoryview | None]]) -> None:
        """Carry out requests, up to the cap at once; raises the first OSError after all have ended."""
        sent: list[tuple[int, Request]] = []
        try:
            for at, (request, flags, data) in enumerate(asked):
                if at >= numbers.IN_FLIGHT:
                    self._wait(*sent[at - numbers.IN_FLIGHT])
                sent.append((self._send(request, flags, data), request))
        finally:
            for cookie, request in sent:
                self._wait(cookie, request)
        for _, request in sent:
            if request.error is not None:
                raise request.error

    def close(self) -> None:
        """Say goodbye and close; what is in flight fails."""
        closed = OSError(errno.EBADF, "the disk is closed")
        with self._lock:
            idle = self._broken is None and not self._waiting
            self._broken = self._broken or closed
        if idle:
            goodbye = numbers.REQUEST.pack(numbers.REQUEST_MAGIC, 0, Command.DISCONNECT, 0, 0, 0)
            with contextlib.suppress(OSError), self._sending:
                self._pipe.send([goodbye])
        self._break(closed)
        self._receiver.join()

    def _send(self, request: Request, flags: int, data: memoryview | None) -> int:
        while not self._room.acquire(timeout=self._timeout_s):
            self._check_heard()
        with self._lock:
            if self._broken is not None:
                self._room.release()
                raise self._again(self._broken)
            self._cookie += 1
            cookie = self._cookie
            if not self._waiting:
                self._heard = time.monotonic()
            self._waiting[cookie] = request
        head = numbers.REQUEST.pack(
            numbers.REQUEST_MAGIC, flags, request.command, cookie, request.offset, request.length
        )
        try:
            with self._sending:
                self._pipe.send([head] if data is None else [head, data])
        except OSError as error:
            self._break(_plain(error))
        return cookie

    def _wait(self, cookie: int, request: Request) -> None:
        while True:
            with self._lock:
                if cookie not in self._waiting:
                    break
                self._changed.wait(self._timeout_s)
                if cookie not in self._waiting:
                    break
            self._check_heard()
        if self._broken is not None:
            self._receiver.join()  # the receiver may be inside our buffer until then

    def _check_heard(self) -> None:
        if time.monotonic() - self._heard >= self._timeout_s:
            self._break(OSError(errno.ETIMEDOUT, f"the server said nothing for {self._timeout_s:g} s"))

    def _receive(self) -> None:
        try:
            while True:
                ended = read_reply(self._take, self.export, self._waiting)
                if ended is not None:
                    with self._lock:
                        if self._waiting.pop(ended, None) is not None:
                            self._room.release()
                        self._changed.notify_all()
        except OSError as error:
            self._break(_plain(error))

    def _take(self, buffer: memoryview) -> None:
        while buffer:
            got = self._pipe.receive_some(buffer)
            if not got:
                raise OSError(errno.ECONNRESET, "the server hung up")
            self._heard = time.monotonic()
            buffer = buffer[got:]

    def _break(self, why: OSError) -> None:
        with self._lock:
            if self._broken is None:
                self._broken = why
            for request in self._waiting.values():
                request.error = request.error or self._again(self._broken)
                self._room.release()
            self._waiting.clear()
            self._changed.notify_all()
        self._pipe.close()

    @staticmethod
    def _again(error: OSError) -> OSError:
        return OSError(error.errno, error.strerror)


def _plain(error: OSError) -> OSError:
    """Return the error in words; a send that ran into its time-out says so."""
    if isinstance(error, BlockingIOError):
        return OSError(errno.ETIMEDOUT, "the server took nothing in time")
    return OSError(error.errno or errno.EIO, error.strerror or str(error))
