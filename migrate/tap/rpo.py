"""The recovery point of a group, as measured: how old the oldest write is that its target does not have.

The worst of each second is kept, for ten minutes; half of these seconds were no worse than P50.
"""

from __future__ import annotations

from collections import deque
from typing import Final

KEPT_S: Final = 600


class Ages:
    """What was measured of late, on the caller's clock. Written by one thread, read by any."""

    def __init__(self, kept_s: int = KEPT_S) -> None:
        self._seconds: deque[tuple[int, float]] = deque(maxlen=kept_s)

    def saw(self, now: float, age_s: float) -> None:
        """Note an age."""
        second = int(now)
        if self._seconds and self._seconds[-1][0] == second:
            self._seconds[-1] = second, max(age_s, self._seconds[-1][1])
        else:
            self._seconds.append((second, age_s))

    def quantile(self, share: float) -> float | None:
        """Return the age that ``share`` of the seconds did not pass; None when nothing was measured."""
        ages = sorted(age for _second, age in self._seconds.copy())
        return ages[min(int(len(ages) * share), len(ages) - 1)] if ages else None
