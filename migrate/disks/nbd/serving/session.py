"""One client's conversation, bytes in and bytes out: options first, then requests.

It does no input or output but that of the disk. Whatever a client announces is capped before it is
waited for; one that breaks the protocol is cut off, one that asks for the impossible is told so.
"""

from __future__ import annotations

import errno
import logging
import struct
from collections.abc import Mapping
from typing import Final

from migrate.disks.nbd import numbers
from migrate.disks.nbd.numbers import Command, Option
from migrate.disks.nbd.serving.exports import Export
from planner.errors import WherryError
from planner.names import visible
from planner.units import MIB

_log = logging.getLogger(__name__)

REQUEST_MAX: Final = 32 * MIB
_OPTION_MAX: Final = 64 * 1024
_CODES: Final = {code: number for number, code in numbers.ERRNOS.items()}
_UNSUPPORTED, _INVALID, _UNKNOWN = (number | numbers.ERROR_BIT for number in (1, 3, 6))
_EXPORT_NAME, _LIST, _INFO = 1, 3, 6
_SERVER_REPLY: Final = 2
_RUNS_MAX: Final = 1024
Answer = bytes | bytearray


class Session:
    """The state of one conversation. ``is_over`` once the client left or was cut off."""

    def __init__(self, exports: Mapping[str, Export]) -> None:
        self._exports = exports
        self._greeted = False
        self._no_zeroes = False
        self._structured = False
        self._mapped = ""  # the export whose map was agreed on
        self._export: Export | None = None
        self.is_over = False

    def greeting(self) -> bytes:
        """Return what is said first."""
        flags = numbers.FIXED_NEWSTYLE | numbers.NO_ZEROES
        return numbers.GREETING.pack(numbers.MAGIC, numbers.HAVE_OPTION, flags)

    def take(self, view: memoryview) -> tuple[int, int, list[Answer]]:
        """Do what the whole messages at the beginning of ``view`` ask for, one at a time.

        Returns how many bytes that used, how many the next message needs in all, and the answers.
        """
        if self.is_over:
            return len(view), 0, []
        if self._export is not None:
            return self._request(view, self._export)
        if not self._greeted:
            if len(view) < 4:
                return 0, 4, []
            (flags,) = struct.unpack_from(">I", view)
            self._greeted, self._no_zeroes = True, bool(flags & numbers.NO_ZEROES)
            self.is_over = not flags & numbers.FIXED_NEWSTYLE
            return 4, 0, []
        return self._option(view)

    def _option(self, view: memoryview) -> tuple[int, int, list[Answer]]:
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
        if option == Option.STRUCTURED_REPLY:
            self._structured = not body
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
        self._export = self._exports.get(body.decode("utf-8", "replace"))
        if self._export is None:
            self.is_over = True
            return []
        told = struct.pack(">QH", self._export.disk.size_bytes, self._export.can)
        return [told if self._no_zeroes else told + bytes(124)]

    def _told(self, option: int, body: bytes) -> list[Answer]:
        name, rest = _name(body)
        struct.unpack(f">H{(len(rest) - 2) // 2}H", rest)  # which facts it wants; it gets the same two
        export = self._exports.get(name)
        if export is None:
            return [_reply(option, _UNKNOWN)]
        about = struct.pack(">HQH", numbers.INFO_EXPORT, export.disk.size_bytes, export.can)
        sizes = struct.pack(">HIII", numbers.INFO_BLOCK_SIZE, 1, 4096, REQUEST_MAX)
        if option == Option.GO:
            self._export = export
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
        if not self._structured:
            return [_reply(option, _INVALID)]
        wanted = not queries if option == Option.LIST_META_CONTEXT else False
        has = export.has_map and (wanted or any(query in (numbers.ALLOCATION, "base:") for query in queries))
        if option == Option.SET_META_CONTEXT:
            has = has and numbers.ALLOCATION in queries
            self._mapped = name if has else ""
        told = struct.pack(">I", 0) + numbers.ALLOCATION.encode()
        return [*([_reply(option, numbers.META_CONTEXT, told)] if has else []), _reply(option, numbers.ACK)]

    def _request(self, view: memoryview, export: Export) -> tuple[int, int, list[Answer]]:
        head = numbers.REQUEST.size
        if len(view) < head:
            return 0, head, []
        magic, flags, command, cookie, offset, length = numbers.REQUEST.unpack_from(view)
        if magic != numbers.REQUEST_MAGIC or (command == Command.WRITE and length > REQUEST_MAX):
            self.is_over = True
            return len(view), 0, []
        used = head
        if command == Command.WRITE:
            used += length
            if len(view) < used:
                return 0, used, []
        if command == Command.DISCONNECT:
            self.is_over = True
            return used, 0, []
        try:
            parts = self._done(export, command, flags, offset, length, view[head:used], cookie)
        except OSError as error:
            parts = self._failed(cookie, _CODES.get(error.errno or 0, _CODES[errno.EIO]))
        except WherryError as error:
            _log.warning("a client is told of an error: %s", visible(str(error), 200))
            parts = self._failed(cookie, _CODES[errno.EIO])
        return used, 0, parts

    def _done(
        self,
        export: Export,
        command: int,
        flags: int,
        offset: int,
        length: int,
        data: memoryview,
        cookie: int,
    ) -> list[Answer]:
        disk = export.writable
        if command != Command.FLUSH and offset + length > export.disk.size_bytes:
            raise OSError(errno.ENOSPC if command == Command.WRITE else errno.EINVAL, "outside the disk")
        if command == Command.READ:
            if length > REQUEST_MAX:
                raise OSError(errno.EOVERFLOW, "too much at once")
            buffer = bytearray(length)
            export.disk.read_into(memoryview(buffer), offset)
            return self._data(cookie, offset, buffer)
        if command == Command.BLOCK_STATUS and self._mapped and length:
            return self._status(export, cookie, offset, length, one=bool(flags & 8))
        if command == Command.FLUSH:
            if disk is not None:
                disk.flush()
            return self._fine(cookie)
        if command not in (Command.WRITE, Command.TRIM, Command.WRITE_ZEROES):
            raise OSError(errno.EINVAL, "an unknown request")
        if disk is None:
            raise OSError(errno.EPERM, "it is read only")
        if command == Command.WRITE:
            disk.write(data, offset)
        else:
            disk.zero(offset, length)
        if flags & numbers.FLAG_FUA:
            disk.flush()
        return self._fine(cookie)

    def _fine(self, cookie: int) -> list[Answer]:
        if self._structured:
            return [_chunk(numbers.Chunk.NONE, cookie, 0)]
        return [struct.pack(">IIQ", numbers.SIMPLE_MAGIC, 0, cookie)]

    def _data(self, cookie: int, offset: int, data: bytearray) -> list[Answer]:
        if not self._structured:
            return [struct.pack(">IIQ", numbers.SIMPLE_MAGIC, 0, cookie), data]
        if not data:
            return self._fine(cookie)
        return [_chunk(numbers.Chunk.DATA, cookie, 8 + len(data)), struct.pack(">Q", offset), data]

    def _status(self, export: Export, cookie: int, offset: int, length: int, *, one: bool) -> list[Answer]:
        body = bytearray(struct.pack(">I", 0))
        for count, (run, state) in enumerate(export.states(offset, offset + length), 1):
            body += struct.pack(">II", run, state)
            if one or count == _RUNS_MAX:
                break
        return [_chunk(numbers.Chunk.STATUS, cookie, len(body)), bytes(body)]

    def _failed(self, cookie: int, number: int) -> list[Answer]:
        if self._structured:
            body = struct.pack(">IH", number, 0)
            return [_chunk(numbers.Chunk.ERROR, cookie, len(body)), body]
        return [struct.pack(">IIQ", numbers.SIMPLE_MAGIC, number, cookie)]


def _reply(option: int, kind: int, body: bytes = b"") -> bytes:
    return numbers.OPTION_REPLY.pack(numbers.OPTION_REPLY_MAGIC, option, kind, len(body)) + body


def _chunk(kind: int, cookie: int, length: int) -> bytes:
    return struct.pack(">I", numbers.CHUNK_MAGIC) + numbers.CHUNK_REST.pack(
        numbers.DONE, kind, cookie, length
    )


def _text(text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    return struct.pack(">I", len(raw)) + raw


def _name(body: bytes) -> tuple[str, bytes]:
    """Return a text with its length before it, and what follows; raises struct.error, UnicodeDecodeError."""
    (length,) = struct.unpack_from(">I", body)
    if length > len(body) - 4:
        raise struct.error
    return body[4 : 4 + length].decode(), body[4 + length :]
