"""How many blocks the passes of one process keep in memory: an even share each, whatever they are at.

Nobody waits for room, so nobody waits for another: a pass may always keep a block or two, and as many as
it can use while there are few of them. Shares are looked up for each block, so they follow within some.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

BLOCKS: Final = 112  # of 1 MiB, of all passes
LEAST: Final = 2


class Room:
    """The room of one process, for ``blocks`` in all; thread-safe."""

    def __init__(self, blocks: int = BLOCKS) -> None:
        self._blocks = blocks
        self._passes = 0
        self._lock = threading.Lock()

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Count as a pass for the block."""
        with self._lock:
            self._passes += 1
        try:
            yield
        finally:
            with self._lock:
                self._passes -= 1

    @property
    def share(self) -> int:
        """How many blocks a pass may keep now."""
        return max(self._blocks // max(self._passes, 1), LEAST)

    def window(self, most: int) -> int:
        """How many of them may be in the making at one stage, 1 to ``most``."""
        return max(min(most, self.share // 4), 1)

    def batch(self, most: int) -> int:
        """How many of them may be made in one go, 1 to ``most``, so that all stages stay within the share."""
        return max(min(most, self.share // 8), 1)

    def ahead(self) -> int:
        """How many of them may wait for an answer."""
        return self.share // 2 - 1


OURS: Final = Room()
