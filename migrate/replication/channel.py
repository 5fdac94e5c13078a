"""How bytes get to the peer: a small protocol, and the one over sockets.

A channel is a reliable byte stream used by one thread at a time; ``close`` may come from any thread
and wakes the others. Time-outs and a vanished peer both raise ``ChannelClosed``.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Sequence
from typing import Protocol

from planner.errors import Unreachable

Buffer = bytes | bytearray | memoryview


class ChannelClosed(Unreachable):
    """The peer is gone, or did not answer in time."""


class Channel(Protocol):
    """A byte stream to one peer."""

    def send(self, parts: Sequence[Buffer]) -> None:
        """Send all parts in order; raises ChannelClosed."""
        ...

    def recv_into(self, buffer: memoryview) -> None:
        """Fill the buffer; raises ChannelClosed."""
        ...

    def close(self) -> None: ...


class SocketChannel:
    """A channel over a connected stream socket. ``timeout_s`` bounds each wait for the peer."""

    def __init__(self, sock: socket.socket, timeout_s: float = 300.0) -> None:
        self._sock = sock
        sock.setblocking(True)
        # Kernel time-outs: Python's own would poll before every call.
        limit = struct.pack("ll", int(timeout_s), int(timeout_s % 1 * 1e6))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, option, 4 * 1024 * 1024)

    @property
    def family(self) -> socket.AddressFamily:
        """Of the socket's address."""
        return socket.AddressFamily(self._sock.family)

    def send(self, parts: Sequence[Buffer]) -> None:
        """Send all parts in order; raises ChannelClosed."""
        left = [memoryview(part) for part in parts if len(part)]
        try:
            while left:
                sent = self._sock.sendmsg(left[:64])
                while sent:
                    if sent < len(left[0]):
                        left[0] = left[0][sent:]
                        break
                    sent -= len(left[0])
                    del left[0]
        except OSError as error:
            raise _closed(error) from error

    def recv_into(self, buffer: memoryview) -> None:
        """Fill the buffer; raises ChannelClosed."""
        got = 0
        try:
            while got < len(buffer):
                count = self._sock.recv_into(buffer[got:], len(buffer) - got, socket.MSG_WAITALL)
                if count == 0:
                    raise ChannelClosed("the peer closed the connection", "start it again, the pass resumes")
                got += count
        except OSError as error:
            raise _closed(error) from error

    def close(self) -> None:
        """Close both directions; a thread that waits in the channel is woken."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


def is_near(channel: Channel) -> bool:
    """Return whether both ends are on this machine: what goes over a Unix socket crosses no line."""
    return isinstance(channel, SocketChannel) and channel.family is socket.AF_UNIX


def peer_uid(sock: socket.socket) -> int:
    """Return the user id of the process at the other end of a Unix socket, as the kernel says."""
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", raw)[1])


def _closed(error: OSError) -> ChannelClosed:
    if isinstance(error, BlockingIOError):
        return ChannelClosed("the peer did not answer in time", "check that it runs, the pass resumes")
    reason = os.strerror(error.errno) if error.errno else "closed"
    return ChannelClosed(f"the connection to the peer broke: {reason}", "try again, the pass resumes")
