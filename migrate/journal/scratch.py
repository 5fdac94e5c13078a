"""Scratch: writes over a disk that must not change, in a file that goes when nobody needs it.

Pages are copied up when they are first written to. Which ones were is known in memory only: a scratch
is of one process, and its file has no name.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from migrate.disks.flat import punch_hole
from migrate.disks.ports import ReadableDisk
from migrate.journal.pages import PAGE, Pages
from migrate.replication.extents import merge
from migrate.sites.ports import Extent

_UNLIMITED: Final = 2**62


class Scratch:
    """A WritableDisk over ``under``, which it owns. For one thread at a time.

    It takes up to ``limit_bytes`` of ``folder``; a write beyond that fails with ENOSPC and changes nothing.
    """

    def __init__(self, under: ReadableDisk, folder: Path, limit_bytes: int = _UNLIMITED) -> None:
        """Make the file; raises OSError."""
        self._under = under
        self._limit = limit_bytes
        self._pages = Pages()
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115, it lives as long as we do
        self._fd = self._file.fileno()
        self._file.truncate(-(-under.size_bytes // PAGE) * PAGE)

    @property
    def size_bytes(self) -> int:
        """Size of the disk."""
        return self._under.size_bytes

    @property
    def used_bytes(self) -> int:
        """What it takes, in bytes of whole pages."""
        return self._pages.count * PAGE

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer``; raises OSError."""
        end = self._end(offset, len(buffer))
        if not len(buffer):
            return
        for first, last, held in self._pages.runs(offset // PAGE, (end - 1) // PAGE):
            low, high = max(first * PAGE, offset), min((last + 1) * PAGE, end)
            part = buffer[low - offset : high - offset]
            if held:
                self._read(part, low)
            else:
                self._under.read_into(part, low)

    def allocated(self) -> Iterator[tuple[int, int]]:
        """Yield ascending (offset, length) runs that may hold data."""
        own = (Extent(first * PAGE, (last + 1 - first) * PAGE) for first, last in self._pages.held())
        for run in merge((*(Extent(*run) for run in self._under.allocated()), *own)):
            yield run.offset, min(run.end, self.size_bytes) - run.offset

    def write(self, data: bytes | memoryview, offset: int) -> None:
        """Write all of ``data`` to the scratch; raises OSError."""
        view = memoryview(data).cast("B")
        self._claim(offset, self._end(offset, len(view)))
        self._put(view, offset)

    def zero(self, offset: int, length: int) -> None:
        """Make a run read as zeros; raises OSError."""
        self._claim(offset, self._end(offset, length))
        if length:
            punch_hole(self._fd, offset, length)

    def flush(self) -> None:
        """Do nothing: what is written here is of this process, and goes with it."""

    def close(self) -> None:
        """Forget what was written, and close what is below."""
        self._file.close()
        self._under.close()

    def _claim(self, offset: int, end: int) -> None:
        """Hold the pages of a run; of those it covers in part, what is below comes up first."""
        if offset == end:
            return
        first, last = offset // PAGE, (end - 1) // PAGE
        if self.used_bytes + self._pages.missing(first, last) * PAGE > self._limit:
            raise OSError(errno.ENOSPC, f"the scratch is full at {self._limit} bytes")
        for page in {first, last}:
            covered = offset <= page * PAGE and end >= min((page + 1) * PAGE, self.size_bytes)
            if page not in self._pages and not covered:
                buffer = bytearray(min(PAGE, self.size_bytes - page * PAGE))
                self._under.read_into(memoryview(buffer), page * PAGE)
                self._put(memoryview(buffer), page * PAGE)
        self._pages.add(first, last)

    def _put(self, view: memoryview, offset: int) -> None:
        done = 0
        while done < len(view):
            done += os.pwrite(self._fd, view[done:], offset + done)

    def _read(self, buffer: memoryview, offset: int) -> None:
        done = 0
        while done < len(buffer):
            done += os.preadv(self._fd, [buffer[done:]], offset + done)

    def _end(self, offset: int, length: int) -> int:
        if offset < 0 or offset + length > self.size_bytes:
            raise OSError(errno.EINVAL, "it lies outside the disk")
        return offset + length
