"""Agreeing with an NBD server on an export: fixed newstyle, TLS when the address asks for it.

Whatever the server says is bounded before it is read; a server that breaks the protocol raises
``ProtocolError``, one that refuses raises ``Refused`` with its reason.
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from migrate.disks.nbd import numbers
from migrate.disks.nbd.numbers import Can, Option
from migrate.disks.nbd.pipe import Pipe, receive
from planner.names import visible
from planner.units import SECTOR

_SIZE_MAX = 1 << 62


class ProtocolError(OSError):
    """The server broke the protocol; nothing it says later can be trusted."""

    def __init__(self, what: str) -> None:
        super().__init__(errno.EPROTO, f"the server does not keep to NBD: {what}")


class Refused(OSError):
    """The server understood and said no."""

    def __init__(self, code: int, message: str) -> None:
        why = numbers.REFUSALS.get(code, f"for reason {code} unknown to us")
        said = f" ({visible(message, 200)})" if message else ""
        super().__init__(errno.ECONNREFUSED, f"the server refused: {why}{said}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Export:
    """What was agreed. ``contexts`` are the names of the maps by the server's number for each."""

    size_bytes: int
    can: Can
    structured: bool
    contexts: dict[int, str] = field(default_factory=dict)
    sector_bytes: int = SECTOR
    grain_bytes: int = 1  # requests must be multiples of it
    piece_bytes: int = numbers.PIECE


def agree(pipe: Pipe, name: str, secure: Callable[[], Pipe] | None) -> tuple[Pipe, Export]:
    """Return the pipe to go on with and the export; ``secure`` turns the pipe into one under TLS."""
    _greet(pipe)
    if secure is not None:
        for _ in _ask(pipe, Option.STARTTLS, b""):
            raise ProtocolError("it answered STARTTLS with more than a yes")
        pipe = secure()
    structured, contexts = False, {}
    try:
        for _ in _ask(pipe, Option.STRUCTURED_REPLY, b""):
            raise ProtocolError("it answered STRUCTURED_REPLY with more than a yes")
        structured = True
    except Refused as error:
        if error.code not in {1, 2, 3}:  # it may lack them; TLS wanted or shutting down is an answer
            raise
    if structured:
        contexts = _contexts(pipe, name)
    return pipe, _go(pipe, name, structured, contexts)


def _greet(pipe: Pipe) -> None:
    raw = bytearray(numbers.GREETING.size)
    receive(pipe, memoryview(raw))
    magic, style, flags = numbers.GREETING.unpack(raw)
    if magic != numbers.MAGIC:
        raise ProtocolError("it does not begin with NBD's greeting")
    if style != numbers.HAVE_OPTION or not flags & numbers.FIXED_NEWSTYLE:
        raise ProtocolError("it speaks the old style only, without options")
    pipe.send([struct.pack(">I", numbers.FIXED_NEWSTYLE | flags & numbers.NO_ZEROES)])


def _ask(pipe: Pipe, option: Option, body: bytes) -> Iterator[tuple[int, bytes]]:
    """Send an option and yield (kind, body) of each reply before the ACK; raises Refused."""
    pipe.send([numbers.OPTION.pack(numbers.HAVE_OPTION, option, len(body)), body])
    head = bytearray(numbers.OPTION_REPLY.size)
    for _ in range(numbers.OPTION_REPLIES_MAX):
        receive(pipe, memoryview(head))
        magic, about, kind, length = numbers.OPTION_REPLY.unpack(head)
        if magic != numbers.OPTION_REPLY_MAGIC or about != option:
            raise ProtocolError(f"its reply to {option.name} is none")
        if length > numbers.OPTION_BODY_MAX:
            raise ProtocolError(f"its reply to {option.name} has {length} bytes")
        reply = bytearray(length)
        receive(pipe, memoryview(reply))
        if kind & numbers.ERROR_BIT:
            message = reply[: numbers.MESSAGE_MAX].decode("utf-8", "replace")
            raise Refused(kind & ~numbers.ERROR_BIT, message)
        if kind == numbers.ACK:
            if length:
                raise ProtocolError(f"its yes to {option.name} has a body")
            return
        yield kind, bytes(reply)
    raise ProtocolError(f"its reply to {option.name} does not end")


def _contexts(pipe: Pipe, name: str) -> dict[int, str]:
    """Return the maps the server agrees to send: what is allocated, and each dirty bitmap it lists."""
    bitmaps: list[str] = []
    try:
        for _, context in _context_replies(pipe, Option.LIST_META_CONTEXT, name, [numbers.BITMAP_PREFIX]):
            if context.startswith(numbers.BITMAP_PREFIX) and len(bitmaps) < numbers.CONTEXTS_MAX - 1:
                bitmaps.append(context)
        wanted = [numbers.ALLOCATION, *bitmaps]
        found: dict[int, str] = {}
        for number, context in _context_replies(pipe, Option.SET_META_CONTEXT, name, wanted):
            if context not in wanted or number in found or context in found.values():
                raise ProtocolError("it agreed to a map nobody asked for")
            found[number] = context
    except Refused as error:
        if error.code not in {1, 2, 3}:
            raise
        return {}
    return found


def _context_replies(pipe: Pipe, option: Option, name: str, queries: list[str]) -> Iterator[tuple[int, str]]:
    body = b"".join((_text(name), struct.pack(">I", len(queries)), *map(_text, queries)))
    for kind, reply in _ask(pipe, option, body):
        if kind != numbers.META_CONTEXT or len(reply) < 5:
            raise ProtocolError(f"its reply to {option.name} names no map")
        try:
            yield struct.unpack_from(">I", reply)[0], reply[4:].decode()
        except UnicodeDecodeError as error:
            raise ProtocolError("the name of a map is no text") from error


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">I", len(raw)) + raw


def _go(pipe: Pipe, name: str, structured: bool, contexts: dict[int, str]) -> Export:
    export: tuple[int, int] | None = None
    least, preferred, most = 1, SECTOR, 32 * 1024 * 1024
    body = _text(name) + struct.pack(">HH", 1, numbers.INFO_BLOCK_SIZE)
    for kind, reply in _ask(pipe, Option.GO, body):
        if kind != numbers.INFO or len(reply) < 2:
            raise ProtocolError("its reply to GO tells nothing")
        about = struct.unpack_from(">H", reply)[0]
        if about == numbers.INFO_EXPORT:
            if len(reply) != 12:
                raise ProtocolError("what it says of the export's size is cut off")
            export = struct.unpack_from(">QH", reply, 2)
        elif about == numbers.INFO_BLOCK_SIZE:
            if len(reply) != 14:
                raise ProtocolError("what it says of its block size is cut off")
            least, preferred, most = struct.unpack_from(">III", reply, 2)
    if export is None or not export[1] & Can.HAS_FLAGS or export[0] > _SIZE_MAX:
        raise ProtocolError("it does not say how large the export is and what it can do")
    if least & (least - 1) or not 1 <= least <= 64 * 1024 or most < least or preferred < least:
        raise ProtocolError(f"its block sizes {least}, {preferred} and {most} make no sense")
    piece = min(numbers.PIECE, most) // least * least
    return Export(export[0], Can(export[1]), structured, contexts, max(least, SECTOR), least, piece)
