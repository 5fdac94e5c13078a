"""An NBD export as a disk. Reads, and writes to disjoint runs, may come from any thread.

Large reads and writes are cut into pieces that are in flight together. A server that cannot flush
cannot promise that anything is durable: ``flush`` says so. A failed flush is final for the object.
"""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Callable, Iterator

from migrate.disks.areas import Area, data_runs, joined
from migrate.disks.nbd import numbers
from migrate.disks.nbd.address import Address
from migrate.disks.nbd.connection import Connection
from migrate.disks.nbd.handshake import Export, ProtocolError, Refused, agree
from migrate.disks.nbd.maps import areas_in
from migrate.disks.nbd.numbers import Can, Command
from migrate.disks.nbd.pipe import Pipe, PlainPipe, TlsPipe, bound_waits, connect
from migrate.disks.nbd.replies import Request
from planner.errors import SiteRefused, Unreachable

_ZEROES_AT_ONCE = 256 * 1024 * 1024
_ASK_AT_ONCE = 1024 * 1024 * 1024
_ZEROS = memoryview(bytes(numbers.PIECE))


def open_export(
    address: Address, *, writable: bool = False, bitmap: str = "", timeout_s: float = 60.0
) -> NbdDisk:
    """Open an export; ``bitmap`` is the dirty bitmap that ``areas`` tells. Raises WherryError."""
    try:
        return open_over(
            connect(address, timeout_s), address, writable=writable, bitmap=bitmap, timeout_s=timeout_s
        )
    except Refused as error:
        raise SiteRefused(f"{address}: {error.strerror}", "look at the server's settings") from error
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or "the handshake failed"
        raise SiteRefused(f"{address}: TLS: {reason}", "check the authority and both certificates") from error
    except OSError as error:
        hint = (
            "check that an NBD server listens there"
            if not isinstance(error, ProtocolError)
            else ("check that this is an NBD server, and a current one")
        )
        raise Unreachable(f"{address}: {error.strerror or error}", hint) from error


def open_over(
    sock: socket.socket,
    address: Address,
    *,
    writable: bool,
    bitmap: str = "",
    timeout_s: float = 60.0,
    closed: Callable[[], object] = lambda: None,
) -> NbdDisk:
    """Open an export over a connected socket, closed when that fails; raises OSError.

    ``closed`` is called when the disk has been closed.
    """
    pipe: Pipe = PlainPipe(sock)
    try:
        bound_waits(sock, timeout_s, timeout_s)
        secure = (lambda: TlsPipe(sock, address)) if address.ca else None
        pipe, export = agree(pipe, address.export, secure)
        if writable and export.can & Can.READ_ONLY:
            raise OSError(errno.EROFS, "the server offers the export for reading only")
        if bitmap and numbers.BITMAP_PREFIX + bitmap not in export.contexts.values():
            raise OSError(errno.ENOENT, f"the server offers no dirty bitmap {bitmap!r}")
        bound_waits(sock, timeout_s, 0)  # the receiver waits for ever, those who ask do not
    except BlockingIOError as error:
        pipe.close()
        raise OSError(errno.ETIMEDOUT, f"the server said nothing for {timeout_s:g} s") from error
    except BaseException:
        pipe.close()
        raise
    return NbdDisk(Connection(pipe, export, timeout_s), export, writable, bitmap, closed)


class NbdDisk:
    """A disk behind a server."""

    def __init__(
        self,
        connection: Connection,
        export: Export,
        writable: bool,
        bitmap: str,
        closed: Callable[[], object] = lambda: None,
    ) -> None:
        self._connection = connection
        self._export = export
        self._writable = writable
        self._bitmap = bitmap
        self._closed = closed
        self._poison = ""

    @property
    def size_bytes(self) -> int:
        """Size of the disk."""
        return self._export.size_bytes

    @property
    def sector_bytes(self) -> int:
        """Smallest run the server reads or writes, at least 512."""
        return self._export.sector_bytes

    @property
    def bitmaps(self) -> tuple[str, ...]:
        """Names of the dirty bitmaps the server offers; untrusted text."""
        prefix = numbers.BITMAP_PREFIX
        names = self._export.contexts.values()
        return tuple(name.removeprefix(prefix) for name in names if name.startswith(prefix))

    @property
    def can_flush(self) -> bool:
        """Whether the server promises that what is written is durable once it has flushed."""
        return bool(self._export.can & Can.FLUSH)

    @property
    def knows_holes(self) -> bool:
        """Whether the server tells what is allocated."""
        return numbers.ALLOCATION in self._export.contexts.values()

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` from ``offset``; raises OSError, never returns short."""
        self._check(offset, len(buffer))
        grain = self._export.grain_bytes
        low, high = offset // grain * grain, -(-(offset + len(buffer)) // grain) * grain
        if (low, high) == (offset, offset + len(buffer)):
            self._read(buffer.cast("B"), offset)
            return
        around = memoryview(bytearray(min(high, self.size_bytes) - low))
        self._read(around, low)
        buffer[:] = around[offset - low : offset - low + len(buffer)]

    def _read(self, buffer: memoryview, offset: int) -> None:
        piece = self._export.piece_bytes
        self._connection.do_all(
            [
                (Request(Command.READ, offset + at, len(part), part), 0, None)
                for at in range(0, len(buffer), piece)
                for part in (buffer[at : at + piece],)
            ]
        )

    def write(self, data: bytes | bytearray | memoryview, offset: int, durable: bool = False) -> None:
        """Write all of ``data``; ``durable`` returns only when it is. Raises OSError."""
        view = memoryview(data).cast("B")
        self._check_change(offset, len(view))
        piece, fua = self._export.piece_bytes, bool(self._export.can & Can.FUA)
        flags = numbers.FLAG_FUA if durable and fua else 0
        self._connection.do_all(
            [
                (Request(Command.WRITE, offset + at, len(part)), flags, part)
                for at in range(0, len(view), piece)
                for part in (view[at : at + piece],)
            ]
        )
        if durable and not fua:
            self.flush()

    def zero(self, offset: int, length: int, hole: bool = True) -> None:
        """Make a run read as zeros; ``hole`` False keeps its space. Raises OSError."""
        self._check_change(offset, length)
        if self._export.can & Can.WRITE_ZEROES:
            flags = 0 if hole else numbers.FLAG_NO_HOLE
            self._runs(Command.WRITE_ZEROES, offset, length, flags)
            return
        for start in range(offset, offset + length, len(_ZEROS)):
            self.write(_ZEROS[: min(len(_ZEROS), offset + length - start)], start)

    def trim(self, offset: int, length: int) -> None:
        """Say that a run is not needed; what it reads as is unknown then. Raises OSError."""
        self._check_change(offset, length)
        if self._export.can & Can.TRIM:
            self._runs(Command.TRIM, offset, length, 0)

    def _runs(self, command: Command, offset: int, length: int, flags: int) -> None:
        for start in range(offset, offset + length, _ZEROES_AT_ONCE):
            size = min(_ZEROES_AT_ONCE, offset + length - start)
            self._connection.do(Request(command, start, size), flags)

    def flush(self) -> None:
        """Return only when everything written is durable; a failure is final for this object."""
        self._check(0, 0)
        if not self._export.can & Can.FLUSH:
            raise OSError(errno.EOPNOTSUPP, "the server cannot flush, nothing written is known to be durable")
        try:
            self._connection.do(Request(Command.FLUSH, 0, 0))
        except OSError as error:
            self._poison = error.strerror or "unknown reason"
            raise

    def areas(self) -> Iterator[Area]:
        """Yield what the disk holds and, with a bitmap, what changed; raises OSError."""
        self._check(0, 0)
        return joined(self._areas())

    def _areas(self) -> Iterator[Area]:
        at, grain = 0, self._export.grain_bytes
        if not self._export.contexts:
            yield from areas_in(self._export, {}, 0, self.size_bytes, self._bitmap)
            return
        while at < self.size_bytes:
            request = Request(Command.BLOCK_STATUS, at, min(_ASK_AT_ONCE, self.size_bytes - at))
            self._connection.do(request)
            start = at
            for area in areas_in(self._export, request.states, at, request.length, self._bitmap):
                yield area
                at = area.end
            if at % grain and at < self.size_bytes:
                raise ProtocolError(f"a state that begins at {start} ends inside a block")

    def allocated(self) -> Iterator[tuple[int, int]]:
        """Yield ascending (offset, length) runs that may hold data; the rest reads as zeros."""
        return data_runs(self.areas())

    def close(self) -> None:
        """Close the connection; closing twice is not an error."""
        self._connection.close()
        self._closed()

    def _check_change(self, offset: int, length: int) -> None:
        if not self._writable:
            raise OSError(errno.EROFS, "the disk is open for reading only")
        self._check(offset, length)
        grain = self._export.grain_bytes
        if offset % grain or length % grain:
            raise OSError(errno.EINVAL, f"this disk is written in multiples of {grain} bytes")

    def _check(self, offset: int, length: int) -> None:
        if self._poison:
            raise OSError(
                errno.EIO, f"the disk failed to flush before ({self._poison}), its content is unknown"
            )
        if offset < 0 or length < 0 or offset + length > self.size_bytes:
            raise OSError(errno.EINVAL, f"{offset}+{length} lies outside a disk of {self.size_bytes} bytes")
