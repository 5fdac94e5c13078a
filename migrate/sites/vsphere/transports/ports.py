"""What a transport is asked: can it reach the bytes of a disk, and if so, open it.

    Place ── which disk, of which VM, at which snapshot, in which file
    Transport ── refusal(place, purpose): why not, empty when it can
                 open_read(place), open_write(place)

A refusal is an answer about the disk, given without opening anything; what goes wrong afterwards is an
error.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from migrate.claims import Rank, Standing
from migrate.disks.ports import ReadableDisk, WritableDisk
from migrate.sites.vsphere.datastore_path import DatastorePath
from planner.model import Backing, BusSharing

_OBJECTS = {"vsan", "vvol", "pmem"}  # datastores whose disks are objects: there is no flat file


class Way(StrEnum):
    """How the bytes of a disk are reached."""

    LOCAL = "local"
    HOT_ADD = "hot-add"
    NBD = "nbd"
    HTTP = "datastore-http"


class Purpose(StrEnum):
    """What a disk is opened for."""

    READ = "read"
    WRITE = "write"


@dataclass(frozen=True, slots=True)
class Place:
    """A disk of a vCenter, as those who reach for its bytes know it.

    ``file`` is the descriptor whose bytes are meant: that of the snapshot, or of the disk as it is.
    ``running`` says that a VM which holds the disk is not off; ``live`` that it is meant as it is all the
    same. ``sharing`` is that of the controllers it hangs on.
    """

    file: DatastorePath
    size_bytes: int
    backing: Backing = Backing.VMDK
    lun: str = ""  # canonical name
    uuid: str = ""  # of the virtual disk, as its backing says it
    datacenter: str = ""  # inventory path
    datastore_kind: str = ""
    vm: str = ""  # managed object id
    host: str = ""
    snapshot: str = ""  # managed object id
    running: bool = False
    live: bool = False
    sharing: BusSharing = BusSharing.NONE
    multi_writer: bool = False

    @property
    def restless(self) -> str:
        """Why what is read is of no one moment, empty when it is or need not be."""
        if self.running and not self.snapshot and not self.live:
            return "a VM that runs writes it, and no snapshot holds it still"
        return ""

    @property
    def is_shared(self) -> bool:
        """True when several VMs may have it at a time, so that the one that runs does not lock it."""
        return self.multi_writer or self.sharing is not BusSharing.NONE

    @property
    def not_flat(self) -> str:
        """Why byte N of the disk is not byte N of a file, empty when it is."""
        if self.backing.is_rdm:
            return "it is a raw device mapping"
        if self.file.is_delta:
            return "another snapshot lies under it, its bytes are in several files"
        if self.datastore_kind.casefold() in _OBJECTS:
            return f"disks of a {self.datastore_kind} datastore are no files"
        return ""


@runtime_checkable
class Rationed(Protocol):
    """A way that takes of what runs out."""

    def takes(self, place: Place, rank: Rank = Rank.USUAL) -> tuple[Standing, ...]:
        """Return what opening a disk takes, and how much of it is taken now; raises WherryError."""
        ...

    def is_wanted(self, place: Place) -> bool:
        """Return whether somebody who goes first waits for what a disk took."""
        ...


@runtime_checkable
class Hangs(Protocol):
    """A way by which disks hang on a VM of ours while they are open."""

    @property
    def is_set_up(self) -> bool: ...
    def clean_up(self) -> None:
        """Take off what dead processes left hanging; raises Unreachable."""
        ...


class Transport(Protocol):
    """One way to the bytes of disks."""

    @property
    def way(self) -> Way: ...
    def refusal(self, place: Place, purpose: Purpose) -> str:
        """Return why this way does not lead to a disk, empty when it does."""
        ...

    def open_read(self, place: Place) -> ReadableDisk:
        """Open a disk that nobody changes; raises WherryError."""
        ...

    def open_write(self, place: Place) -> WritableDisk:
        """Open a disk of a VM that is off, or of none; raises WherryError."""
        ...
