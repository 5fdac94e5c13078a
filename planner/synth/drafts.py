"""A VM while it is being made: its facts as plain values, open to change until ``finished``."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from planner.model import (
    VM,
    Backing,
    Cdrom,
    Compute,
    Device,
    Disk,
    Guest,
    Management,
    Nic,
    Partition,
    Power,
    Snapshot,
)
from planner.synth.places import ClusterSpot, HostSpot, NetworkSpot, Place, StoreSpot


@dataclass(slots=True)
class Application:
    """One environment of an application. ``family`` is what its environments share."""

    name: str
    family: int
    environment: str
    criticality: str
    owner: str
    window: str
    place: Place
    cluster: ClusterSpot
    network: NetworkSpot
    size: int
    members: list[Draft] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What people call it."""
        shown = self.name.capitalize()
        return shown if self.environment == "Production" else f"{shown} {self.environment}"


@dataclass(slots=True)
class Draft:
    """A VM to be. ``kind`` is its class (web, database, ...), template, placeholder or agent."""

    id: str
    kind: str
    name: str
    place: Place
    cluster: ClusterSpot
    host: HostSpot
    store: StoreSpot
    network: NetworkSpot
    application: Application | None = None
    fields: dict[str, Any] = field(default_factory=dict)
    guest: dict[str, Any] = field(default_factory=dict)
    compute: dict[str, Any] = field(default_factory=dict)
    management: dict[str, Any] = field(default_factory=dict)
    disks: list[dict[str, Any]] = field(default_factory=list)
    nics: list[dict[str, Any]] = field(default_factory=list)
    snapshots: list[Snapshot] = field(default_factory=list)
    cdroms: list[Cdrom] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    partitions: list[Partition] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    clustered: bool = False  # it shares disks
    folder_name: str = ""  # of its files: the name it was made with

    @property
    def movable(self) -> bool:
        """False for templates, placeholders and cluster agents."""
        return self.kind not in {"template", "placeholder", "agent"}

    @property
    def runs(self) -> bool:
        """True when it is powered on."""
        return self.fields["power"] is Power.ON

    @property
    def home(self) -> str:
        """The folder of its files, ``[datastore] folder``."""
        return f"[{self.store.name}] {self.folder_name}"

    def add_disk(self, size_bytes: int, used_bytes: int | None, **more: Any) -> dict[str, Any]:
        """Add a VMDK on the first SCSI controller with room, and return it."""
        at = len(self.disks)
        # Unit 7 is the controller itself.
        bus, unit = divmod(at, 15)
        unit += unit >= 7
        tail = f"_{at}" if at else ""
        disk = {
            "key": str(2000 + at + bus),
            "label": f"Hard disk {at + 1}",
            "size_bytes": size_bytes,
            "used_bytes": used_bytes,
            "backing": Backing.VMDK,
            "path": f"{self.home}/{self.folder_name}{tail}.vmdk",
            "mode": "persistent",
            "controller": f"SCSI controller {bus}",
            "bus": bus,
            "unit": unit,
            **more,
        }
        self.disks.append(disk)
        return disk

    def finished(self) -> VM:
        """Return the VM."""
        fields = dict(self.fields)
        if self.application is not None:
            fields["application"] = self.application.title
        return VM(
            id=self.id,
            name=self.name,
            vcenter=self.place.uuid,
            host=self.host.name,
            cluster=self.cluster.name,
            datacenter=self.place.datacenter,
            disks=tuple(Disk(**disk) for disk in self.disks),
            nics=tuple(Nic(**nic) for nic in self.nics),
            snapshots=tuple(self.snapshots),
            cdroms=tuple(self.cdroms),
            devices=tuple(self.devices),
            guest=Guest(**self.guest, partitions=tuple(self.partitions) if self.partitions else None),
            compute=Compute(**self.compute),
            management=Management(**self.management),
            rules=tuple(self.rules),
            **fields,
        )
