"""A seed that is brought in: an image of the source that is older than it in one block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from migrate.transfers.ports import Moving
from tests.faults.nights.rack import GRAIN, Rack


@dataclass(frozen=True, slots=True)
class Brought:
    """What was brought in."""

    data_bytes: int
    copied_bytes: int
    resumed_bytes: int = 0
    cloned: bool = False


class Placed:
    """Brings an image onto a disk of the target, block by block."""

    def __init__(self, source: Rack, target: Rack) -> None:
        self._source, self._target = source, target

    def place(
        self, image: Path, volume: str, size_bytes: int, run: str, report: Callable[[Moving], None]
    ) -> Brought:
        """Write it and make it durable."""
        disk = self._target.open_write(volume)
        held = bytes(GRAIN) + bytes(self._source.disks[volume].seen[GRAIN:])
        for at in range(0, size_bytes, GRAIN):
            disk.write(held[at : at + GRAIN], at)
        disk.flush()
        return Brought(size_bytes, size_bytes)
