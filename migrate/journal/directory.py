"""Segments as files of one folder, named by their number, and beside each what may be lost."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from blake3 import blake3

from migrate.disks.durable import replace_file
from migrate.journal.frames import DIGEST_BYTES, JournalCorrupt
from planner.names import visible
from planner.units import MIB

_SUFFIX = ".segment"
_ASIDE = ".index"
_KEY = "key"
_KEY_APART: Final = 4096  # its copies do not share a page
_MUCH: Final = 4 * MIB
_OPEN_MAX: Final = 256  # segments; a process may have 1,024 files open where nobody changed that


@dataclass(slots=True, eq=False)
class _Open:
    """An open segment: who uses it now, whether it is to be closed after them, how far it is durable."""

    fd: int
    users: int = 0
    gone: bool = False
    synced: int = 0  # bytes, since it was opened


class DirectoryFiles:
    """The segments in ``folder``, which has to exist; see ``migrate.journal.files.Files``.

    A segment whose sync failed refuses every further one: the kernel may have dropped its pages, and
    would call the next sync a success. ``close`` it.
    """

    def __init__(self, folder: Path, random_bytes: Callable[[int], bytes] = os.urandom) -> None:
        self._folder = folder
        self._random_bytes = random_bytes
        self._key = b""
        self._open: dict[int, _Open] = {}  # in the order of their opening
        self._unsynced: set[int] = set()  # whose errors only the open one is told
        self._failed: set[int] = set()
        self._retired = False
        self._lock = threading.Lock()

    @property
    def key(self) -> bytes:
        """The journal's key, a new one where there is no segment; raises JournalCorrupt, OSError."""
        if not self._key:
            self._key = self._read_key() or self._make_key()
        return self._key

    def numbers(self) -> list[int]:
        """Return the numbers of the segments, ascending; raises OSError."""
        return self._numbered(_SUFFIX)

    def size(self, number: int) -> int:
        """Return the bytes of a segment; raises OSError."""
        used = self._use(number)
        try:
            return os.fstat(used.fd).st_size
        finally:
            self._done(used)

    def read(self, number: int, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes, fewer only at the end; raises OSError."""
        parts = []
        used = self._use(number)
        try:
            while length:
                part = os.pread(used.fd, length, offset)
                if not part:
                    break
                parts.append(part)
                offset, length = offset + len(part), length - len(part)
        finally:
            self._done(used)
        return b"".join(parts)

    def create(self, number: int) -> None:
        """Make an empty segment; raises OSError."""
        with contextlib.suppress(FileNotFoundError):
            self.delete(number)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        with self._lock:
            self._open[number] = _Open(os.open(self._path(number), flags, 0o600))
            self._unsynced.add(number)
            self._failed.discard(number)

    def append(self, number: int, parts: Sequence[bytes | memoryview]) -> None:
        """Append all parts, whole; raises OSError."""
        left = [memoryview(part).cast("B") for part in parts if len(part)]
        used = self._use(number, writes=True)
        try:
            while left:
                wrote = os.writev(used.fd, left)
                while left and wrote >= len(left[0]):
                    wrote -= len(left.pop(0))
                if wrote:
                    left[0] = left[0][wrote:]
        finally:
            self._done(used)

    def sync(self, number: int) -> None:
        """Return when a segment is durable; raises OSError, once and for ever."""
        if number in self._failed:
            raise OSError(errno.EIO, "the segment failed to sync before, what it holds is unknown")
        try:
            used = self._use(number)
            try:
                self._unsynced.discard(number)  # what is appended meanwhile brings it back
                begin, end = used.synced, os.fstat(used.fd).st_size
                os.fdatasync(used.fd)
                used.synced = end
                if end - begin >= _MUCH:  # else a catch-up pushes all else out of memory, and pays for it
                    _forget(used.fd, begin, end - begin)
            finally:
                self._done(used)
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
        used = self._use(number)
        try:
            _forget(used.fd)
        finally:
            self._done(used)

    def delete(self, number: int) -> None:
        """Delete a segment and what is beside it; raises OSError."""
        self._path(number, _ASIDE).unlink(missing_ok=True)
        self._path(number).unlink()
        with self._lock:
            self._unsynced.discard(number)
            self._let_go(number)

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
        with self._lock:
            for number in list(self._open):
                self._let_go(number)

    def retire(self) -> None:
        """Close every segment, and keep none open from now on: nobody writes, who still reads opens it."""
        with self._lock:
            self._retired = True
        self.close()

    def _read_key(self) -> bytes:
        """Return the first copy that is whole, nothing when there is no file."""
        path = self._folder / _KEY
        if not path.is_file():
            return b""
        raw = path.read_bytes()
        for start in (0, _KEY_APART):
            key, digest = raw[start : start + 32], raw[start + 32 : start + 32 + DIGEST_BYTES]
            if len(key) == 32 and blake3(key).digest(DIGEST_BYTES) == digest:
                return key
        raise JournalCorrupt(
            f"{visible(str(path), 200)} is broken", "bring it back, nothing is read without it"
        )

    def _make_key(self) -> bytes:
        path = self._folder / _KEY
        if self.numbers():
            raise JournalCorrupt(
                f"{visible(str(path), 200)} is gone", "bring it back, nothing is read without it"
            )
        key = self._random_bytes(32)
        copy = key + blake3(key).digest(DIGEST_BYTES)
        replace_file(path, copy.ljust(_KEY_APART, b"\0") + copy)
        return key

    def _numbered(self, suffix: str) -> list[int]:
        names = (path.name for path in self._folder.iterdir())
        stems = (name.removesuffix(suffix) for name in names if name.endswith(suffix))
        return sorted(int(stem) for stem in stems if len(stem) == 10 and stem.isascii() and stem.isdigit())

    def _path(self, number: int, suffix: str = _SUFFIX) -> Path:
        return self._folder / f"{number:010d}{suffix}"

    def _use(self, number: int, *, writes: bool = False) -> _Open:
        """Return a segment's open file; until it is ``_done`` its number is that of no other file."""
        with self._lock:
            used = self._open.get(number)
            if used is None:
                flags = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
                used = _Open(os.open(self._path(number), flags), gone=self._retired)
                if len(self._open) >= _OPEN_MAX:
                    self._close_one()
                if not self._retired:
                    self._open[number] = used
            used.users += 1
            if writes:
                self._unsynced.add(number)
            return used

    def _done(self, used: _Open) -> None:
        with self._lock:
            used.users -= 1
            if used.gone and not used.users:
                os.close(used.fd)

    def _close_one(self) -> None:
        """Close the one that is open for longest, is not used, and has nothing to be told by."""
        for number, used in self._open.items():
            if not used.users and number not in self._unsynced:
                self._let_go(number)
                return

    def _let_go(self, number: int) -> None:
        used = self._open.pop(number, None)
        if used is not None:
            used.gone = True
            if not used.users:
                os.close(used.fd)


def _unfollowed(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)


def _forget(fd: int, offset: int = 0, length: int = 0) -> None:
    """Have a run of a file, or all of it, come from its medium from now on."""
    with contextlib.suppress(OSError):  # not every file system has a cache
        os.posix_fadvise(fd, offset, length, os.POSIX_FADV_DONTNEED)
