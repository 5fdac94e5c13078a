"""Reading what an NBD server answers: simple replies and structured chunks, straight into buffers.

A length is compared with what was asked before a byte of it is read. Only a reply that covers its
request exactly once is good; anything else raises ``ProtocolError``.
"""

from __future__ import annotations

import errno
import os
import struct
from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from migrate.disks.nbd import numbers
from migrate.disks.nbd.handshake import Export, ProtocolError
from migrate.disks.nbd.numbers import Chunk, Command
from planner.names import visible
from planner.units import SECTOR

Receive = Callable[[memoryview], None]


@dataclass(slots=True)
class Request:
    """One request in flight, and what its replies have brought so far. ``buffer`` is where reads go."""

    command: Command
    offset: int
    length: int
    buffer: memoryview | None = None
    error: OSError | None = None
    states: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    parts: list[tuple[int, int]] = field(default_factory=list)  # ascending, disjoint runs that came
    covered: int = 0

    def cover(self, offset: int, length: int) -> memoryview:
        """Note that a run has come and return its place in the buffer."""
        at = offset - self.offset
        if self.buffer is None or length <= 0 or at < 0 or at + length > self.length:
            raise ProtocolError("it sent bytes that were not asked for")
        index = bisect_left(self.parts, (at, 0))
        before = self.parts[index - 1] if index else (0, 0)
        after = self.parts[index][0] if index < len(self.parts) else self.length
        if sum(before) > at or at + length > after:
            raise ProtocolError("it sent the same bytes twice")
        if len(self.parts) > self.length // SECTOR + 2:
            raise ProtocolError("it sends in pieces smaller than sectors")
        insort(self.parts, (at, length))
        self.covered += length
        return self.buffer[at : at + length]


def read_reply(receive: Receive, export: Export, waiting: Mapping[int, Request]) -> int | None:
    """Read one reply or chunk; return the cookie of the request it ends, None when more follows."""
    magic = struct.unpack(">I", _take(receive, 4))[0]
    if magic == numbers.SIMPLE_MAGIC:
        return _simple(receive, export, waiting)
    if magic == numbers.CHUNK_MAGIC and export.structured:
        return _chunk(receive, export, waiting)
    raise ProtocolError("a reply does not begin as one")


def _take(receive: Receive, length: int) -> bytearray:
    raw = bytearray(length)
    receive(memoryview(raw))
    return raw


def _find(waiting: Mapping[int, Request], cookie: int) -> Request:
    request = waiting.get(cookie)
    if request is None:
        raise ProtocolError("it answers what was not asked")
    return request


def _simple(receive: Receive, export: Export, waiting: Mapping[int, Request]) -> int:
    code, cookie = numbers.SIMPLE_REST.unpack(_take(receive, numbers.SIMPLE_REST.size))
    request = _find(waiting, cookie)
    if request.command is Command.BLOCK_STATUS or (
        export.structured and request.command is Command.READ and not code
    ):
        raise ProtocolError("it answers simply where chunks were agreed on")
    if code:
        request.error = named(code, "")
    elif request.command is Command.READ:
        receive(request.cover(request.offset, request.length))
    return int(cookie)


def _chunk(receive: Receive, export: Export, waiting: Mapping[int, Request]) -> int | None:
    flags, kind, cookie, length = numbers.CHUNK_REST.unpack(_take(receive, numbers.CHUNK_REST.size))
    request = _find(waiting, cookie)
    if kind == Chunk.DATA:
        if not 8 < length <= 8 + request.length:
            raise ProtocolError(f"a chunk of data has {length} bytes")
        offset = struct.unpack(">Q", _take(receive, 8))[0]
        receive(request.cover(offset, length - 8))
    elif kind == Chunk.HOLE:
        if length != 12:
            raise ProtocolError(f"a chunk for a hole has {length} bytes")
        offset, size = struct.unpack(">QI", _take(receive, 12))
        place = request.cover(offset, size)
        place[:] = bytes(len(place))
    elif kind == Chunk.STATUS:
        _status(receive, export, request, length)
    elif kind & 1 << 15:
        _failure(receive, request, kind, length)
    elif kind != Chunk.NONE or length or not flags & numbers.DONE:
        raise ProtocolError(f"a chunk of kind {kind} and {length} bytes makes no sense")
    if not flags & numbers.DONE:
        return None
    _complete(export, request)
    return int(cookie)


def _status(receive: Receive, export: Export, request: Request, length: int) -> None:
    if request.command is not Command.BLOCK_STATUS or length > numbers.STATUS_BODY_MAX:
        raise ProtocolError(f"a chunk of states has {length} bytes or was not asked for")
    if length < 12 or (length - 4) % 8:
        raise ProtocolError("a chunk of states is cut off")
    body = _take(receive, length)
    context = struct.unpack_from(">I", body)[0]
    if context not in export.contexts or context in request.states:
        raise ProtocolError("it sends states of a map not agreed on, or twice")
    states = list(struct.iter_unpack(">II", memoryview(body)[4:]))
    if any(not size for size, _ in states):
        raise ProtocolError("a state is that of no bytes")
    if sum(size for size, _ in states[:-1]) >= request.length:
        raise ProtocolError("it sends states beyond what was asked")
    request.states[context] = states


def _failure(receive: Receive, request: Request, kind: int, length: int) -> None:
    if not 6 <= length <= 6 + numbers.MESSAGE_MAX + 8:
        raise ProtocolError(f"an error has {length} bytes")
    body = _take(receive, length)
    code, size = struct.unpack_from(">IH", body)
    tail = 8 if kind == Chunk.ERROR_OFFSET else 0
    if (
        not code
        or 6 + size > length
        or (kind in {Chunk.ERROR, Chunk.ERROR_OFFSET} and length != 6 + size + tail)
    ):
        raise ProtocolError("an error is cut off or none")
    if request.error is None:
        request.error = named(code, body[6 : 6 + size].decode("utf-8", "replace"))


def _complete(export: Export, request: Request) -> None:
    if request.error is not None:
        return
    if request.command is Command.READ and request.covered != request.length:
        raise ProtocolError("it sent fewer bytes than were asked for")
    if request.command is Command.BLOCK_STATUS and request.states.keys() != export.contexts.keys():
        raise ProtocolError("it left out a map")


def named(code: int, message: str) -> OSError:
    """Return the error a server sent, under this machine's number for it."""
    number = numbers.ERRNOS.get(code, errno.EIO)
    said = f" ({visible(message, 200)})" if message else ""
    return OSError(number, f"the NBD server reports: {os.strerror(number)}{said}")
