"""A seed that is brought in: an image of the source that is older than it in one block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from migrate.transfers.ports import Moving
from tests.faults.nights.rack import GRAIN, Rack
from tests.simulation.schedule import Schedule
from tests.simulation.storage import SimulatedDisk


@dataclass(frozen=True, slots=True)
class Brought:
    """What was brought in."""

    data_bytes: int
    copied_bytes: int
    resumed_bytes: int = 0
    cloned: bool = False


class Placed:
    """Brings an image onto a disk, block by block."""

    def __init__(self, schedule: Schedule, source: Rack) -> None:
        self._schedule, self._source = schedule, source

    def place(
        self,
        image: Path,
        disk: SimulatedDisk,
        volume: str,
        size_bytes: int,
        run: str,
        report: Callable[[Moving], None],
    ) -> Brought:
        """Write it and make it durable."""
        held = bytes(GRAIN) + bytes(self._source.disks[volume].seen[GRAIN:])
        for at in range(0, size_bytes, GRAIN):
            disk.write(held[at : at + GRAIN], at)
        disk.flush()
        return Brought(size_bytes, size_bytes)
