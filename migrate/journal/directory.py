"""Segments as files of one folder, named by their number, and beside each what may be lost."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Sequence
from pathlib import Path

_SUFFIX = ".segment"
_ASIDE = ".index"


class DirectoryFiles:
    """The segments in ``folder``, which has to exist; see ``migrate.journal.files.Files``.

    A segment whose sync failed refuses every further one: the kernel may have dropped its pages, and
    would call the next sync a success. ``close`` it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[int, int] = {}
        self._failed: set[int] = set()
        self._opening = threading.Lock()

    def numbers(self) -> list[int]:
        """Return the numbers of the segments, ascending; raises OSError."""
        return self._numbered(_SUFFIX)

    def size(self, number: int) -> int:
        """Return the bytes of a segment; raises OSError."""
        return os.fstat(self._fd(number)).st_size

    def read(self, number: int, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes, fewer only at the end; raises OSError."""
        parts = []
        while length:
            part = os.pread(self._fd(number), length, offset)
            if not part:
                break
            parts.append(part)
            offset, length = offset + len(part), length - len(part)
        return b"".join(parts)

    def create(self, number: int) -> None:
        """Make an empty segment; raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            self.delete(number)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._open[number] = os.open(self._path(number), flags, 0o600)
        self._failed.discard(number)

    def append(self, number: int, parts: Sequence[bytes | memoryview]) -> None:
        """Append all parts, whole; raises OSError."""
        fd = self._fd(number)
        left = [memoryview(part).cast("B") for part in parts if len(part)]
        while left:
            wrote = os.writev(fd, left)
            while left and wrote >= len(left[0]):
                wrote -= len(left.pop(0))
            if wrote:
                left[0] = left[0][wrote:]

    def sync(self, number: int) -> None:
        """Return when a segment is durable; raises OSError, once and for ever."""
        if number in self._failed:
            raise OSError(errno.EIO, "the segment failed to sync before, what it holds is unknown")
        try:
            os.fdatasync(self._fd(number))
        except BaseException:
            self._failed.add(number)
            raise

    def sync_names(self) -> None:
        """Return when it is durable which segments there are; raises OSError."""
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def settle(self, number: int) -> None:
        """Sync a segment of an earlier process and forget what the kernel remembers of it; raises OSError."""
        self.sync(number)
        with contextlib.suppress(OSError):  # not every file system has a cache
            os.posix_fadvise(self._fd(number), 0, 0, os.POSIX_FADV_DONTNEED)

    def delete(self, number: int) -> None:
        """Delete a segment and what is beside it; raises OSError."""
        self._path(number, _ASIDE).unlink(missing_ok=True)
        self._path(number).unlink()
        fd = self._open.pop(number, -1)
        if fd >= 0:
            os.close(fd)

    def read_aside(self, number: int) -> bytes:
        """Return what is kept beside a segment, nothing when it cannot be read."""
        with (
            contextlib.suppress(OSError),
            open(self._path(number, _ASIDE), "rb", buffering=0, opener=_unfollowed) as file,
        ):
            return file.readall() or b""
        return b""

    def write_aside(self, number: int, data: bytes) -> None:
        """Keep something beside a segment; raises OSError. What lost its segment goes on this occasion."""
        half = self._path(number, _ASIDE + ".half")
        half.unlink(missing_ok=True)
        with open(half, "xb", buffering=0, opener=_unfollowed) as file:
            if file.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        half.replace(self._path(number, _ASIDE))
        for left in {*self._numbered(_ASIDE)} - {*self.numbers()}:
            self._path(left, _ASIDE).unlink(missing_ok=True)

    def close(self) -> None:
        """Close every segment."""
        while self._open:
            os.close(self._open.popitem()[1])

    def _numbered(self, suffix: str) -> list[int]:
        names = (path.name for path in self._folder.iterdir())
        stems = (name.removesuffix(suffix) for name in names if name.endswith(suffix))
        return sorted(int(stem) for stem in stems if len(stem) == 10 and stem.isascii() and stem.isdigit())

    def _path(self, number: int, suffix: str = _SUFFIX) -> Path:
        return self._folder / f"{number:010d}{suffix}"

    def _fd(self, number: int) -> int:
        fd = self._open.get(number, -1)
        if fd < 0:
            with self._opening:  # two who read at once shall not open it twice
                fd = self._open.get(number, -1)
                if fd < 0:
                    flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
                    fd = self._open[number] = os.open(self._path(number), flags)
        return fd


def _unfollowed(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
