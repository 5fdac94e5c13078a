"""Transfers that movers carry: the data plane as steps know it, with no byte in this process.

Every task gets a generation newer than any before it, so that a mover which was frozen and comes back
is refused by the receiver. The line is shared among the tasks at work by the weights of their volumes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from migrate.movers.task import Comparison, Ends, Manner, Task
from migrate.replication.line import Policy
from migrate.replication.passes import Mode
from migrate.transfers.ports import Compared, Copied, Moving, Wanted


class Does(Protocol):
    """Whoever has tasks done: a pool of child processes, or the queue of a site."""

    def do(
        self,
        task: Task,
        share: Callable[[], float | None],
        stop: Callable[[], bool],
        report: Callable[[Moving], None],
    ) -> dict[str, Any]: ...


class Shares:
    """Who has how much of one line now: all tasks of all waves that this process drives."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._weights: dict[int, float] = {}
        self._last = 0

    def enter(self, weight: float) -> int:
        """Count a task in; return the number under which it leaves."""
        with self._lock:
            self._last += 1
            self._weights[self._last] = weight
            return self._last

    def leave(self, number: int) -> None:
        """Count it out."""
        with self._lock:
            self._weights.pop(number, None)

    def of(self, number: int, policy: Policy) -> float | None:
        """Return the bytes a second that a task may send now, None when nothing is held back."""
        if policy.line is None:
            return None
        with self._lock:
            total = sum(self._weights.values())
            mine = self._weights.get(number, 0.0)
        return policy.line.rate_bytes_s(self._clock()) * (mine / total if total else 1.0)


class Generations:
    """Fencing generations: milliseconds since 1970, and never the same twice."""

    def __init__(self, least: int = 0, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._last = least
        self._lock = threading.Lock()

    def next(self) -> int:
        """Return one that is newer than all before it."""
        with self._lock:
            self._last = max(self._last + 1, int(self._clock() * 1000))
            return self._last


class MovedTransfers:
    """Transfers between two sites through ``movers``."""

    def __init__(
        self,
        movers: Does,
        ends: Ends,
        manner: Manner,
        *,
        generations: Generations,
        shares: Shares,
        policy: Callable[[], Policy] = Policy,
        stop: Callable[[str], bool] = lambda _volume: False,
    ) -> None:
        """``stop`` is asked of the volume that a task is about."""
        self._movers = movers
        self._ends = ends
        self._manner = manner
        self._generations = generations
        self._shares = shares
        self._policy = policy
        self._stop = stop

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        """Send one pass; see the protocol."""
        said = self._do(Task(self._ends, self._manner, self._generations.next(), wanted), report)["copied"]
        return Copied(**{**said, "mode": Mode(said["mode"])})

    def compare(
        self,
        volume: str,
        size_bytes: int,
        snapshot: str | None,
        report: Callable[[Moving], None],
        *,
        larger: bool = False,
    ) -> Compared:
        """Hash both sides, each where its disk is."""
        about = Comparison(volume, size_bytes, snapshot, larger)
        task = Task(self._ends, self._manner, self._generations.next(), comparison=about)
        return Compared(**self._do(task, report)["compared"])

    def _do(self, task: Task, report: Callable[[Moving], None]) -> dict[str, Any]:
        number = self._shares.enter(self._policy().weights.get(task.volume, 1.0))
        try:
            return self._movers.do(
                task,
                lambda: self._shares.of(number, self._policy()),
                lambda: self._stop(task.volume),
                report,
            )
        finally:
            self._shares.leave(number)
