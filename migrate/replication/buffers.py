"""Memory for blocks, in huge pages where the system lends them: reading and hashing take a fifth less there.

Two blocks share a huge page, so what one pass leaves of it another one takes. Without huge pages it is
memory as any other.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
from typing import Final

from planner.units import MIB

BUFFER_BYTES: Final = MIB
_HUGE: Final = 2 * MIB
_memcmp = ctypes.PyDLL(None).memcmp  # it keeps the interpreter: giving that away would cost more
_memcmp.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)
_spare: list[Buffer] = []


class Buffer:
    """``BUFFER_BYTES`` of memory, written and read through ``view``; free when nobody refers to either."""

    __slots__ = ("_address", "view")

    def __init__(self, memory: mmap.mmap, start: int, address: int) -> None:
        self.view = memoryview(memory)[start : start + BUFFER_BYTES]
        self._address = address + start

    def startswith(self, prefix: bytes, start: int, end: int) -> bool:
        """True when the bytes from ``start`` to ``end`` are ``prefix``, which is as long."""
        assert 0 <= start <= end <= BUFFER_BYTES
        assert len(prefix) == end - start
        # most blocks are told apart by their first byte, and a call into the library costs more
        if start < end and self.view[start] != prefix[0]:
            return False
        return not _memcmp(self._address + start, prefix, end - start)


def lend() -> Buffer:
    """Return a buffer nobody else has; its content is anything. Thread-safe."""
    with contextlib.suppress(IndexError):
        return _spare.pop()
    # What lies outside the one huge page is never touched. Not shared, as it is unless one says so: a process
    # that is forked would have the same memory, and shared memory comes in huge pages hardly anywhere.
    memory = mmap.mmap(-1, 2 * _HUGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    start = -address % _HUGE
    with contextlib.suppress(OSError):  # a kernel without huge pages
        memory.madvise(mmap.MADV_HUGEPAGE, start, _HUGE)
    _spare.append(Buffer(memory, start + BUFFER_BYTES, address))
    return Buffer(memory, start, address)
