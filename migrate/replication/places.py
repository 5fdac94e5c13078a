"""Who may be at work at a receiver at once: so many in all, and of one key at most half of them.

So whatever one key does, another gets in. Connections that join a pass have places of their own: they
can take none from other disks. So have the streams of taps, which stay for ever.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable

from planner.errors import ProjectBusy

JOINING = 32  # places of connections that join, of all passes together
STREAMING = 64  # places of taps


class Places:
    """So many places; ``each`` are the most of one key. Thread-safe."""

    def __init__(self, most: int, each: int | None = None) -> None:
        self._most = most
        self._each = max(most // 2, 1) if each is None else each
        self._taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    def take(self, key: str) -> Callable[[], None]:
        """Take a place and return what gives it back; raises ProjectBusy."""
        with self._lock:
            if self._taken.total() >= self._most:
                raise ProjectBusy("the receiver has as many peers as it takes", "wait for one to end")
            if self._taken[key] >= self._each:
                raise ProjectBusy(
                    f"the receiver has as many peers with these keys as it takes: {self._each}",
                    "wait for one to end, or send with other keys",
                )
            self._taken[key] += 1
        return lambda: self._give_back(key)

    def _give_back(self, key: str) -> None:
        with self._lock:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]
