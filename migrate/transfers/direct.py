"""One disk as a source, by path or address, with no site around it."""

from __future__ import annotations

from contextlib import closing

from migrate.disks.opening import open_disk
from migrate.disks.ports import ReadableDisk


class OneDisk:
    """Reads the one disk, whatever the receiver calls it."""

    def __init__(self, where: str) -> None:
        self._where = where

    def size_bytes(self) -> int:
        """Return the size of the disk; raises BadInput, Unreachable."""
        with closing(open_disk(self._where).disk) as disk:
            return disk.size_bytes

    def open_read(self, volume: str, snapshot: str | None = None) -> ReadableDisk:
        """Open the disk; raises BadInput, Unreachable."""
        return open_disk(self._where).disk
