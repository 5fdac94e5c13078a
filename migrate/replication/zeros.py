"""Find zeros fast: whole blocks by ``memcmp``, without copying.

The grain is 64 KiB: a run of zeros shorter than that is sent as data, where compression takes care
of it. A bytearray compares at memory speed, a memoryview fifty times slower, hence the types.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from planner.units import KIB, MIB

GRAIN = 64 * KIB
ZERO_MIB = bytes(MIB)


class Memory(Protocol):
    """A bytearray, or a buffer of blocks."""

    def startswith(self, prefix: bytes, start: int, end: int, /) -> bool: ...


def is_zero(buffer: Memory, start: int, end: int) -> bool:
    """True when ``buffer[start:end]`` is all zeros; at most 1 MiB at a time."""
    length = end - start
    zeros = ZERO_MIB if length == MIB else ZERO_MIB[:length]
    return buffer.startswith(zeros, start, end)


def zero_runs(buffer: Memory, length: int, grain: int = GRAIN) -> Iterator[tuple[int, int, bool]]:
    """Yield (start, end, is zero) runs that cover ``buffer[:length]``, in steps of ``grain``."""
    zeros = ZERO_MIB[:grain]
    start, kind = 0, False
    for at in range(0, length, grain):
        end = min(at + grain, length)
        zero = buffer.startswith(zeros if end - at == grain else zeros[: end - at], at, end)
        if at == 0:
            kind = zero
        elif zero != kind:
            yield start, at, kind
            start, kind = at, zero
    if length:
        yield start, length, kind
