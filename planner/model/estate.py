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
from planner.model.words import Backing, Ruling, Sending, Tie


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
class Decision:
    """What a person decided: on all ties between ``a`` and ``b`` or those of one port, or on ``a`` alone.

    Of a tie that only a person knows of, ``a`` needs ``b``. Both are VM ids, ``b`` is "" for a hub.
    """

    ruling: Ruling
    a: str
    b: str = ""
    port: int | None = None
    why: str = ""
    who: str = ""
    at: str = ""  # ISO 8601 in UTC


@dataclass(frozen=True, slots=True)
class Inventory:
    """One immutable snapshot of an estate.

    ``notes`` lists, one sentence each, what the source could not say or what was repaired while
    reading it. ``gaps`` names the kinds it had no word on at all (disks, nics, snapshots, cdroms,
    usb, floppies, devices, hosts, clusters, datastores, networks, licences, ...): there an empty tuple means
    unknown, not none; with ``placeholders`` so does False. ``taken_at`` is ISO 8601 in UTC. ``decisions``
    are those of people that count; what they refused stands in ``refused`` and no longer among the
    dependencies.
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
    decisions: tuple[Decision, ...] = ()
    refused: tuple[Dependency, ...] = ()


# The parts of an inventory whose objects say which vCenter they are of.
PLACED = (
    "vms",
    "hosts",
    "clusters",
    "datastores",
    "networks",
    "luns",
    "resource_pools",
    "folders",
    "licences",
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """One VM's disk that uses a volume."""

    vm: VM
    disk: Disk


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A person's decision that what a disk holds travels once or never: swap, temporary files."""

    send: Sending
    why: str
    who: str = ""


@dataclass(frozen=True, slots=True)
class Volume:
    """One backing and everyone attached to it. ``id`` is ``<VM id>/<disk key>`` of its first user."""

    id: str
    backing: Backing
    size_bytes: int
    attachments: tuple[Attachment, ...]
    left_out: LeftOut | None = None

    @property
    def sending(self) -> Sending:
        """How often what it holds travels: always, unless somebody decided."""
        return self.left_out.send if self.left_out else Sending.ALWAYS

    @property
    def shared(self) -> bool:
        """True when more than one VM uses it."""
        return len({item.vm.id for item in self.attachments}) > 1
