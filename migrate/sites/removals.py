"""Snapshots that somebody else removes while they are read: a backup job that tidies up, or a person.

What is read of one that is gone is of no one moment, and nothing need fail: its files may still be there.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class TellsRemovals(Protocol):
    """A site at which others can remove our snapshots. Not every site is one."""

    def removed_from(self, snapshot: str, vms: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of those of the VMs that have no part of a group snapshot any more.

        A VM that is not registered is none of them. Raises WherryError.
        """
        ...


@runtime_checkable
class Frozen(Protocol):
    """A disk that is read as a snapshot holds it."""

    def must_stand(self) -> None:
        """Raise NotFound when the snapshot is gone, so that nobody counts on what was read; WherryError."""
        ...
