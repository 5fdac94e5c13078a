"""What passed through a tap, and who had to wait for anything but a disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STALL_S: Final = 0.1


@dataclass(slots=True)
class Counts:
    """Counted since the tap was started. ``busy_s`` is time spent on requests, disks included."""

    clients: int = 0
    reads: int = 0
    writes: int = 0
    written_bytes: int = 0
    flushes: int = 0
    errors: int = 0
    map_waits: int = 0  # writes that waited for the map of areas
    stalls: int = 0
    longest_s: float = 0.0
    busy_s: float = 0.0

    def waited(self, seconds: float) -> None:
        """A request waited that long for something that is not its disk."""
        self.longest_s = max(self.longest_s, seconds)
        if seconds > STALL_S:
            self.stalls += 1
