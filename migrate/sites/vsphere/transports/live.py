"""A disk that is read ahead of its turn: it says when somebody who goes first wants its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from migrate.disks.ports import ReadableDisk


class LiveDisk:
    """A disk, and whether it is to give way (``GivesWay``)."""

    def __init__(self, disk: ReadableDisk, is_wanted: Callable[[], bool]) -> None:
        self._disk = disk
        self.is_wanted = is_wanted

    @property
    def size_bytes(self) -> int:
        """Size of the disk."""
        return self._disk.size_bytes

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` from ``offset``; raises OSError, never returns short."""
        self._disk.read_into(buffer, offset)

    def allocated(self) -> Iterator[tuple[int, int]]:
        """Yield ascending (offset, length) runs that may hold data."""
        return self._disk.allocated()

    def close(self) -> None:
        """Close the disk."""
        self._disk.close()
