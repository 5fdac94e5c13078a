"""Who looks at what of a journal: as long as somebody does, what it stands on stays.

A lease knows when it was taken, a segment when it was given up. What was given up before a lease was
taken is not among its frames, and what begins behind its record it never reads: both may go.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from migrate.journal.reading import FrameReader
from migrate.journal.recovery import Ref
from planner.errors import HeldOpen, NotFound


@dataclass(frozen=True, slots=True)
class _Held:
    record: int
    taken: int
    image: bool


class Leases:
    """The leases on one journal. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[int, _Held] = {}  # by ticket
        self._moment = 0

    def oldest(self) -> int | None:
        """Return the oldest checkpoint somebody looks at, None when nobody does."""
        return min(self.held(), default=None)

    def held(self) -> frozenset[int]:
        """Return the checkpoints somebody looks at."""
        with self._lock:
            return frozenset(held.record for held in self._held.values() if held.image)

    def check(self, record: int) -> None:
        """Raise HeldOpen when checkpoints before ``record`` may not go."""
        oldest = self.oldest()
        if oldest is not None and oldest < record:
            raise HeldOpen(
                f"an image of checkpoint {oldest} is open", "close the image, history moves on after that"
            )

    def take(self, record: int, *, image: bool = True) -> int:
        """Hold what is there up to a record and return a ticket; an ``image`` is of a checkpoint."""
        with self._lock:
            self._moment += 1
            self._held[self._moment] = _Held(record, self._moment, image)
            return self._moment

    def give_back(self, ticket: int) -> None:
        """Let go of what was taken."""
        with self._lock:
            del self._held[ticket]

    def moment(self) -> int:
        """Return the moment at which something is given up: leases taken later do not need it."""
        with self._lock:
            self._moment += 1
            return self._moment

    def needs(self, first: int, given_up: int) -> bool:
        """Tell whether somebody needs a segment that begins with record ``first`` and was given up then."""
        with self._lock:
            return any(held.taken < given_up and held.record >= first for held in self._held.values())


@dataclass(slots=True)
class Lease:
    """A hold on the records up to ``record``: the frames they stand in, and a way to read them."""

    record: int
    frames: tuple[Ref, ...]
    reader: FrameReader
    leases: Leases
    ticket: int
    held: bool = True

    def close(self) -> None:
        """Give it back; twice is not an error."""
        if self.held:
            self.held = False
            self.leases.give_back(self.ticket)


def not_offered(record: int) -> NotFound:
    """Return the error of a checkpoint that is not there."""
    return NotFound(f"there is no checkpoint {record}", "see which ones are offered")
