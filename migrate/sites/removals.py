"""Snapshots that others take from us while they are read: removed by a backup job, left behind by a revert.

What is read of one that is gone is of no one moment, and of one that its VM went back behind of a moment
that somebody threw away. Nothing need fail by that: the files may still be there.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable


class How(StrEnum):
    """What befell a snapshot."""

    REMOVED = "removed"
    REVERTED = "reverted"  # its VM went back to an older one


@dataclass(frozen=True, slots=True)
class Lost:
    """A VM, by its name, whose part of a group snapshot is not to be read any more."""

    vm: str
    how: How


@runtime_checkable
class TellsRemovals(Protocol):
    """A site at which others can take our snapshots from us. Not every site is one."""

    def lost_from(self, snapshot: str, vms: tuple[str, ...], parts: Collection[str]) -> tuple[Lost, ...]:
        """Return those of the VMs whose part of a group snapshot is lost.

        ``parts`` are the ids of its parts where they are on record; without any, whatever bears the
        snapshot's name is a part. A VM that is not registered is none of them. Raises WherryError.
        """
        ...


@runtime_checkable
class Frozen(Protocol):
    """A disk that is read as a snapshot holds it."""

    def must_stand(self) -> None:
        """Raise NotFound when the snapshot is lost, so that nobody counts on what was read; WherryError."""
        ...
