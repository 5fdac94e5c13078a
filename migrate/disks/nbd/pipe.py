"""Bytes to an NBD server and back, in the clear or under TLS; one thread may send while one receives.

A TLS object of Python's must not be used by two threads at once, so that under TLS the socket
carries sealed records only and the sealing itself is behind a lock.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import ssl
import struct
import threading
from collections.abc import Sequence
from typing import Protocol

from migrate.disks.nbd.address import Address

Buffer = bytes | bytearray | memoryview
_RECORD = 256 * 1024


class Pipe(Protocol):
    """A byte stream to one server."""

    def send(self, parts: Sequence[Buffer]) -> None:
        """Send all parts in order; raises OSError."""
        ...

    def receive_some(self, buffer: memoryview) -> int:
        """Put what has come into the buffer, waiting for the first byte; 0 is the end. Raises OSError."""
        ...

    def close(self) -> None: ...


def connect(address: Address, timeout_s: float) -> socket.socket:
    """Return a socket connected to the server; raises OSError."""
    if address.socket is None:
        sock = socket.create_connection((address.host, address.port), timeout_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    sock = socket.socket(socket.AF_UNIX)
    try:
        sock.settimeout(timeout_s)
        sock.connect(os.fspath(address.socket))
    except BaseException:
        sock.close()
        raise
    return sock


def bound_waits(sock: socket.socket, sending_s: float, receiving_s: float) -> None:
    """Let the kernel bound each wait, 0 for ever: Python's own time-outs would poll before every call."""
    sock.setblocking(True)
    for option, seconds in ((socket.SO_SNDTIMEO, sending_s), (socket.SO_RCVTIMEO, receiving_s)):
        limit = struct.pack("ll", int(seconds), int(seconds % 1 * 1e6))
        sock.setsockopt(socket.SOL_SOCKET, option, limit)


class PlainPipe:
    """A pipe over a socket as it is."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def send(self, parts: Sequence[Buffer]) -> None:
        """Send all parts in order; raises OSError."""
        for part in parts:
            _send_all(self._sock, part)

    def receive_some(self, buffer: memoryview) -> int:
        """Put what has come into the buffer; 0 is the end. Raises OSError."""
        return self._sock.recv_into(buffer)

    def close(self) -> None:
        """Close both directions; a thread that waits in the pipe is woken."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


class TlsPipe(PlainPipe):
    """A pipe whose peer holds a certificate of the pinned authority. Raises OSError when it does not."""

    def __init__(self, sock: socket.socket, address: Address) -> None:
        super().__init__(sock)
        assert address.ca is not None, "an address with TLS names whom to trust"
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(address.ca)
        if address.certificate is not None:
            context.load_cert_chain(address.certificate, address.key)
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._came, self._goes, server_hostname=address.name)
        self._sealing, self._order = threading.Lock(), threading.Lock()
        self._sealed = memoryview(bytearray(_RECORD))
        self._shake_hands()

    def _shake_hands(self) -> None:
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                _send_all(self._sock, self._goes.read())
                if not self._refill():
                    raise OSError(errno.ECONNRESET, "the server hung up during the TLS handshake") from None
                continue
            except ssl.SSLError:
                with contextlib.suppress(OSError):
                    _send_all(self._sock, self._goes.read())  # tells the server why
                raise
            _send_all(self._sock, self._goes.read())
            return

    def _refill(self) -> int:
        got = self._sock.recv_into(self._sealed)
        with self._sealing:
            if got:
                self._came.write(self._sealed[:got])
            else:
                self._came.write_eof()
        return got

    def send(self, parts: Sequence[Buffer]) -> None:
        """Seal and send all parts in order; raises OSError."""
        with self._order:  # sealed records leave in the order they were sealed
            for part in parts:
                view = memoryview(part)
                while view:
                    with self._sealing:
                        view = view[self._tls.write(view[:_RECORD]) :]
                        sealed = self._goes.read()
                    _send_all(self._sock, sealed)

    def receive_some(self, buffer: memoryview) -> int:
        """Put what has come and opened into the buffer; 0 is the end. Raises OSError."""
        while True:
            try:
                with self._sealing:
                    return int(self._tls.read(len(buffer), buffer))  # it is a count, whatever its type says
            except ssl.SSLWantReadError:
                self._refill()
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                return 0


def _send_all(sock: socket.socket, data: Buffer) -> None:
    view = memoryview(data)
    while view:
        view = view[sock.send(view) :]


def receive(pipe: Pipe, buffer: memoryview) -> None:
    """Fill the buffer; raises OSError, also when the server hangs up before."""
    while buffer:
        got = pipe.receive_some(buffer)
        if not got:
            raise OSError(errno.ECONNRESET, "the server hung up")
        buffer = buffer[got:]
