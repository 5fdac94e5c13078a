"""A target's disks and logs: volatile until flushed, and failing in the ways storage fails.

After a failed flush the pages count as clean: reads show them, nothing writes them any more. That lie
lasts until the machine loses power.
"""

from __future__ import annotations

import errno

from tests.migrate.replication.model import Clockwork, MemoryDisk
from tests.simulation.schedule import Crash, Schedule


class _Turns(Clockwork):
    """Every operation is a moment in which others may run, and the process may die."""

    def __init__(self, schedule: Schedule) -> None:
        super().__init__()
        self._schedule = schedule

    def tick(self) -> bool:
        self._schedule.pause()
        return False


class SimulatedDisk(MemoryDisk):
    """A replica disk. ``writes_fail`` so many times from now on, below 0 until it is mended."""

    def __init__(self, schedule: Schedule, content: bytes) -> None:
        super().__init__(content, _Turns(schedule))
        self.local = schedule.rng.random() < 0.6  # else behind a server that keeps its pages
        self.lying = False  # a flush failed there, which is not recorded yet
        self._schedule = schedule
        self.full = False
        self.writes_fail = 0
        self.flush_fails = self.dies_of_it = False
        self.changes = 0  # as the time of change tells them

    def forget(self) -> None:
        """Read from the medium what is clean, lies among it."""
        self.seen = bytearray(self.durable)
        for offset, data in self.pending:
            self.seen[offset : offset + len(data)] = data

    def write(self, data: bytes | memoryview, offset: int) -> None:
        """Write, or fail with what is the matter now, perhaps after a part."""
        self.changes += 1
        if self.full or self.writes_fail:
            often = "once" if self.writes_fail > 0 else "for ever"
            self._schedule.meet("full" if self.full else f"write error {often}")
            self.writes_fail -= self.writes_fail > 0
            kept = len(data) // 2 // 512 * 512
            super().write(data[:kept], offset)
            raise OSError(errno.ENOSPC if self.full else errno.EIO, "injected")
        super().write(data, offset)

    def flush(self) -> None:
        """Flush, or lose every page and say so once."""
        self.flush_fails_at = self.flushes + 1 if self.flush_fails else None
        fails, dies = self.flush_fails, self.dies_of_it
        self.flush_fails = self.dies_of_it = False
        if fails:
            self._schedule.meet("flush error, then killed" if dies else "flush error")
        try:
            super().flush()
        except OSError:
            self.lying = not self.local
            if dies:
                self._schedule.current.process.dead = True
                raise Crash from None
            raise


class SimulatedLog:
    """A log in a file. ``fails`` is what the next write does: ``torn``, ``unsynced`` or nothing.

    ``unsynced``: the bytes are there to read, but the sync failed, and power loss takes them.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self.seen = self.durable = b""
        self.fails = ""

    def read(self) -> bytes:
        """Return what a process reads now."""
        return self.seen

    def append(self, data: bytes) -> None:
        """Append and sync."""
        self._schedule.pause()
        cut = self._schedule.rng.randrange(len(data) + 1)
        self.seen += data[:cut]
        if self.fails != "torn":
            self._schedule.pause()  # dying here leaves a torn tail
            self.seen += data[cut:]
        self._end()

    def replace(self, data: bytes) -> None:
        """Put the data in the place of the file."""
        self._schedule.pause()
        if self.fails != "torn":
            self.seen = data
            self._schedule.pause()  # dying here leaves the new file, not yet synced
        self._end()

    def set_aside(self, data: bytes) -> None:
        """Nobody damages logs here, so nothing is set aside."""
        raise AssertionError("a log counts as damaged")

    def lose_power(self) -> None:
        """Go back to what was synced; what was not is there or not."""
        if self._schedule.rng.random() < 0.5:
            self.durable = self.seen
        self.seen = self.durable

    def _end(self) -> None:
        fails, self.fails = self.fails, ""
        if fails:
            self._schedule.meet(f"log error, {fails}")
            raise OSError(errno.EIO, "injected")
        self.durable = self.seen
