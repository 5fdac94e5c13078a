"""Who looks at which checkpoint: as long as somebody does, what it stands on stays."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass

from migrate.journal.reading import FrameReader
from migrate.journal.recovery import Ref
from planner.errors import NotFound, ProjectBusy


class Leases:
    """The leases on one journal. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: Counter[int] = Counter()

    def oldest(self) -> int | None:
        """Return the oldest checkpoint somebody looks at, None when nobody does."""
        with self._lock:
            return min(self._held, default=None)

    def check(self, record: int) -> None:
        """Raise ProjectBusy when checkpoints before ``record`` may not go."""
        oldest = self.oldest()
        if oldest is not None and oldest < record:
            raise ProjectBusy(
                f"an image of checkpoint {oldest} is open", "close the image, history moves on after that"
            )

    def take(self, record: int) -> None:
        """Hold a checkpoint."""
        with self._lock:
            self._held[record] += 1

    def give_back(self, record: int) -> None:
        """Let go of a checkpoint."""
        with self._lock:
            self._held[record] -= 1
            self._held += Counter()  # what nobody holds is not the oldest


@dataclass(slots=True)
class Lease:
    """A hold on the checkpoint at ``record``: the frames it stands on, and a way to read them."""

    record: int
    frames: tuple[Ref, ...]
    reader: FrameReader
    leases: Leases
    held: bool = True

    def close(self) -> None:
        """Give it back; twice is not an error."""
        if self.held:
            self.held = False
            self.leases.give_back(self.record)


def not_offered(record: int) -> NotFound:
    """Return the error of a checkpoint that is not there."""
    return NotFound(f"there is no checkpoint {record}", "see which ones are offered")
