"""A disk behind another one's face: read as it is, with one thing more to ask of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from migrate.disks.ports import ReadableDisk


class _Through:
    """A disk as it is."""

    def __init__(self, disk: ReadableDisk) -> None:
        self._disk = disk

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


class LiveDisk(_Through):
    """A disk, and whether it is to give way (``GivesWay``)."""

    def __init__(self, disk: ReadableDisk, is_wanted: Callable[[], bool]) -> None:
        super().__init__(disk)
        self.is_wanted = is_wanted


class FrozenDisk(_Through):
    """A disk, and whether the snapshot that holds it still stands (``Frozen``)."""

    def __init__(self, disk: ReadableDisk, must_stand: Callable[[], None]) -> None:
        super().__init__(disk)
        self.must_stand = must_stand
