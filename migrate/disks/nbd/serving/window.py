"""What a client has sent and nobody has used yet: one buffer, that holds the next message at least."""

from __future__ import annotations

from typing import Final

from migrate.disks.nbd.serving.negotiation import REQUEST_MAX
from planner.units import KIB, MIB

USUAL: Final = 2 * MIB
_LEAST: Final = 256 * KIB  # of room: with less what is left moves to the beginning


class Window:
    """Bytes from ``start`` to ``end`` of ``view``."""

    def __init__(self) -> None:
        self._buffer = bytearray(USUAL)
        self.view = memoryview(self._buffer)
        self.start = self.end = 0

    def room(self) -> memoryview:
        """Return where the next bytes go."""
        return self.view[self.end :]

    def left(self) -> memoryview:
        """Return what is to be used."""
        return self.view[self.start : self.end]

    def make_room(self, needed: int) -> None:
        """See to it that the next message, of ``needed`` bytes in all, fits, and that more can come."""
        left = self.end - self.start
        size = min(max(USUAL, needed), REQUEST_MAX + USUAL)
        if size != len(self._buffer) and left <= size:
            other = bytearray(size)
            other[:left] = self.left()
            self._buffer, self.view = other, memoryview(other)
        elif left and len(self.view) - self.start >= needed and len(self.view) - self.end >= _LEAST:
            return
        else:
            self.view[:left] = self.left()
        self.start, self.end = 0, left
