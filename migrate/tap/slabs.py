"""Memory for what was written and is not at the target yet, mapped by the process that packs it as well.

It is given out in slabs, the lowest free ones first: a tap whose target keeps up uses, and keeps warm,
little of what it may have.
"""

from __future__ import annotations

import mmap
import os
import weakref
from typing import Final

from planner.units import KIB

SLAB: Final = 64 * KIB


class Slabs:
    """``size_bytes`` of memory. ``fd`` is a file descriptor to map it by, ``view`` is it here.

    For one thread at a time.
    """

    def __init__(self, size_bytes: int) -> None:
        self.size_bytes = size_bytes
        self.fd = os.memfd_create("wherry-tap", os.MFD_CLOEXEC)
        weakref.finalize(self, os.close, self.fd)
        os.ftruncate(self.fd, size_bytes)
        self.view = mapped(self.fd, size_bytes)
        self._used = bytearray(size_bytes // SLAB)

    def take(self, length: int) -> tuple[int, int]:
        """Return a run (begin, end) of at least so many bytes, (0, 0) when there is none."""
        count = -(-length // SLAB)
        first = self._used.find(bytes(count))
        if first < 0:
            return 0, 0
        self._used[first : first + count] = b"\1" * count
        return first * SLAB, (first + count) * SLAB

    def give_back(self, begin: int, end: int) -> None:
        """Have a run back."""
        self._used[begin // SLAB : end // SLAB] = bytes((end - begin) // SLAB)


def mapped(fd: int, size_bytes: int) -> memoryview:
    """Map memory of slabs by its descriptor, which may be closed then; raises OSError."""
    return memoryview(mmap.mmap(fd, size_bytes))
