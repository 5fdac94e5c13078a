"""One volume as a snapshot froze it, readable from any process while its VM goes on writing.

    VOLUME.cow    sparse: old content of blocks that were overwritten since
    VOLUME.marks  one byte a block, 1 = the old content is in the cow file; byte 0 = still valid

The writer copies a block, marks it, then overwrites it. The reader reads the disk first and looks
at the marks after: what was overwritten meanwhile is marked by then and is read from the copy.
"""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Iterator
from pathlib import Path

from migrate.disks.flat import FlatDisk
from migrate.sites.lab.changes import BLOCK

_FIRST = 4096  # marks of blocks start here; byte 0 is 1 while the snapshot exists


def _map_marks(path: Path, create_bytes: int | None = None) -> mmap.mmap:
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    if create_bytes is not None:
        flags |= os.O_CREAT | os.O_TRUNC
    fd = os.open(path, flags, 0o600)
    try:
        if create_bytes is not None:
            os.ftruncate(fd, create_bytes)
        return mmap.mmap(fd, os.fstat(fd).st_size)
    finally:
        os.close(fd)


class FrozenCopy:
    """The writer's side, held by the hypervisor under its write lock."""

    def __init__(self, folder: Path, stem: str, size_bytes: int, create: bool) -> None:
        """Open the copy of one volume in a snapshot's folder, or create an empty one."""
        blocks = -(-size_bytes // BLOCK)
        cow = folder / f"{stem}.cow"
        if create:
            fd = os.open(cow, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            os.ftruncate(fd, size_bytes)
            os.close(fd)
        self._cow = FlatDisk(cow, writable=True)
        self._marks = _map_marks(folder / f"{stem}.marks", _FIRST + blocks if create else None)
        self._size = size_bytes
        if create:
            self._marks[0] = 1

    def keep(self, base: FlatDisk, offset: int, length: int) -> None:
        """Copy the blocks that a write is about to change, if not copied before; raises OSError."""
        for block in range(offset // BLOCK, -(-(offset + length) // BLOCK)):
            if not self._marks[_FIRST + block]:
                start = block * BLOCK
                buffer = bytearray(min(BLOCK, self._size - start))
                base.read_into(memoryview(buffer), start)
                if buffer.count(0) != len(buffer):  # zeros stay a hole
                    self._cow.write(buffer, start)
                self._marks[_FIRST + block] = 1

    def invalidate(self) -> None:
        """Tell readers that nothing is kept for them any more."""
        self._marks[0] = 0

    def flush(self) -> None:
        """Return when what was kept is durable; raises OSError."""
        self._cow.flush()
        self._marks.flush()

    def close(self) -> None:
        """Let go of the files."""
        self._marks.close()
        self._cow.close()


class FrozenDisk:
    """The reader's side: a disk that does not change. Reads may come from several threads."""

    def __init__(self, base: Path, folder: Path, stem: str) -> None:
        """Open a volume as of a snapshot; raises OSError."""
        self._base = FlatDisk(base)
        try:
            self._cow = FlatDisk(folder / f"{stem}.cow")
            self._marks = _map_marks(folder / f"{stem}.marks")
        except OSError:
            self._base.close()
            raise

    @property
    def size_bytes(self) -> int:
        """Size of the disk."""
        return self._base.size_bytes

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` from ``offset``; raises OSError, also when the snapshot was dropped."""
        self._base.read_into(buffer, offset)
        end = offset + len(buffer)
        first, last = offset // BLOCK, -(-end // BLOCK)
        marks = self._marks[_FIRST + first : _FIRST + last]  # after the read: see above
        position = marks.find(1)
        while position >= 0:
            start = max((first + position) * BLOCK, offset)
            stop = min((first + position + 1) * BLOCK, end)
            self._cow.read_into(buffer[start - offset : stop - offset], start)
            position = marks.find(1, position + 1)
        if not self._marks[0]:
            raise OSError(errno.ESTALE, "the snapshot was dropped while it was read")

    def allocated(self) -> Iterator[tuple[int, int]]:
        """Yield ascending (offset, length) runs that may hold data in the disk or its old blocks."""
        runs = sorted([*self._base.allocated(), *self._cow.allocated()])
        start = end = -1
        for offset, length in runs:
            if offset > end:
                if end > start:
                    yield start, end - start
                start, end = offset, offset + length
            else:
                end = max(end, offset + length)
        if end > start:
            yield start, end - start

    def close(self) -> None:
        """Let go of the files; closing twice is not an error."""
        self._base.close()
        self._cow.close()
        self._marks.close()
