"""A writer that commits one number after the other, and which of them an image has to hold."""

from __future__ import annotations

import threading
import time
from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from tests.migrate.protection.scene import eventually

_PAUSE_S = 0.005  # it has to be at work all the time, not to take all of a machine


@dataclass(frozen=True, slots=True)
class Bounds:
    """All numbers that were ``acknowledged`` before a checkpoint was asked for have to be in it, and
    none that was not ``begun`` before its disks were frozen."""

    acknowledged: int
    begun: int

    def wrong_with(self, held: str, counted: str) -> list[str]:
        """Return what is wrong with ``how many|the least|the greatest`` and what the transactions counted."""
        many, least, greatest = (int(number) for number in held.split("|"))
        wrong = []
        if (least, greatest) != (1, many):
            wrong.append(f"{many} numbers from {least} to {greatest} are no row without a gap")
        if many < self.acknowledged:
            wrong.append(f"{self.acknowledged} were acknowledged before it, {many} are there")
        if many > self.begun:
            wrong.append(f"{self.begun} were begun before the freeze, {many} are there")
        if int(counted) != many:
            wrong.append(f"half a transaction is there: {many} numbers, {counted} counted")
        return wrong


class Writer:
    """Commits 1, 2, 3 ... with ``commit`` in a thread of its own, until it is ended or the server is."""

    def __init__(self, commit: Callable[[int], object]) -> None:
        self._commit = commit
        self._begun: list[float] = []
        self._done: list[float] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def acknowledged(self, moment: float) -> int:
        """Return how many were acknowledged by a moment of ``time.monotonic``."""
        return bisect_right(self._done, moment)

    def begun(self, moment: float) -> int:
        """Return how many were begun by a moment."""
        return bisect_right(self._begun, moment)

    def wait_for(self, more: int) -> None:
        """Return when so many more are acknowledged."""
        wanted = len(self._done) + more
        assert eventually(lambda: len(self._done) >= wanted or not self._thread.is_alive())
        assert len(self._done) >= wanted, "it could not go on"

    def end(self) -> None:
        """Have it stop and wait until it did."""
        self._over.set()
        self._thread.join(60)

    def _run(self) -> None:
        number = 0
        with suppress(ConnectionError):
            while not self._over.is_set():
                number += 1
                self._begun.append(time.monotonic())
                self._commit(number)
                self._done.append(time.monotonic())
                self._over.wait(_PAUSE_S)
