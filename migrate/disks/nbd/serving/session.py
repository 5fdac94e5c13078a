"""One client's conversation, bytes in and bytes out: options first, then requests, one at a time.

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
from migrate.disks.nbd.numbers import Command
from migrate.disks.nbd.serving.exports import Export
from migrate.disks.nbd.serving.negotiation import REQUEST_MAX, Answer, Negotiation
from planner.errors import WherryError
from planner.names import visible

_log = logging.getLogger(__name__)

_RUNS_MAX: Final = 1024


class Session:
    """The state of one conversation. ``is_over`` once the client left or was cut off."""

    def __init__(self, exports: Mapping[str, Export]) -> None:
        self._negotiation = Negotiation(exports)
        self.is_over = False

    def greeting(self) -> bytes:
        """Return what is said first."""
        return self._negotiation.greeting()

    def take(self, view: memoryview) -> tuple[int, int, list[Answer]]:
        """Do what the whole messages at the beginning of ``view`` ask for, one at a time.

        Returns how many bytes that used, how many the next message needs in all, and the answers.
        """
        if self.is_over:
            return len(view), 0, []
        if self._negotiation.export is not None:
            return self._request(view, self._negotiation.export)
        taken = self._negotiation.take(view)
        self.is_over = self._negotiation.is_over
        return taken

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
            parts = self._failed(cookie, numbers.number_of(error.errno))
        except WherryError as error:
            _log.warning("a client is told of an error: %s", visible(str(error), 200))
            parts = self._failed(cookie, numbers.number_of(errno.EIO))
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
        if command == Command.BLOCK_STATUS and self._negotiation.is_mapped and length:
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
        if self._negotiation.is_structured:
            return [_chunk(numbers.Chunk.NONE, cookie, 0)]
        return [struct.pack(">IIQ", numbers.SIMPLE_MAGIC, 0, cookie)]

    def _data(self, cookie: int, offset: int, data: bytearray) -> list[Answer]:
        if not self._negotiation.is_structured:
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
        if self._negotiation.is_structured:
            body = struct.pack(">IH", number, 0)
            return [_chunk(numbers.Chunk.ERROR, cookie, len(body)), body]
        return [struct.pack(">IIQ", numbers.SIMPLE_MAGIC, number, cookie)]


def _chunk(kind: int, cookie: int, length: int) -> bytes:
    return struct.pack(">I", numbers.CHUNK_MAGIC) + numbers.CHUNK_REST.pack(
        numbers.DONE, kind, cookie, length
    )
