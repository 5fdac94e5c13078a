"""A disk of a group while a conversation holds it: the group hears of writes, and when it is let go."""

from __future__ import annotations

from collections.abc import Callable

from migrate.disks.ports import Cached, WritableDisk


class HeldDisk:
    """A WritableDisk that calls ``part`` before each write, and ``let_go`` once when it is closed."""

    def __init__(self, disk: WritableDisk, part: Callable[[], None], let_go: Callable[[], None]) -> None:
        self._disk = disk
        self._part = part
        self._let_go: Callable[[], None] | None = let_go
        self.read_into, self.allocated, self.flush = disk.read_into, disk.allocated, disk.flush
        if isinstance(disk, Cached):
            self.trust, self.stamp = disk.trust, disk.stamp

    def write(self, data: bytes | memoryview, offset: int) -> None:
        self._part()
        self._disk.write(data, offset)

    def zero(self, offset: int, length: int) -> None:
        self._part()
        self._disk.zero(offset, length)

    @property
    def size_bytes(self) -> int:
        return self._disk.size_bytes

    def close(self) -> None:
        self._disk.close()
        let_go, self._let_go = self._let_go, None
        if let_go is not None:
            let_go()
