"""How fast a pass goes now, and when it will be done.

The way is cut into stretches of at least two seconds, of which the last 30 are kept. P50 is what is
left at the median rate of these stretches; P95 is what is left at the rate that 95 % of them reached,
as if everything to come went like the slowest of what was seen. Until three stretches are behind,
nobody knows.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

STRETCH_S = 2.0
_KEPT = 30
_LEAST = 3


class Left(NamedTuple):
    """Seconds that are left: half of all passes take no longer than P50, 19 of 20 no longer than P95."""

    p50_s: float
    p95_s: float


class Pace:
    """The recent rates of one pass, on the caller's clock."""

    def __init__(self, now: float) -> None:
        self._at = now
        self._done = 0
        self._rates: deque[float] = deque(maxlen=_KEPT)

    def saw(self, now: float, done_bytes: int) -> None:
        """Note how far the pass is."""
        spent = now - self._at
        if spent >= STRETCH_S:
            self._rates.append((done_bytes - self._done) / spent)
            self._at, self._done = now, done_bytes

    @property
    def rate_bytes_s(self) -> float | None:
        """The median of the recent rates; None when too little was seen."""
        from statistics import median

        return median(self._rates) if len(self._rates) >= _LEAST else None

    def left(self, bytes_left: int) -> Left | None:
        """Return how long the rest takes; None when too little was seen, or when nothing moved."""
        usual = self.rate_bytes_s
        slow = sorted(self._rates)[len(self._rates) // 20] if self._rates else 0.0
        if not usual:
            return None
        slow = slow or min(rate for rate in self._rates if rate)
        return Left(bytes_left / usual, bytes_left / slow)
