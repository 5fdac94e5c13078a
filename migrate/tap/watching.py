"""A run of a disk that is read while guests write: what of it was written to meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Watch:
    """The bytes from ``offset`` to ``end`` of disk ``disk``."""

    disk: int
    offset: int
    end: int
    is_spoiled: bool = False
    _touched: list[tuple[int, int]] = field(default_factory=list)

    def touch(self, disk: int, start: int, end: int) -> None:
        """A write went there; what it brought is in a record of its own."""
        if disk == self.disk and start < self.end and self.offset < end:
            self._touched.append((start, end))

    def spoil(self, disk: int, start: int, end: int) -> None:
        """What is there is known to nobody: nothing that was read of this run is good for anything."""
        if disk == self.disk and start < self.end and self.offset < end:
            self.is_spoiled = True

    def untouched(self) -> list[tuple[int, int]]:
        """Return the (offset, length) runs that nobody wrote to."""
        if self.is_spoiled:
            return []
        found, at = [], self.offset
        for start, end in sorted(self._touched):
            if start > at:
                found.append((at, start - at))
            at = max(at, end)
        if at < self.end:
            found.append((at, self.end - at))
        return found
