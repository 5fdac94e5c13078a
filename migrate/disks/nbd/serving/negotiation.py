"""What a client and a server settle first: which export, and which kinds of answers.

It does no input or output. Whatever a client announces is capped before it is waited for; one that
breaks the protocol is cut off, one that asks for the impossible is told so.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final, Generic, Protocol, TypeVar

from migrate.disks.nbd import numbers
from migrate.disks.nbd.numbers import Can, Option
from planner.units import MIB

REQUEST_MAX: Final = 32 * MIB
_OPTION_MAX: Final = 64 * 1024
_UNSUPPORTED, _INVALID, _UNKNOWN = (number | numbers.ERROR_BIT for number in (1, 3, 6))
_EXPORT_NAME, _LIST, _INFO = 1, 3, 6
_SERVER_REPLY: Final = 2
Answer = bytes | bytearray


class Offered(Protocol):
    """What is said of an export before anybody uses it."""

    @property
    def size_bytes(self) -> int: ...
    @property
    def can(self) -> Can: ...
    @property
    def has_map(self) -> bool:
        """Whether clients may ask what is allocated."""
        ...


ExportT = TypeVar("ExportT", bound=Offered)


class Negotiation(Generic[ExportT]):
    """The options of one conversation. ``export`` is there once it is over, unless ``is_over`` says how.

    Without ``structured`` answers are plain ones, which is all that reads and writes need.
    """

    def __init__(self, exports: Mapping[str, ExportT], *, structured: bool = True) -> None:
        self._exports = exports
        self._offers_structured = structured
        self._greeted = False
        self._no_zeroes = False
        self._mapped = ""  # the export whose map was agreed on
        self.is_structured = False
        self.export: ExportT | None = None
        self.is_over = False

    @property
    def is_mapped(self) -> bool:
        """Whether the client may ask for the map of its export."""
        return bool(self._mapped)

    def greeting(self) -> bytes:
        """Return what is said first."""
        flags = numbers.FIXED_NEWSTYLE | numbers.NO_ZEROES
        return numbers.GREETING.pack(numbers.MAGIC, numbers.HAVE_OPTION, flags)

    def take(self, view: memoryview) -> tuple[int, int, list[Answer]]:
        """Do what the first whole message in ``view`` asks for.

        Returns how many bytes that used, how many the next message needs in all, and the answers.
        """
        if not self._greeted:
            if len(view) < 4:
                return 0, 4, []
            (flags,) = struct.unpack_from(">I", view)
            self._greeted, self._no_zeroes = True, bool(flags & numbers.NO_ZEROES)
            self.is_over = not flags & numbers.FIXED_NEWSTYLE
            return 4, 0, []
        head = numbers.OPTION.size
        if len(view) < head:
            return 0, head, []
        magic, option, length = numbers.OPTION.unpack_from(view)
        if magic != numbers.HAVE_OPTION or length > _OPTION_MAX:
            self.is_over = True
            return len(view), 0, []
        if len(view) < head + length:
            return 0, head + length, []
        return head + length, 0, self._answer(option, bytes(view[head : head + length]))

    def _answer(self, option: int, body: bytes) -> list[Answer]:
        if option == Option.ABORT:
            self.is_over = True
            return [_reply(option, numbers.ACK)]
        if option == _EXPORT_NAME:
            return self._named(body)
        if option == _LIST:
            if body:
                return [_reply(option, _INVALID)]
            names = [_text(name) for name in self._exports]
            return [*(_reply(option, _SERVER_REPLY, name) for name in names), _reply(option, numbers.ACK)]
        if option == Option.STRUCTURED_REPLY and self._offers_structured:
            self.is_structured = not body
            return [_reply(option, _INVALID if body else numbers.ACK)]
        try:
            if option in (_INFO, Option.GO):
                return self._told(option, body)
            if option in (Option.LIST_META_CONTEXT, Option.SET_META_CONTEXT):
                return self._contexts(option, body)
        except (struct.error, UnicodeDecodeError):
            return [_reply(option, _INVALID)]
        return [_reply(option, _UNSUPPORTED)]

    def _named(self, body: bytes) -> list[Answer]:
        """Answer the old way to choose an export, which knows no refusal."""
        self.export = self._exports.get(body.decode("utf-8", "replace"))
        if self.export is None:
            self.is_over = True
            return []
        told = struct.pack(">QH", self.export.size_bytes, self.export.can)
        return [told if self._no_zeroes else told + bytes(124)]

    def _told(self, option: int, body: bytes) -> list[Answer]:
        name, rest = _name(body)
        struct.unpack(f">H{(len(rest) - 2) // 2}H", rest)  # which facts it wants; it gets the same two
        export = self._exports.get(name)
        if export is None:
            return [_reply(option, _UNKNOWN)]
        about = struct.pack(">HQH", numbers.INFO_EXPORT, export.size_bytes, export.can)
        sizes = struct.pack(">HIII", numbers.INFO_BLOCK_SIZE, 1, 4096, REQUEST_MAX)
        if option == Option.GO:
            self.export = export
            if self._mapped != name:
                self._mapped = ""
        replies = [_reply(option, numbers.INFO, about), _reply(option, numbers.INFO, sizes)]
        return [*replies, _reply(option, numbers.ACK)]

    def _contexts(self, option: int, body: bytes) -> list[Answer]:
        name, rest = _name(body)
        (count,) = struct.unpack_from(">I", rest)
        rest, queries = rest[4:], []
        for _ in range(min(count, numbers.CONTEXTS_MAX)):
            query, rest = _name(rest)
            queries.append(query)
        export = self._exports.get(name)
        if export is None:
            return [_reply(option, _UNKNOWN)]
        if not self.is_structured:
            return [_reply(option, _INVALID)]
        wanted = not queries if option == Option.LIST_META_CONTEXT else False
        has = export.has_map and (wanted or any(query in (numbers.ALLOCATION, "base:") for query in queries))
        if option == Option.SET_META_CONTEXT:
            has = has and numbers.ALLOCATION in queries
            self._mapped = name if has else ""
        told = struct.pack(">I", 0) + numbers.ALLOCATION.encode()
        return [*([_reply(option, numbers.META_CONTEXT, told)] if has else []), _reply(option, numbers.ACK)]


def _reply(option: int, kind: int, body: bytes = b"") -> bytes:
    return numbers.OPTION_REPLY.pack(numbers.OPTION_REPLY_MAGIC, option, kind, len(body)) + body


def _text(text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    return struct.pack(">I", len(raw)) + raw


def _name(body: bytes) -> tuple[str, bytes]:
    """Return a text with its length before it, and what follows; raises struct.error, UnicodeDecodeError."""
    (length,) = struct.unpack_from(">I", body)
    if length > len(body) - 4:
        raise struct.error
    return body[4 : 4 + length].decode(), body[4 + length :]
