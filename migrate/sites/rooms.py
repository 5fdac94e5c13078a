"""Room where the snapshots of VMs grow. Not every site has any that runs out beside us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Room:
    """A datastore as it is now; no snapshot is taken while less than ``reserve_bytes`` are free."""

    datastore: str
    free_bytes: int
    capacity_bytes: int
    reserve_bytes: int


@runtime_checkable
class Roomy(Protocol):
    """A site that says how much room there is."""

    def rooms(self, vms: tuple[str, ...]) -> tuple[Room, ...]:
        """Return each datastore on which snapshots of these VMs grow; those of unknown size are left out.

        Raises WherryError.
        """
        ...
