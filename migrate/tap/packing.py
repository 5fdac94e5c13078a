"""Packs writes into frames in a process beside the tap: digests and compression cost guests nothing there.

    parent ── rows ──▶ child ── where the frames are ──▶ parent       over a pair of sockets
                bytes of the writes, and of the frames: in memory that both have

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

from migrate.replication.channel import ChannelClosed, SocketChannel
from migrate.replication.memory import keep_memory
from migrate.replication.written import frames_of
from migrate.tap.chunks import Batch, writes_of
from migrate.tap.slabs import Slabs, mapped
from planner.errors import StepFailed
from planner.own_code import child_environment
from planner.units import MIB

_REQUEST: Final = struct.Struct("<QIiQ")  # bytes of rows, disks, level, number before
_NUMBER: Final = struct.Struct("<I")
_ANSWER: Final = struct.Struct("<I?")  # frames, whether more follow when those were taken
_FRAME: Final = struct.Struct("<QI")  # number reached, bytes of the body
_GO_ON: Final = b"g"
_OUT_BYTES: Final = 8 * MIB
_END_S: Final = 10.0


class _Pace:
    """Seconds a byte: of making frames, packed and plain, and of what became of them afterwards."""

    def __init__(self) -> None:
        self._making: dict[bool, float] = {}
        self._share = 1.0  # packed bytes by plain ones
        self._sent = 0
        self._leaving = 0.0

    @property
    def packing_pays(self) -> bool:
        """Whether bytes get away faster packed; what was not tried is taken to cost nothing."""
        packed, plain = (self._making.get(is_packed, 0.0) for is_packed in (True, False))
        return packed + self._leaving * self._share <= plain + self._leaving

    def left(self, seconds: float) -> None:
        """The frames made last were sent, and others were asked for, after that time."""
        if self._sent:
            self._leaving = seconds / self._sent

    def made(self, level: int, seconds: float, plain: int, sent: int) -> None:
        """Frames of ``plain`` bytes of data were made, and have ``sent`` of them."""
        self._sent = sent
        if plain:
            self._making[level != 0] = seconds / plain
            if level:
                self._share = sent / plain


class Packer:
    """Packs in a child that is started when it is needed, and again if it died. ``close`` it."""

    def __init__(self, slabs: Slabs, clock: Callable[[], float] = time.monotonic) -> None:
        self._slabs = slabs
        self._out = Slabs(_OUT_BYTES)
        self._lock = threading.Lock()
        self._clock = clock
        self._pace = _Pace()
        self._ended_s = 0.0  # the last time
        self._child: subprocess.Popen[bytes] | None = None
        self._channel: SocketChannel | None = None

    def frames(
        self, batch: Batch, numbers: Sequence[int], level: int, *, is_behind: bool = False
    ) -> Iterator[tuple[int, bytes]]:
        """Yield what ``frames_of`` yields, made elsewhere. Raises StepFailed when the child ended.

        When more comes than leaves, ``is_behind``, it is left out where that gets more bytes away.
        """
        if not batch.rows:
            return
        with self._lock:
            begun = self._clock()
            self._pace.left(begun - self._ended_s)
            if is_behind and not self._pace.packing_pays:
                level = 0
            try:
                channel = self._channel or self._start()
                channel.send(
                    (
                        _REQUEST.pack(len(batch.rows), len(numbers), level, batch.after),
                        *map(_NUMBER.pack, numbers),
                        batch.rows,
                    )
                )
                found = list(self._answered(channel))
            except (OSError, ChannelClosed) as error:
                self._end()
                raise StepFailed("the process that packs writes ended", "it is started again") from error
            self._ended_s = self._clock()
            sent = sum(len(body) for _reached, body in found)
            self._pace.made(level, self._ended_s - begun, batch.data_bytes, sent)
        yield from found

    def _answered(self, channel: SocketChannel) -> Iterator[tuple[int, bytes]]:
        more = True
        while more:
            count, more = _ANSWER.unpack(_taken(channel, _ANSWER.size))
            at = 0
            for reached, length in _FRAME.iter_unpack(_taken(channel, count * _FRAME.size)):
                yield reached, bytes(self._out.view[at : at + length])
                at += length
            if more:
                channel.send((_GO_ON,))

    def close(self) -> None:
        """End the child."""
        with self._lock:
            self._end()

    def _start(self) -> SocketChannel:
        ours, theirs = socket.socketpair()
        both = self._slabs, self._out
        with theirs:
            self._child = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "migrate.tap.packing",
                    str(theirs.fileno()),
                    *(str(told) for slabs in both for told in (slabs.fd, slabs.size_bytes)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), *(slabs.fd for slabs in both)),
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


def _taken(channel: SocketChannel, length: int) -> bytearray:
    """Return that many bytes; raises ChannelClosed."""
    buffer = bytearray(length)
    channel.recv_into(memoryview(buffer))
    return buffer


def _serve(channel: SocketChannel, memory: memoryview, out: memoryview) -> None:
    """Pack what is asked for until nobody asks any more; that is ChannelClosed."""
    while True:
        length, disks, level, after = _REQUEST.unpack(_taken(channel, _REQUEST.size))
        numbers = [number for (number,) in _NUMBER.iter_unpack(_taken(channel, disks * _NUMBER.size))]
        writes = list(writes_of(_taken(channel, length), memory))
        told, at = bytearray(), 0
        for reached, body in frames_of(writes, after, numbers, level):
            if at + len(body) > len(out):
                channel.send((_ANSWER.pack(len(told) // _FRAME.size, True), told))
                _taken(channel, len(_GO_ON))
                told, at = bytearray(), 0
            out[at : at + len(body)] = body
            told += _FRAME.pack(reached, len(body))
            at += len(body)
        channel.send((_ANSWER.pack(len(told) // _FRAME.size, False), told))


def main(arguments: list[str]) -> int:
    """Be the child: on the socket of that number, with memory to read and to write by descriptor and size."""
    for meant in (signal.SIGINT, signal.SIGTERM):  # for the tap, which has something left to pack
        signal.signal(meant, signal.SIG_IGN)
    keep_memory()
    number, *slabs = map(int, arguments)
    memory, out = (mapped(fd, size_bytes) for fd, size_bytes in zip(slabs[::2], slabs[1::2], strict=True))
    with socket.socket(fileno=number) as sock, suppress(ChannelClosed):
        _serve(SocketChannel(sock, timeout_s=0.0), memory, out)  # a guest may write nothing for days
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
