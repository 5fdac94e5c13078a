"""An image: a disk as it was at a checkpoint, read from its replica and the journal over it.

It is open at once: indexes are read, or made, when a read comes to them. What it holds stays while the
group goes on: a lease keeps promotion and trim away from it.
"""

from __future__ import annotations

import errno
import os
from bisect import bisect_right
from collections.abc import Iterator

from migrate.disks.ports import ReadableDisk
from migrate.journal.leases import Lease
from migrate.journal.overlay import Indexes, Overlay


class Image:
    """Disk ``number`` at the checkpoint of ``lease``; a ReadableDisk, for one thread at a time.

    It owns the lease and the replica, and gives both back when it is closed.
    """

    def __init__(self, number: int, replica: ReadableDisk, lease: Lease, indexes: Indexes) -> None:
        self._replica = replica
        self._lease = lease
        self._overlay = Overlay(number, replica, indexes)
        count = bisect_right(lease.frames, lease.record, key=lambda ref: ref.header.first)
        self._overlay.follow(lease.frames, count, ends=True)

    @property
    def size_bytes(self) -> int:
        """Size of the disk."""
        return self._replica.size_bytes

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` from ``offset``; raises OSError, JournalCorrupt where the journal is broken."""
        if offset < 0 or offset + len(buffer) > self.size_bytes:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self._overlay.read_into(buffer, offset)

    def allocated(self) -> Iterator[tuple[int, int]]:
        """Yield ascending (offset, length) runs that may hold data; the rest reads as zeros."""
        return iter(self._overlay.allocated())

    def close(self) -> None:
        """Close the replica and give the lease back."""
        self._replica.close()
        self._lease.close()
