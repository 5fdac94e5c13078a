"""The estate as one immutable snapshot, and what depends on what in it."""

from __future__ import annotations

from dataclasses import dataclass

from planner.model.devices import Disk
from planner.model.platform import (
    Cluster,
    Datastore,
    Folder,
    Host,
    Licence,
    Lun,
    Network,
    ResourcePool,
    VCenter,
)
from planner.model.vm import VM
from planner.model.words import Backing, Tie


@dataclass(frozen=True, slots=True)
class Dependency:
    """``source`` needs ``target`` (both VM ids). ``evidence`` says where this is known from."""

    source: str
    target: str
    tie: Tie
    reason: str
    port: int | None = None
    evidence: str = ""
    confidence: float = 1.0
    traffic_bytes: int | None = None  # over the time it was watched
    first_seen: str = ""  # ISO 8601
    last_seen: str = ""


@dataclass(frozen=True, slots=True)
class Inventory:
    """One immutable snapshot of an estate.

    ``notes`` lists, one sentence each, what the source could not say or what was repaired while
    reading it. ``gaps`` names the kinds it had no word on at all (disks, nics, snapshots, cdroms,
    usb, floppies, devices, hosts, clusters, datastores, networks, licences, ...): there an empty tuple means
    unknown, not none; with ``placeholders`` so does False. ``taken_at`` is ISO 8601 in UTC.
    """

    source: str
    taken_at: str
    vms: tuple[VM, ...]
    hosts: tuple[Host, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    datastores: tuple[Datastore, ...] = ()
    networks: tuple[Network, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
    notes: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    vcenters: tuple[VCenter, ...] = ()
    luns: tuple[Lun, ...] = ()
    resource_pools: tuple[ResourcePool, ...] = ()
    folders: tuple[Folder, ...] = ()
    licences: tuple[Licence, ...] = ()


@dataclass(frozen=True, slots=True)
class Attachment:
    """One VM's disk that uses a volume."""

    vm: VM
    disk: Disk


@dataclass(frozen=True, slots=True)
class Volume:
    """One backing and everyone attached to it. ``id`` is ``<VM id>/<disk key>`` of its first user."""

    id: str
    backing: Backing
    size_bytes: int
    attachments: tuple[Attachment, ...]

    @property
    def shared(self) -> bool:
        """True when more than one VM uses it."""
        return len({item.vm.id for item in self.attachments}) > 1
