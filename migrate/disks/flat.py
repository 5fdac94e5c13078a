"""A flat disk: one file or block device whose byte N is the disk's byte N.

Reads and writes are whole or raise OSError. A failed flush poisons the object: the kernel may have
dropped the pages already, so trying again would report success for lost data.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import stat
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from migrate.disks.areas import Area, areas_of
from migrate.disks.stamp import stamp_of
from planner.units import SECTOR

_KEEP_SIZE, _PUNCH_HOLE, _ZERO_RANGE = 0x01, 0x02, 0x10
_BLKSSZGET, _BLKGETSIZE64 = 0x1268, 0x80081272
_UNSUPPORTED = {errno.EOPNOTSUPP, errno.ENOSYS, errno.ENODEV}
_ZEROS = bytes(1024 * 1024)
_MUCH = 8 * 1024 * 1024
_RUNS_MAX = 4096

_libc = ctypes.CDLL(None, use_errno=True)
_libc.fallocate.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)


def punch_hole(fd: int, offset: int, length: int) -> None:
    """Make a run of a file read as zeros and give its space back; raises OSError."""
    _fallocate(fd, _PUNCH_HOLE | _KEEP_SIZE, offset, length)


def zero_range(fd: int, offset: int, length: int) -> None:
    """Make a run of a file or device read as zeros, its space kept; raises OSError."""
    _fallocate(fd, _ZERO_RANGE | _KEEP_SIZE, offset, length)


def _fallocate(fd: int, mode: int, offset: int, length: int) -> None:
    while _libc.fallocate(fd, mode, offset, length):
        code = ctypes.get_errno()
        if code != errno.EINTR:
            raise OSError(code, os.strerror(code))


def _measured(fd: int) -> tuple[int, int]:
    """Return size and sector size of a file or block device; raises OSError for anything else."""
    mode = os.fstat(fd).st_mode
    if stat.S_ISREG(mode) or stat.S_ISCHR(mode):
        return os.lseek(fd, 0, os.SEEK_END), SECTOR
    if not stat.S_ISBLK(mode):
        raise OSError(errno.ENOTBLK, "it is neither a file nor a device")
    size = struct.unpack("Q", fcntl.ioctl(fd, _BLKGETSIZE64, bytes(8)))[0]
    return int(size), int(struct.unpack("i", fcntl.ioctl(fd, _BLKSSZGET, bytes(4)))[0])


class FlatDisk:
    """A raw file or device as a disk. Reads, and writes to disjoint runs, may come from any thread."""

    def __init__(
        self,
        path: Path,
        writable: bool = False,
        clearing: tuple[Callable[[int, int, int], None], ...] = (punch_hole, zero_range),
        spares: bool = False,
    ) -> None:
        """Open ``path``; symbolic links are refused. Raises OSError.

        ``clearing`` are the ways to zero a run without writing it, tried in order. What is opened to write
        is read from its medium; with ``spares`` from memory, if ``trust`` says so before the first read.
        """
        access = os.O_RDWR if writable else os.O_RDONLY
        # A pipe by that name must not keep us waiting for its writer.
        self._fd = os.open(path, access | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            self._size, self._sector = _measured(self._fd)
        except OSError:
            os.close(self._fd)
            raise
        self._writable = writable
        self._doubted = False
        self._doubting = threading.Lock()
        if writable and spares:
            self._doubted = True
        elif writable:
            self._forget()
        self._clearing = clearing
        self._cached = 0  # bytes written since the last flush, about
        self._runs: list[tuple[int, int]] = []  # in which order they came, at most so many
        self._poison = ""

    def trust(self, stamp: str) -> bool:
        """Read from memory what is there if ``stamp`` still is that of the file, else from the medium."""
        with self._doubting:
            if not self._doubted:
                return False
            trusted = bool(stamp) and stamp == stamp_of(self._fd)
            if not trusted:
                self._forget()
            self._doubted = False  # not before: others read beside us
            return trusted

    def stamp(self) -> str:
        """Return what ``trust`` may be told later, empty when there is nothing to vouch for.

        For who knows that all is flushed, and that no flush failed since the disk was opened.
        """
        return stamp_of(self._fd) if self._writable and not self._doubted and not self._poison else ""

    def _forget(self, offset: int = 0, length: int = 0) -> None:
        """Have a run, or all, come from the medium from now on, unless it is still to be written.

        After a failed flush the kernel calls the lost pages clean and goes on showing them. Whoever was
        told of it may have died since, so nobody who opens a disk to write may trust them, unless somebody
        vouches for them.
        """
        with contextlib.suppress(OSError):  # not every kind of file has a cache
            os.posix_fadvise(self._fd, offset, length, os.POSIX_FADV_DONTNEED)

    @property
    def size_bytes(self) -> int:
        """Size of the disk."""
        return self._size

    @property
    def sector_bytes(self) -> int:
        """Logical sector of the device; a file's is 512."""
        return self._sector

    def fileno(self) -> int:
        """Return the file descriptor, for locks that shall live as long as the disk is open."""
        return self._fd

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` from ``offset``; raises OSError, never returns short."""
        self._check(offset, len(buffer))
        if self._doubted:
            self.trust("")
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

    def areas(self) -> Iterator[Area]:
        """Yield what the disk holds, data and holes, from its first byte to its last."""
        return areas_of(self.allocated(), self._size)

    def write(self, data: bytes | bytearray | memoryview, offset: int) -> None:
        """Write all of ``data`` inside the disk; raises OSError, never writes short silently."""
        view = memoryview(data).cast("B")
        self._check(offset, len(view))
        done = 0
        while done < len(view):
            done += os.pwrite(self._fd, view[done:], offset + done)
        self._cached += len(view)
        self._note(offset, len(view))

    def _note(self, offset: int, length: int) -> None:
        runs = self._runs  # a flush may put another one there
        if runs and sum(runs[-1]) == offset:
            runs[-1] = (runs[-1][0], runs[-1][1] + length)
        elif len(runs) < _RUNS_MAX:
            runs.append((offset, length))

    def zero(self, offset: int, length: int) -> None:
        """Make a run read as zeros, as a hole where the file system can; raises OSError."""
        self._check(offset, length)
        if not length:
            return
        for clear in self._clearing:
            try:
                clear(self._fd, offset, length)
                return
            except OSError as error:
                # A device also says EINVAL, to runs that are not whole sectors.
                if error.errno not in {errno.EINVAL, *_UNSUPPORTED}:
                    raise
        for start in range(offset, offset + length, len(_ZEROS)):
            self.write(memoryview(_ZEROS)[: min(len(_ZEROS), offset + length - start)], start)

    def flush(self) -> None:
        """Return only when everything written is durable; a failure is final for this object."""
        self._check(0, 0)
        cached, self._cached = self._cached, 0
        runs, self._runs = self._runs, []
        try:
            os.fdatasync(self._fd)
        except OSError as error:
            self._poison = error.strerror or "unknown reason"
            raise
        if cached >= _MUCH:  # else a first copy pushes all else out of memory, and pays for it
            for offset, length in runs:
                self._forget(offset, length)

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
