"""Ways to the bytes of disks, at a site where several lead there: by which one a run would go, and why."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from migrate.claims import Rank, Standing
from migrate.disks.ports import ReadableDisk
from migrate.sites.ports import NewDisk


class Chosen(Protocol):
    """A way that would be taken."""

    @property
    def way(self) -> str: ...
    @property
    def reason(self) -> str:
        """One line for people: why this one, and why none that is better."""
        ...


@runtime_checkable
class Rationed(Protocol):
    """A site at which what disks are read through runs out. Not every site is one."""

    def takes(self, volume: str, snapshot: str | None, rank: Rank = Rank.USUAL) -> tuple[Standing, ...]:
        """Return what reading a volume takes, and how much of that is taken now; raises WherryError.

        What goes ahead is read as it is. What goes first and finds no place has the next one kept for it.
        """
        ...


@runtime_checkable
class RationedToWrite(Protocol):
    """A site at which what disks are written through runs out as well."""

    def takes_to_write(self, volume: str, rank: Rank = Rank.USUAL) -> tuple[Standing, ...]:
        """Return what writing a volume takes, and how much of that is taken now; raises WherryError."""
        ...


@runtime_checkable
class GivesWay(Protocol):
    """A disk that is read ahead, of whose places somebody who goes first may want one."""

    def is_wanted(self) -> bool:
        """Return whether somebody waits for one now: then it is to be closed."""
        ...


@runtime_checkable
class SeveralWays(Protocol):
    """A site to whose disks several ways lead. Not every site is one. Nothing is opened here."""

    def reads_by(self, volume: str) -> Chosen:
        """Return the way by which a run would read a volume; raises WherryError, SiteRefused for none."""
        ...

    def writes_by(self, disk: NewDisk) -> Chosen:
        """Return the way by which a run would write a replica, there already or not; raises the same."""
        ...


@runtime_checkable
class ReadsLive(Protocol):
    """A site that opens a disk which is written to only when that is meant; others open it as any other."""

    def open_live(self, volume: str) -> ReadableDisk:
        """Open a volume as it is, whoever writes to it: what is read is of no one moment."""
        ...
