"""Checkpoints that somebody wants, and those that wait until what is newest is an instant of the source."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from migrate.journal.state import Checkpoint
from migrate.sites.consistency import Consistency


@dataclass(frozen=True, slots=True)
class Asked:
    """A checkpoint that somebody wants; without a ``consistency`` it is worth what its passes said."""

    name: str = ""
    consistency: Consistency | None = None
    pinned: bool = False


@dataclass(slots=True, eq=False)
class Later:
    """A checkpoint that is made when the cycle ends: ``made`` is it then, ``failed`` why there is none."""

    asked: Asked
    made: Checkpoint | None = None
    failed: Exception | None = None


class Waiting:
    """The checkpoints of one group that wait. Whoever uses it holds the lock of the group."""

    def __init__(self, make: Callable[[Asked], Checkpoint]) -> None:
        self._make = make
        self._queue: list[Later] = []

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, asked: Asked) -> Later:
        """Have one wait."""
        later = Later(asked)
        self._queue.append(later)
        return later

    def withdraw(self, later: Later) -> None:
        """Want that one no more; one that is made stays."""
        if later in self._queue:
            self._queue.remove(later)

    def settle(self) -> None:
        """Make all of them; raises what making one raises, and none waits any more."""
        queue, self._queue = self._queue, []
        for at, later in enumerate(queue):
            try:
                later.made = self._make(later.asked)
            except Exception as error:
                for left in queue[at:]:
                    left.failed = error
                raise
