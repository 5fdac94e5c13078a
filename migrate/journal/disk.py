"""A disk whose writes go to its group's journal: what a receiver opens in place of the replica.

It reads as the newest content, durable or not, and ``flush`` makes durable what the whole group wrote.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from typing import Final

from migrate.disks.ports import ReadableDisk
from migrate.journal.log import Log
from migrate.journal.overlay import Indexes, Overlay
from migrate.journal.reading import FrameReader
from migrate.journal.writes import Write

_RUN_MAX: Final = 2**31  # bytes of one record


class JournalledDisk:
    """Disk ``number`` of a group; a WritableDisk. It owns ``replica``, which it only reads."""

    def __init__(
        self, number: int, replica: ReadableDisk, log: Log, reader: FrameReader | None = None
    ) -> None:
        """Without a ``reader`` what others read of the log is known."""
        self._number = number
        self._replica = replica
        self._log = log
        self._overlay = Overlay(number, replica, Indexes(reader or log.reader))
        self._lock = threading.Lock()  # readers share the overlay

    @property
    def size_bytes(self) -> int:
        """Size of the disk."""
        return self._replica.size_bytes

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` from ``offset``; raises OSError, JournalCorrupt."""
        self._check(offset, len(buffer))
        with self._lock, self._log.reading() as (frames, count):
            self._overlay.follow(frames, count)
            self._overlay.read_into(buffer, offset)

    def allocated(self) -> Iterator[tuple[int, int]]:
        """Yield ascending (offset, length) runs that may hold data."""
        with self._lock, self._log.reading() as (frames, count):
            self._overlay.follow(frames, count)
            runs = self._overlay.allocated()
        return iter(runs)

    def write(self, data: bytes | memoryview, offset: int) -> None:
        """Append a write; raises OSError, JournalFailed."""
        self._check(offset, len(data))
        self._log.join(Write(self._number, offset, len(data), data))

    def zero(self, offset: int, length: int) -> None:
        """Append that a run reads as zeros; raises OSError, JournalFailed."""
        self._check(offset, length)
        end = offset + length
        for at in range(offset, end, _RUN_MAX):
            self._log.join(Write(self._number, at, min(_RUN_MAX, end - at)))

    def flush(self) -> None:
        """Return when all that was written is durable; raises OSError, JournalFailed."""
        self._log.commit()

    def close(self) -> None:
        """Close the replica; the log is the group's."""
        self._replica.close()

    def _check(self, offset: int, length: int) -> None:
        if offset < 0 or offset + length > self.size_bytes:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
