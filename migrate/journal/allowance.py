"""What a journal may still take: a limit of its own, and what has to stay free where it is.

Writes are refused before they begin, so nothing breaks on a file system that is full: what comes beside
them (marks, history that moves on, other programs) lives from what stays free.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from migrate.journal.limits import Room
from planner.errors import NoSpace
from planner.names import visible
from planner.units import MIB, show_bytes

_LOOK_BYTES: Final = MIB  # of writes between two looks at what is free


@dataclass(frozen=True, slots=True)
class Space:
    """A file system: how much is free to us, and how much of that is to stay so, 0 for any."""

    free_bytes: int
    reserve_bytes: int

    @property
    def spare_bytes(self) -> int:
        """What may be written."""
        return max(self.free_bytes - self.reserve_bytes, 0)

    @property
    def told(self) -> str:
        """How it stands, in words."""
        return f"{show_bytes(self.free_bytes)} are free where it is, {show_bytes(self.reserve_bytes)} stay so"


def space_of(folder: Path, reserve: Room) -> Space:
    """Return how the file system of a folder stands; raises OSError."""
    about = os.statvfs(folder)
    return Space(about.f_bavail * about.f_frsize, reserve.of(about.f_blocks * about.f_frsize))


class Allowance:
    """How much one log may take: ``limit_bytes``, 0 for any, and what ``space`` lets it. Marks always go.

    Not thread-safe: the log has a lock.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._refused = 0  # bytes of the last write, when it was
        self._unseen = 0  # bytes since ``space`` was asked
        self._spare = 0
        self.limit_bytes = 0
        self.space: Callable[[], Space] | None = None

    def take(self, more_bytes: int, size_bytes: int) -> None:
        """Let a log of that size take more; raises NoSpace, OSError when nobody knows what is free."""
        if why := self._why(more_bytes, size_bytes):
            self._refused = more_bytes
            raise NoSpace(
                f"no room for group {visible(self._name, 200)}: {why}",
                "close images, free pinned checkpoints, or give it more room; it goes on from there",
            )
        self._refused = 0
        self._unseen += more_bytes

    def full(self, size_bytes: int) -> str:
        """Why the last write was refused, empty when it was not or would not be any more."""
        return self._why(self._refused, size_bytes) if self._refused else ""

    def _why(self, more_bytes: int, size_bytes: int) -> str:
        if self.limit_bytes and size_bytes + more_bytes > self.limit_bytes:
            return f"its journal has reached its limit of {show_bytes(self.limit_bytes)}"
        if self.space is None or self._unseen + more_bytes <= min(self._spare, _LOOK_BYTES):
            return ""
        space, self._unseen = self.space(), 0
        self._spare = space.spare_bytes
        return f"only {space.told}" if more_bytes > space.spare_bytes else ""
