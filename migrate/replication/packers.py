"""The zstd packers of one process: as many as can be at work at once, lent out for a block each.

One of a high level is several MiB large, so threads keep none of their own. Who waits for one waits for
a processor, and never for a disk or a line.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from migrate.replication.wire import BLOCK_MAX, WINDOW_MAX

if TYPE_CHECKING:
    from zstandard import ZstdCompressor


class Packers:
    """At most ``most`` packers; thread-safe."""

    def __init__(self, most: int) -> None:
        self._places = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[tuple[int, ZstdCompressor]] = []  # by level, the last one used at the end

    @contextmanager
    def lent(self, level: int) -> Iterator[ZstdCompressor]:
        """Have a packer of that level for the block; another level's may have to go for it."""
        with self._places:
            packer = self._taken(level) or _made(level)
            try:
                yield packer
            finally:
                with self._lock:
                    self._idle.append((level, packer))

    def _taken(self, level: int) -> ZstdCompressor | None:
        """Return one of that level, None when there is none; there are no more of them than places."""
        with self._lock:
            for at in range(len(self._idle) - 1, -1, -1):
                if self._idle[at][0] == level:
                    return self._idle.pop(at)[1]
            if self._idle:
                del self._idle[0]
            return None


def _made(level: int) -> ZstdCompressor:
    import zstandard

    shape = zstandard.ZstdCompressionParameters.from_level(level, source_size=BLOCK_MAX)
    assert 1 << shape.window_log <= WINDOW_MAX
    return zstandard.ZstdCompressor(compression_params=shape)


OURS: Final = Packers(2 * (os.cpu_count() or 1))
