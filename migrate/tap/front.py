"""The tap's front: guests speak NBD to it, many requests a wake-up and their answers together.

A write goes to its disk and to the recorder at once, in the order of arrival. What has to wait, for a cold
area, a sync or the medium, is answered later and holds up nobody else. A client that asks for more than
fits, or does not read its answers, is not read from.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

from migrate.disks.nbd import numbers
from migrate.disks.nbd.numbers import Command
from migrate.disks.nbd.serving.client import Client, accepting
from migrate.disks.nbd.serving.negotiation import REQUEST_MAX, Answer, Negotiation
from migrate.disks.nbd.serving.window import USUAL
from migrate.tap.chunks import Run
from migrate.tap.disk import AT_ONCE, TappedDisk
from migrate.tap.tapping import Tap
from planner.units import MIB

CLIENTS_MAX: Final = 64
_PENDING_MAX: Final = 256  # requests of one client that wait
_PENDING_BYTES: Final = 64 * MIB
_HEAD: Final = numbers.REQUEST.size
_ANSWER: Final = struct.Struct(">IIQ")
_WELL: Final = numbers.SIMPLE_MAGIC << 32  # before a cookie: it was done
_PLAIN: Final = struct.Struct(">QQQI")  # a request whose magic, flags and command are one number
_PLAIN_WRITE: Final = numbers.REQUEST_MAGIC << 32 | Command.WRITE
_TOGETHER: Final = 64  # writes done at once: so many more may wait than wait at most
_FLAGS: Final[dict[int, int]] = {
    Command.WRITE: numbers.FLAG_FUA,
    Command.TRIM: numbers.FLAG_FUA,
    Command.WRITE_ZEROES: numbers.FLAG_FUA | numbers.FLAG_NO_HOLE,
}


class Conversation(Client):
    """One client."""

    def __init__(self, tap: Tap, sock: socket.socket, living: set[Client]) -> None:
        self._tap = tap
        self._negotiation = Negotiation(tap.exports, structured=False)
        self._is_over = False
        self._pending = self._pending_bytes = 0
        super().__init__(sock, living, self._negotiation.greeting())
        tap.counts.clients = len(living)

    def close(self) -> None:
        """Cut the client off."""
        super().close()
        self._is_over = True
        self._tap.counts.clients = len(self._living)

    def work(self) -> int:
        """Do what came whole, as far as that may be."""
        begun = time.perf_counter()
        answers: list[Answer] = []
        needed = self._negotiate(answers) if self._negotiation.export is None else 0
        if (disk := self._negotiation.export) is not None and not self._is_over:
            needed = self._serve(disk, answers)
        if answers:
            self.answer(b"".join(answers))
        self._tap.counts.busy_s += time.perf_counter() - begun
        if self._is_over:
            self.close()
        return needed

    def _negotiate(self, answers: list[Answer]) -> int:
        negotiation, window = self._negotiation, self.window
        needed = 0
        while window.start < window.end and negotiation.export is None and not negotiation.is_over:
            used, needed, parts = negotiation.take(window.left())
            window.start += used
            answers += parts
            if not used:
                break
        self._is_over = negotiation.is_over
        return needed

    def _serve(self, disk: TappedDisk, answers: list[Answer]) -> int:
        """Do the requests that came whole, and return how many bytes the next one needs in all."""
        window, counts, size = self.window, self._tap.counts, disk.size_bytes
        view, end, needed = window.view, window.end, _HEAD
        weight = 0
        while not (self.is_held or self.is_choked):
            if self._write_all(disk, answers):
                continue
            if end - (at := window.start) < _HEAD:
                break
            magic, flags, command, cookie, offset, length = numbers.REQUEST.unpack_from(view, at)
            data = at + _HEAD
            is_write = command == Command.WRITE
            cut_off = magic != numbers.REQUEST_MAGIC or command == Command.DISCONNECT
            if cut_off or (is_write and length > REQUEST_MAX):
                self._is_over = True
                break
            if is_write and end - data < length:
                needed = _HEAD + length
                break
            window.start = at = data + length * is_write
            if command == Command.READ and offset + length <= size and length <= REQUEST_MAX:
                counts.reads += 1
                weight += self._read(disk, answers, cookie, offset, length)
                if weight > USUAL:  # this may hold us
                    self.answer(b"".join(answers))
                    answers.clear()
                    weight = 0
                continue
            if code := _refusal(command, flags, offset, length, size):
                counts.errors += 1
                answers.append(_answer(cookie, code))
            elif command == Command.FLUSH:
                counts.flushes += 1
                self._begin(0)
                self._tap.flush(disk, partial(self._done, cookie, 0))
            elif not length:
                answers.append(_ANSWER.pack(numbers.SIMPLE_MAGIC, 0, cookie))
            else:
                self._change(disk, command, flags, cookie, offset, length, bytes(view[data:at]))
        return needed

    def _write_all(self, disk: TappedDisk, answers: list[Answer]) -> int:
        """Do the plain writes that come next and came whole, together, and return how many those are."""
        window, size = self.window, disk.size_bytes
        view, begun, at, end = window.view, window.start, window.start, window.end
        runs: list[Run] = []
        cookies: list[int] = []
        while end - at >= _HEAD and len(runs) < _TOGETHER:
            kind, cookie, offset, length = _PLAIN.unpack_from(view, at)
            start = at + _HEAD
            if kind != _PLAIN_WRITE or end - start < length or offset + length > size:
                break
            if not 0 < length <= REQUEST_MAX:
                break
            at = start + length
            runs.append((offset, length, start))
            cookies.append(cookie)
        if not runs:
            return 0
        window.start = at
        counts, count = self._tap.counts, len(runs)
        failed = disk.write_all(view, runs)
        if failed is None:
            for (offset, length, start), cookie in zip(runs, cookies, strict=True):
                data = bytes(view[start : start + length])
                self._change(disk, Command.WRITE, 0, cookie, offset, length, data)
            return count
        counts.writes += count
        counts.written_bytes += at - begun - count * _HEAD
        counts.errors += len(failed)
        for place in sorted(failed, reverse=True):
            answers.append(_answer(cookies.pop(place), failed[place].errno))
        told = [_WELL] * (2 * len(cookies))
        told[1::2] = cookies
        answers.append(struct.pack(f">{len(told)}Q", *told))
        return count

    def _read(self, disk: TappedDisk, answers: list[Answer], cookie: int, offset: int, length: int) -> int:
        buffer = bytearray(length)
        if disk.read_at_once(buffer, offset):
            answers.append(_ANSWER.pack(numbers.SIMPLE_MAGIC, 0, cookie))
            answers.append(buffer)
            return length
        self._begin(length)
        self._tap.read(disk, buffer, offset, partial(self._done, cookie, length, data=buffer))
        return 0

    def _change(
        self, disk: TappedDisk, command: int, flags: int, cookie: int, offset: int, length: int, data: bytes
    ) -> None:
        """Do what has to wait for something: a cold area, zeros that are being made, a sync at its end."""
        self._begin(len(data))
        answered = partial(self._done, cookie, len(data))

        def synced(error: OSError | None) -> None:
            if error is None and flags & numbers.FLAG_FUA:
                self._tap.flush(disk, answered)
            else:
                answered(error)

        def begin(error: OSError | None) -> None:
            if error is not None:
                synced(error)
                return
            if command != Command.WRITE and length > AT_ONCE:
                self._tap.zero(disk, offset, length, synced)
                return
            try:
                if command == Command.WRITE:
                    self._tap.counts.writes += 1
                    self._tap.counts.written_bytes += length
                    disk.write(data, offset)
                else:
                    disk.zero(offset, length)
            except OSError as failed:
                synced(failed)
                return
            synced(None)

        self._tap.when_it_may_begin(disk, offset, length, begin)

    def _begin(self, weight: int) -> None:
        """A request is to be answered later."""
        self._pending += 1
        self._pending_bytes += weight
        if self._pending >= _PENDING_MAX or self._pending_bytes >= _PENDING_BYTES:
            self.is_held = True

    def _done(self, cookie: int, weight: int, error: OSError | None, data: bytearray | None = None) -> None:
        self._pending -= 1
        self._pending_bytes -= weight
        if error is not None:
            self._tap.counts.errors += 1
            self.answer(_answer(cookie, error.errno))
        else:
            answer = _ANSWER.pack(numbers.SIMPLE_MAGIC, 0, cookie)
            self.answer(answer if data is None else answer + data)
        too_much = self._pending > _PENDING_MAX // 2 or self._pending_bytes > _PENDING_BYTES // 2
        if self.is_held and not too_much:
            self.is_held = False
            if not self.is_choked:
                self.go_on()


def _refusal(command: int, flags: int, offset: int, length: int, size: int) -> int:
    """Return the errno of a request that cannot be, 0 for one that can."""
    if command == Command.FLUSH:
        return 0
    if command == Command.READ:
        return errno.EINVAL if offset + length > size else errno.EOVERFLOW
    allowed = _FLAGS.get(command)
    if allowed is None or flags & ~allowed:
        return errno.EINVAL
    if offset + length > size:
        return errno.ENOSPC if command == Command.WRITE else errno.EINVAL
    return 0


def _answer(cookie: int, code: int | None) -> bytes:
    return _ANSWER.pack(numbers.SIMPLE_MAGIC, numbers.number_of(code), cookie)


async def serve(
    tap: Tap, listening: socket.socket, stop: asyncio.Event, drain: Callable[[], Awaitable[None]]
) -> None:
    """Serve the tap's disks to whoever connects, until ``stop``; then ``drain``, and close the tap."""
    tending = asyncio.create_task(tap.tend())
    try:
        with accepting(listening, partial(Conversation, tap), CLIENTS_MAX):
            await stop.wait()
    finally:
        try:
            await drain()
        finally:
            tending.cancel()
            await tap.close()
