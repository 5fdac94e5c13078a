"""Progress logs as files: appended with a sync, replaced by rename.

One file per volume in the receiver's store, named by a digest of the volume, never by its name.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from planner.names import content_id


class LogFile:
    """A log store in one file. A failed sync is not retried: the error ends the conversation."""

    def __init__(self, directory: Path, volume: str) -> None:
        self._path = directory / f"{content_id(volume)}.progress"

    def read(self) -> bytes:
        """Return the file's bytes, empty when there is none."""
        try:
            return self._path.read_bytes()
        except FileNotFoundError:
            return b""

    def append(self, data: bytes) -> None:
        """Append and sync; raises OSError."""
        fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            _write_all(fd, data)
            os.fdatasync(fd)
        finally:
            os.close(fd)

    def replace(self, data: bytes) -> None:
        """Put ``data`` in the place of the file, atomically and durably; raises OSError."""
        _put(self._path, data)

    def set_aside(self, data: bytes) -> None:
        """Keep a damaged log beside the new one; an older damaged one is replaced."""
        _put(self._path.with_suffix(".damaged"), data)


class LookedAt(LogFile):
    """The log of a volume that somebody else may be writing; nothing is changed here."""

    def append(self, _data: bytes) -> None:
        """Refuse."""
        raise OSError(errno.EROFS, "a log that is looked at is not written")

    def replace(self, _data: bytes) -> None:
        """Do nothing: a tail that looks torn may be half written."""

    def set_aside(self, _data: bytes) -> None:
        """Do nothing."""


def _write_all(fd: int, data: bytes) -> None:
    done = 0
    while done < len(data):
        done += os.write(fd, data[done:])


def _put(path: Path, data: bytes) -> None:
    fd, temporary = tempfile.mkstemp(dir=path.parent, prefix=".progress-")
    try:
        try:
            _write_all(fd, data)
            os.fsync(fd)
        finally:
            os.close(fd)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(temporary).unlink()
        raise
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
