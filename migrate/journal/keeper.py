"""Who keeps the journals of a receiver: one thread, round after round, until it is closed.

It takes as much of the storage as it was given, and stops within a piece of a few hundred KiB when it is
asked. What a round found is the health of each group.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Final, Self

from migrate.journal.group import GroupJournal
from migrate.journal.health import Health
from migrate.journal.keeping import Kept, keep, look, may_wait
from migrate.journal.limits import Limits
from migrate.journal.overlay import prepare
from migrate.journal.store import Journals
from planner.errors import Paused, WherryError
from planner.names import visible
from planner.units import MIB

EVERY_S: Final = 10.0
REST: Final = 30  # rounds until a group in which something went wrong is tried again
_TICK_S: Final = 0.2
RATE_BYTES_S: Final = 64 * MIB  # of reads and writes together: passes and images have the rest


class _Left(Paused):
    """A group is left alone in the middle of a round."""


class Brake:
    """Holds somebody back to a rate: tell it what was moved. ``wait`` waits, True when it is to stop."""

    def __init__(self, rate_bytes_s: float, wait: Callable[[float], bool]) -> None:
        self._rate = rate_bytes_s
        self._wait = wait
        self._owed_s = 0.0

    def __call__(self, size_bytes: int) -> None:
        """Return when it may go on; raises Paused."""
        self._owed_s += size_bytes / self._rate
        pause, self._owed_s = (self._owed_s, 0.0) if self._owed_s > 0.02 else (0.0, self._owed_s)
        if self._wait(pause):
            raise Paused("keeping the journals was stopped", "it goes on when the receiver is started")


class Keeper:
    """Keeps all journals, with the limits of each. Enter it to start, leave it to stop.

    A group that ``leave`` tells is somebody else's just now is left at the next piece.
    """

    def __init__(
        self,
        journals: Journals,
        limits: Callable[[str], Limits],
        *,
        every_s: float = EVERY_S,
        rate_bytes_s: float = RATE_BYTES_S,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        leave: Callable[[str], bool] = lambda _group: False,
    ) -> None:
        self._leave = leave
        self._journals = journals
        self._limits = limits
        self._every_s = every_s
        self._now_ms = now_ms
        self._stop = threading.Event()
        self._brake = Brake(rate_bytes_s, self._stop.wait)
        self._kept: dict[str, Kept] = {}
        self._rests: Counter[str] = Counter()
        self._moves = False
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def is_moving(self) -> bool:
        """Whether history is being moved on; cut off it would begin from its beginning the next time."""
        return self._moves

    def health(self, group: GroupJournal) -> Health | None:
        """Return how a journal stands now, with what the last round had to say; None where there is none."""
        if not group.is_journalled:
            return None
        kept = self._kept.get(group.name, Kept())
        return look(group, self._limits(group.name), self._now_ms(), kept)

    def round(self) -> None:
        """Keep each journal once, but for those that rest; raises Paused."""
        for name in self._journals.names():
            if self._rests[name]:
                self._rests[name] -= 1
                continue
            try:
                group = self._journals.group(name)
                if group.is_journalled and not group.log.failed and not self._leave(name):
                    pace = partial(self._paced, group)
                    self._kept[name] = keep(group, self._limits(name), self._now_ms(), pace)
                    prepare(group.log, self._stop.is_set)
            except _Left:
                continue
            except Paused:
                raise
            except (WherryError, OSError) as error:  # who asks for the group is told the same
                self._kept[name] = Kept(troubles=(visible(str(error), 300),))
            if name in self._kept and self._kept[name].troubles:
                self._rests[name] = REST

    def _paced(self, group: GroupJournal, size_bytes: int) -> None:
        if self._leave(group.name):
            raise _Left("somebody else moves its history on")
        self._moves = True
        self._brake(size_bytes)
        while may_wait(group, self._now_ms()) and not self._stop.wait(_TICK_S):
            pass  # cut off, it would begin anew

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self.round()
                self._moves = False
                self._stop.wait(self._every_s)
        except Paused:
            return
