"""Time behind one protocol: the system's, or a simulated one that jumps instead of waiting."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Seconds that only go forward, and waiting."""

    def now_s(self) -> float:
        """Return seconds since some fixed moment."""
        ...

    def epoch_s(self) -> float:
        """Return seconds since 1970: the same for every process, and whoever may set the clock sets it."""
        ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's monotonic clock."""

    def now_s(self) -> float:
        """Return monotonic seconds."""
        return time.monotonic()

    def epoch_s(self) -> float:
        """Return the system's time."""
        return time.time()

    def sleep(self, seconds: float) -> None:
        """Wait for real."""
        time.sleep(seconds)


@dataclass(slots=True)
class SimulatedClock:
    """A clock that stands still until somebody moves it. Sleeping moves it."""

    at_s: float = 0.0

    def now_s(self) -> float:
        """Return the simulated seconds."""
        return self.at_s

    def epoch_s(self) -> float:
        """Return the simulated seconds: it all began in 1970."""
        return self.at_s

    def sleep(self, seconds: float) -> None:
        """Move on by that much, at once."""
        self.at_s += seconds
