"""A flat disk: one file or block device whose byte N is the disk's byte N.

Reads and writes are whole or raise OSError. A failed flush poisons the object: the kernel may have
dropped the pages already, so trying again would report success for lost data.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from pathlib import Path

_PUNCH_HOLE_KEEP_SIZE = 0x02 | 0x01
_UNSUPPORTED = {errno.EOPNOTSUPP, errno.ENOSYS, errno.ENODEV}
_ZEROS = bytes(1024 * 1024)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def punch_hole(fd: int, offset: int, length: int) -> None:
    """Make a run of a file read as zeros and give its space back; raises OSError."""
    while _libc.fallocate(fd, _PUNCH_HOLE_KEEP_SIZE, offset, length):
        code = ctypes.get_errno()
        if code != errno.EINTR:
            raise OSError(code, os.strerror(code))


class FlatDisk:
    """A raw file or device as a disk. Reads, and writes to disjoint runs, may come from any thread."""

    def __init__(self, path: Path, writable: bool = False) -> None:
        """Open ``path``; symbolic links are refused. Raises OSError."""
        access = os.O_RDWR if writable else os.O_RDONLY
        self._fd = os.open(path, access | os.O_CLOEXEC | os.O_NOFOLLOW)
        self._size = os.lseek(self._fd, 0, os.SEEK_END)
        self._poison = ""

    @property
    def size_bytes(self) -> int:
        """Size of the disk."""
        return self._size

    def fileno(self) -> int:
        """Return the file descriptor, for locks that shall live as long as the disk is open."""
        return self._fd

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` from ``offset``; raises OSError, never returns short."""
        self._check(offset, len(buffer))
        done = 0
        while done < len(buffer):
            got = os.preadv(self._fd, [buffer[done:]], offset + done)
            if not got:
                raise OSError(errno.EIO, "the disk ends before its size")
            done += got

    def allocated(self) -> Iterator[tuple[int, int]]:
        """Yield ascending (offset, length) runs that may hold data; the rest reads as zeros."""
        self._check(0, 0)
        start = 0
        while start < self._size:
            try:
                begin = os.lseek(self._fd, start, os.SEEK_DATA)
                end = os.lseek(self._fd, begin, os.SEEK_HOLE)
            except OSError as error:
                if error.errno == errno.ENXIO:  # only a hole is left
                    return
                if error.errno in {errno.EINVAL, *_UNSUPPORTED}:  # a device: no map of holes
                    yield start, self._size - start
                    return
                raise
            end = min(end, self._size)
            yield begin, end - begin
            start = end

    def write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        """Write all of ``data`` inside the disk; raises OSError, never writes short silently."""
        view = memoryview(data).cast("B")
        self._check(offset, len(view))
        done = 0
        while done < len(view):
            done += os.pwrite(self._fd, view[done:], offset + done)

    def zero(self, offset: int, length: int) -> None:
        """Make a run read as zeros, as a hole where the file system can; raises OSError."""
        self._check(offset, length)
        if not length:
            return
        try:
            punch_hole(self._fd, offset, length)
        except OSError as error:
            if error.errno not in _UNSUPPORTED:
                raise
            for start in range(offset, offset + length, len(_ZEROS)):
                self.write(memoryview(_ZEROS)[: min(len(_ZEROS), offset + length - start)], start)

    def flush(self) -> None:
        """Return only when everything written is durable; a failure is final for this object."""
        self._check(0, 0)
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            self._poison = error.strerror or "unknown reason"
            raise

    def close(self) -> None:
        """Close the file and with it every lock held through it; closing twice is not an error."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _check(self, offset: int, length: int) -> None:
        if self._fd < 0:
            raise OSError(errno.EBADF, "the disk is closed")
        if self._poison:
            raise OSError(
                errno.EIO, f"the disk failed to flush before ({self._poison}), its content is unknown"
            )
        if offset < 0 or length < 0 or offset + length > self._size:
            raise OSError(errno.EINVAL, f"{offset}+{length} lies outside a disk of {self._size} bytes")
