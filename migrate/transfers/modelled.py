"""Transfers on paper: one shared link with a rate, first come first served. No bytes move."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from migrate.clock import SimulatedClock
from migrate.transfers.ports import Compared, Copied, HistoryWanted, Moving, Reach, Wanted


@dataclass(slots=True)
class ModelledTransfers:
    """A link of ``rate_bytes_s`` and disks that hash at ``hash_bytes_s``, both on a simulated clock.

    ``pass_s`` is what a pass over the changes of one disk takes beyond its bytes.
    """

    clock: SimulatedClock
    rate_bytes_s: float
    hash_bytes_s: float
    used_share: float = 0.6
    busy_until_s: float = 0.0
    pass_s: float = 0.0

    def copy(self, wanted: Wanted, report: Callable[[Moving], None]) -> Copied:
        """Move the clock on by the wait for the link and the time on it."""
        if wanted.extents is not None:
            data = sum(extent.length for extent in wanted.extents)
        else:
            data = int(wanted.size_bytes * self.used_share)
        seconds = data / self.rate_bytes_s + (0.0 if wanted.extents is None else self.pass_s)
        self.busy_until_s = max(self.busy_until_s, self.clock.at_s) + seconds
        self.clock.at_s = self.busy_until_s
        return Copied(wanted.mode, data, data, seconds)

    def compare(
        self,
        volume: str,
        size_bytes: int,
        snapshot: str | None,
        report: Callable[[Moving], None],
        *,
        larger: bool = False,
    ) -> Compared:
        """Move the clock on by one read of the disk; both sites read at the same time."""
        self.clock.at_s += size_bytes / self.hash_bytes_s
        return Compared("modelled", "modelled")


@dataclass(slots=True)
class ModelledHistories:
    """Journals on paper: what the last passes brought is written once more, at ``rate_bytes_s``."""

    clock: SimulatedClock
    rate_bytes_s: float

    def keep(self, group: str, wanted: HistoryWanted, *, anew: bool) -> None:
        """Take no time."""

    def fold(self, group: str) -> int:
        """Take no time of the window: the sources still run."""
        return 1

    def dismiss(self, group: str) -> bool:
        """Say that it was there."""
        return True

    def resynced(self, volume: str, why: str) -> None:
        """Note nothing."""

    def kept(self, group: str) -> Reach | None:
        """Know nothing of it."""
        return None

    def promote(
        self, group: str, name: str, moved_bytes: int, report: Callable[[int], None]
    ) -> dict[str, Any]:
        """Move the clock on by one write of what the last passes brought."""
        self.clock.at_s += moved_bytes / self.rate_bytes_s
        return {"record": 1, "name": name}
