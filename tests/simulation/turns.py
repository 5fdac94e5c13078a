"""Threads of one pass that wait for each other, with one baton for all: what a condition is outside."""

from __future__ import annotations

from collections.abc import Callable

from tests.simulation.schedule import Schedule


class SimulatedTurns:
    """A lock whose waits go through the schedule."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._held = False

    def __enter__(self) -> None:
        if self._held:
            self._schedule.wait(lambda: not self._held)
        self._held = True

    def __exit__(self, *_raised: object) -> None:
        self._held = False

    def wait_for(self, predicate: Callable[[], bool], /) -> None:
        """Let others in until that holds."""
        if predicate():
            return
        self._held = False
        try:
            self._schedule.wait(lambda: not self._held and predicate())
        finally:
            self._held = True

    def notify_all(self) -> None:
        """Whoever waits looks by itself."""
