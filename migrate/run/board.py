"""What goes on at this moment, over all waves that a process drives: limits count for all of them.

A wave that may begin none now waits until another one ends, and looks itself every second. What a cutover
waits for is kept for it, whichever wave's it is.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence

from migrate.claims import Rank, taken_by
from migrate.run.lanes import Lane, choose

_LOOK_S = 1.0


class Board:
    """The acts at work, by wave and step. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: dict[tuple[int, str], Lane] = {}
        self._waiting: dict[int, list[Lane]] = {}  # by crew, as of its last look

    def take(self, crew: int, ready: Sequence[Lane]) -> list[Lane]:
        """Choose among a crew's acts and count the chosen in, in one go."""
        with self._changed:
            chosen = self._choose(crew, ready)
            for lane in chosen:
                self._running[crew, lane.step] = lane
            return chosen

    def would_take(self, crew: int, ready: Sequence[Lane]) -> list[Lane]:
        """Return which ``take`` would choose, and count nothing in."""
        with self._changed:
            return self._choose(crew, ready)

    def _choose(self, crew: int, ready: Sequence[Lane]) -> list[Lane]:
        waiting = [lane for one, lanes in self._waiting.items() if one != crew for lane in lanes]
        chosen = choose(ready, self._running.values(), waiting)
        begun = {lane.step for lane in chosen}
        self._waiting[crew] = [lane for lane in ready if lane.rank is Rank.FIRST and lane.step not in begun]
        return chosen

    def taken(self) -> Counter[tuple[str, str]]:
        """Return how many of which places are taken."""
        with self._changed:
            return taken_by(claim for lane in self._running.values() for claim in lane.claims)

    def leave(self, crew: int, step: str) -> None:
        """Count one out."""
        with self._changed:
            self._running.pop((crew, step), None)
            self._changed.notify_all()

    def go(self, crew: int) -> None:
        """Forget what a crew waits for: it will not ask again."""
        with self._changed:
            self._waiting.pop(crew, None)
            self._changed.notify_all()

    def elsewhere(self, crew: int) -> bool:
        """Return whether other crews have acts at work, or a cutover that waits."""
        with self._changed:
            waits = any(lanes for owner, lanes in self._waiting.items() if owner != crew)
            return waits or any(owner != crew for owner, _ in self._running)

    def wait(self) -> None:
        """Return when something has changed, or after a second."""
        with self._changed:
            self._changed.wait(_LOOK_S)
