"""By what a connection sends: BBR, and while a line loses nothing the system's own way.

BBR does not take each loss for a full line, but every ten seconds it stops for 0.2 s to learn the line's
delay anew: 2.5 % of a line of 100 Mbit/s and 50 ms. Where nothing is lost the usual ways never stop. Their
first loss may well be the line's queue that they filled; BBR takes over within a second all the same, so
that a line that loses packets, or hardly queues any, never has to do without it for longer.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Callable
from typing import Final

from planner.units import GIB, MIB

BBR: Final = "bbr"
_NAME_BYTES = 16
_INFO = struct.Struct("=100xI16xQ")  # of Linux's struct tcp_info: packets sent again, bytes acknowledged
_EVERY_S = 1.0
CLEAN_BYTES: Final = 48 * MIB
_CLEAN_MOST: Final = 4 * GIB


class Choice:
    """Whether a connection shall send by BBR, from what became of its packets; begins with yes.

    ``CLEAN_BYTES`` without a loss make it no, a loss makes it yes. Where no did not last for twice as many
    bytes, yes has to for twice as many as before.
    """

    def __init__(self) -> None:
        self.bbr = True
        self._wanted = CLEAN_BYTES
        self._since = self._lost = 0

    def saw(self, acknowledged: int, lost: int) -> bool:
        """Take the bytes that arrived and the packets that were sent again so far; True if it changed."""
        clean = acknowledged - self._since
        if lost != self._lost:
            self._lost, self._since = lost, acknowledged
            if self.bbr:
                return False
            if clean < 2 * self._wanted:
                self._wanted = min(2 * self._wanted, _CLEAN_MOST)
            self.bbr = True
            return True
        if self.bbr and clean >= self._wanted:
            self.bbr, self._since = False, acknowledged
            return True
        return False


class Congestion:
    """The ways a connected socket may send by. ``follow`` whenever it sends: it looks once a second."""

    def __init__(self, sock: socket.socket, clock: Callable[[], float] = time.monotonic) -> None:
        """Have it send by BBR where the kernel has that and lets everybody use it."""
        self._clock = clock
        self._looked_s = clock()
        self._choice: Choice | None = None
        with contextlib.suppress(OSError):
            self._usual = current(sock)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, BBR.encode())
            self._choice = Choice() if self._usual != BBR else None

    def follow(self, sock: socket.socket) -> None:
        """Have it send by what its line is worth now; raises nothing."""
        now_s = self._clock()
        if self._choice is None or now_s - self._looked_s < _EVERY_S:
            return
        self._looked_s = now_s
        with contextlib.suppress(OSError, struct.error):
            lost, acknowledged = _INFO.unpack(
                sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
            )
            if self._choice.saw(acknowledged, lost):
                way = BBR if self._choice.bbr else self._usual
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, way.encode())


def current(sock: socket.socket) -> str:
    """Return the way a socket sends by; raises OSError."""
    said = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, _NAME_BYTES)
    return said.partition(b"\0")[0].decode()
