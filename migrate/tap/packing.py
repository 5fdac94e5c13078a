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
from contextlib import suppress
from typing import Final

from migrate.journal.writes import Write
from migrate.replication.channel import Buffer, ChannelClosed, SocketChannel
from migrate.replication.written import frames_of
from migrate.tap.memory import keep_memory
from planner.errors import StepFailed
from planner.own_code import child_environment
from planner.units import KIB

_REQUEST: Final = struct.Struct("<IIiQQ")  # writes, disks, level, number before, bytes of data
_ROW: Final = struct.Struct("<IQI?")
_NUMBER: Final = struct.Struct("<I")
_ANSWER: Final = struct.Struct("<QI")  # number reached, bytes of the body; none at the end
_END_S: Final = 10.0
_SMALL: Final = 32 * KIB
_TOGETHER: Final = 256 * KIB


class Packer:
    """Packs in a child that is started when it is needed, and again if it died. ``close`` it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._took_s = self._ended_s = 0.0  # the last time
        self._child: subprocess.Popen[bytes] | None = None
        self._channel: SocketChannel | None = None

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
                channel = self._channel or self._start()
                channel.send(_request(writes, after, numbers, level))
                found = []
                while True:
                    reached, length = _ANSWER.unpack(_taken(channel, _ANSWER.size))
                    if not length:
                        break
                    found.append((reached, bytes(_taken(channel, length))))
            except (OSError, ChannelClosed) as error:
                self._end()
                raise StepFailed("the process that packs writes ended", "it is started again") from error
            self._ended_s = self._clock()
            self._took_s = self._ended_s - begun
        yield from found

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _start(self) -> SocketChannel:
        ours, theirs = socket.socketpair()
        with theirs:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "migrate.tap.packing", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env=child_environment(),
            )
        self._channel = SocketChannel(ours)
        return self._channel

    def _end(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        if self._child is not None:
            try:
                self._child.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._child.kill()
                self._child.wait()
            self._child = None


def _request(writes: Sequence[Write], after: int, numbers: Sequence[int], level: int) -> list[Buffer]:
    pack = _ROW.pack
    rows = [pack(write.disk, write.offset, write.length, write.data is not None) for write in writes]
    data = [write.data for write in writes if write.data is not None]
    head = _REQUEST.pack(len(writes), len(numbers), level, after, sum(map(len, data)))
    return [b"".join((head, *map(_NUMBER.pack, numbers), *rows)), *_gathered(data)]


def _gathered(data: Sequence[Buffer]) -> Iterator[Buffer]:
    """Yield the same bytes in fewer parts; a large one is not copied, which would keep guests waiting."""
    small: list[Buffer] = []
    weight = 0
    for part in data:
        if len(part) >= _SMALL:
            if small:
                yield b"".join(small)
                small, weight = [], 0
            yield part
            continue
        small.append(part)
        weight += len(part)
        if weight >= _TOGETHER:
            yield b"".join(small)
            small, weight = [], 0
    if small:
        yield b"".join(small)


def _taken(channel: SocketChannel, length: int) -> bytearray:
    """Return that many bytes; raises ChannelClosed."""
    buffer = bytearray(length)
    channel.recv_into(memoryview(buffer))
    return buffer


def _serve(channel: SocketChannel) -> None:
    """Pack what is asked for until nobody asks any more; that is ChannelClosed."""
    while True:
        count, disks, level, after, length = _REQUEST.unpack(_taken(channel, _REQUEST.size))
        numbers = [number for (number,) in _NUMBER.iter_unpack(_taken(channel, disks * _NUMBER.size))]
        rows = _taken(channel, count * _ROW.size)
        data = memoryview(_taken(channel, length))
        writes, at = [], 0
        for disk, offset, size, has_data in _ROW.iter_unpack(rows):
            writes.append(Write(disk, offset, size, data[at : at + size] if has_data else None))
            at += size if has_data else 0
        for reached, body in frames_of(writes, after, numbers, level):
            channel.send((_ANSWER.pack(reached, len(body)), body))
        channel.send((_ANSWER.pack(0, 0),))


def main(arguments: list[str]) -> int:
    """Be the child, on the socket whose number is the only argument."""
    for number in (signal.SIGINT, signal.SIGTERM):  # meant for the tap, which has something left to pack
        signal.signal(number, signal.SIG_IGN)
    keep_memory()
    with socket.socket(fileno=int(arguments[0])) as sock, suppress(ChannelClosed):
        _serve(SocketChannel(sock, timeout_s=0.0))  # a guest may write nothing for days
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
