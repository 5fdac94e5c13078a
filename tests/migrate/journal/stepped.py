"""Work in threads that run one at a time, from one pause to the next, when somebody says so.

Storage pauses where no lock is held: at reads of segments, at reads and writes of replicas, around commits
and before a trim. So who draws the steps draws the interleaving, and the same draw shows the same again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from migrate.journal.log import Log
from tests.migrate.journal.storage import Died, SimulatedFiles, SimulatedReplica

_PATIENCE_S = 60.0  # a step that takes longer waits for a lock that a paused one holds
_here = threading.local()


class Stepped:
    """A thread that does ``work`` step by step; ``end`` it where it stands, or ``step`` it to its end."""

    def __init__(self, name: str, work: Callable[[], None]) -> None:
        self.name = name
        self.over = False
        self._work = work
        self._ended = False
        self._error: BaseException | None = None
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def step(self) -> None:
        """Let it run to its next pause; raises what it raised."""
        self._go.release()
        assert self._back.acquire(timeout=_PATIENCE_S), f"{self.name} does not come to its next pause"
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """End it where it stands, as a process that dies does."""
        self._ended = True
        while not self.over:
            self._go.release()
            assert self._back.acquire(timeout=_PATIENCE_S), f"{self.name} does not end"
        self._thread.join()

    def pause(self) -> None:
        """Called by the work itself: stand still until the next step."""
        self._back.release()
        self._go.acquire()
        if self._ended:
            raise Died

    def _run(self) -> None:
        _here.stepped = self
        self._go.acquire()
        try:
            if not self._ended:
                self._work()
        except Died:
            pass
        except BaseException as error:  # noqa: BLE001 - told to the one who steps
            self._error = error
        finally:
            self.over = True
            self._back.release()


def pause() -> None:
    """Stand still, if this is a stepped thread."""
    stepped = getattr(_here, "stepped", None)
    if stepped is not None:
        stepped.pause()


class SteppedFiles(SimulatedFiles):
    """Segments whose reads pause."""

    def read(self, number: int, offset: int, length: int) -> bytes:
        pause()
        return super().read(number, offset, length)


class SteppedReplica(SimulatedReplica):
    """A replica that pauses before whatever is done to it."""

    def read_into(self, buffer: memoryview, offset: int) -> None:
        pause()
        super().read_into(buffer, offset)

    def write(self, data: bytes | memoryview, offset: int) -> None:
        pause()
        super().write(data, offset)

    def flush(self) -> None:
        pause()
        super().flush()


class SteppedLog(Log):
    """A log that pauses around a commit and before a trim; not inside, where it holds its lock."""

    def commit(self) -> int:
        pause()
        last = super().commit()
        pause()
        return last

    def trim(self) -> int:
        pause()
        return super().trim()
