"""Packs writes into frames in a process beside the tap: digests and compression cost guests nothing there.

    parent ── writes ──▶ child ── frames of the stream ──▶ parent          over a pair of sockets

Python runs one thread at a time. Small digests in another thread of the tap kept its guests waiting for
their turn: with them elsewhere a write takes half the processor time. The child ends with its parent.
"""

from __future__ import annotations

import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from migrate.journal.writes import Write
from migrate.replication.written import frames_of
from migrate.tap.memory import keep_memory
from planner.errors import StepFailed
from planner.own_code import child_environment

_REQUEST: Final = struct.Struct("<IIiQQ")  # writes, disks, level, number before, bytes of data
_ROW: Final = struct.Struct("<IQI?")
_NUMBER: Final = struct.Struct("<I")
_ANSWER: Final = struct.Struct("<QI")  # number reached, bytes of the body; none at the end
_END_S: Final = 10.0


class Packer:
    """Packs in a child that is started when it is needed, and again if it died. ``close`` it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._took_s = self._ended_s = 0.0  # the last time
        self._child: subprocess.Popen[bytes] | None = None
        self._sock: socket.socket | None = None

    def frames(
        self,
        writes: Sequence[Write],
        after: int,
        numbers: Sequence[int],
        level: int,
        *,
        is_behind: bool = False,
    ) -> Iterator[tuple[int, bytes]]:
        """Yield what ``frames_of`` yields, made elsewhere. Raises StepFailed when the child ended.

        When more comes than leaves, ``is_behind``, and packing is what takes the time, it is left out.
        """
        if not writes:
            return
        with self._lock:
            begun = self._clock()
            if is_behind and self._took_s > begun - self._ended_s:
                level = 0
            try:
                sock = self._sock or self._start()
                sock.sendall(_request(writes, after, numbers, level))
                found = []
                while True:
                    reached, length = _ANSWER.unpack(_exactly(sock, _ANSWER.size))
                    if not length:
                        break
                    found.append((reached, bytes(_exactly(sock, length))))
            except (OSError, EOFError) as error:
                self._end()
                raise StepFailed("the process that packs writes ended", "it is started again") from error
            self._ended_s = self._clock()
            self._took_s = self._ended_s - begun
        yield from found

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _start(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "migrate.tap.packing", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=child_environment(),
            )
        self._sock = ours
        return ours

    def _end(self) -> None:
        if self._sock is not None:
            self._sock.close()
            self._sock = None
        if self._child is not None:
            try:
                self._child.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
            self._child = None


def _request(writes: Sequence[Write], after: int, numbers: Sequence[int], level: int) -> bytes:
    pack = _ROW.pack
    rows = [pack(write.disk, write.offset, write.length, write.data is not None) for write in writes]
    data = [write.data for write in writes if write.data is not None]
    head = _REQUEST.pack(len(writes), len(numbers), level, after, sum(map(len, data)))
    return b"".join((head, *map(_NUMBER.pack, numbers), *rows, *data))


def _exactly(sock: socket.socket, length: int) -> bytearray:
    """Return that many bytes; raises OSError, EOFError."""
    buffer = bytearray(length)
    view = memoryview(buffer)
    while view:
        got = sock.recv_into(view)
        if not got:
            raise EOFError
        view = view[got:]
    return buffer


def _serve(sock: socket.socket) -> None:
    """Pack what is asked for until nobody asks any more."""
    while True:
        try:
            count, disks, level, after, length = _REQUEST.unpack(_exactly(sock, _REQUEST.size))
            numbers = [number for (number,) in _NUMBER.iter_unpack(_exactly(sock, disks * _NUMBER.size))]
            rows = _exactly(sock, count * _ROW.size)
            data = memoryview(_exactly(sock, length))
        except EOFError:
            return
        writes, at = [], 0
        for disk, offset, size, has_data in _ROW.iter_unpack(rows):
            writes.append(Write(disk, offset, size, data[at : at + size] if has_data else None))
            at += size if has_data else 0
        for reached, body in frames_of(writes, after, numbers, level):
            sock.sendall(_ANSWER.pack(reached, len(body)) + body)
        sock.sendall(_ANSWER.pack(0, 0))


def main(arguments: list[str]) -> int:
    """Be the child, on the socket whose number is the only argument."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the tap, which has something left to pack
        signal.signal(number, signal.SIG_IGN)
    keep_memory()
    with socket.socket(fileno=int(arguments[0])) as sock:
        try:
            _serve(sock)
        except OSError:
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
