"""Where VMs stand while an estate is made: vCenters, clusters, hosts, datastores, networks.

A spot is a noun that is still being filled: its id and name are fixed, ``fields`` become the rest
of the noun at the end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class HostSpot:
    """A host with what runs on it."""

    id: str
    name: str
    fields: dict[str, Any]
    vms: int = 0


@dataclass(slots=True)
class StoreSpot:
    """A datastore with what lies on it; ``luns`` are the canonical names it is made of."""

    id: str
    name: str
    fields: dict[str, Any]
    luns: tuple[str, ...] = ()
    vms: int = 0
    used_bytes: int = 0
    provisioned_bytes: int = 0


@dataclass(slots=True)
class NetworkSpot:
    """A port group with its subnet ``10.a.b.0/23``, b even; ``environment`` is who it is for.

    ``promised`` is how many VMs of applications are to come.
    """

    id: str
    name: str
    fields: dict[str, Any]
    subnet: tuple[int, int]
    environment: str
    promised: int = 0
    vms: int = 0

    def next_address(self) -> str:
        """Return an address that no other VM has, as long as there is one."""
        number = 10 + self.vms % 490
        self.vms += 1
        return f"10.{self.subnet[0]}.{self.subnet[1] + number // 256}.{number % 256}"

    @property
    def prefix(self) -> str:
        """The subnet in CIDR notation."""
        return f"10.{self.subnet[0]}.{self.subnet[1]}.0/23"


@dataclass(slots=True)
class ClusterSpot:
    """A cluster with its hosts and the datastores they see."""

    id: str
    name: str
    datacenter: str
    fields: dict[str, Any]
    hosts: list[HostSpot]
    stores: list[StoreSpot] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)
    vapps: list[str] = field(default_factory=list)
    version: str = ""
    vms: int = 0

    def pool(self, path: str) -> str:
        """Return the path of one of its pools from the root down."""
        return f"/{self.datacenter}/{self.name}/{path}"

    def host_of(self, number: int) -> HostSpot:
        """Return the host for the n-th VM of the cluster."""
        return self.hosts[number % len(self.hosts)]


@dataclass(slots=True)
class LunSpot:
    """A LUN; ``cluster`` is the one whose hosts see it."""

    name: str
    size_bytes: int
    cluster: ClusterSpot
    datastore: str = ""
    hidden_from: int = 0  # that many hosts of the cluster do not see it


@dataclass(slots=True)
class Place:
    """A vCenter with its one datacenter."""

    uuid: str
    site: str
    number: int
    fields: dict[str, Any]
    clusters: list[ClusterSpot]
    networks: list[NetworkSpot]
    luns: list[LunSpot] = field(default_factory=list)
    folders: dict[str, str] = field(default_factory=dict)  # path to id
    licences: list[dict[str, Any]] = field(default_factory=list)
    prefix: str = ""  # of the ids of its objects
    next_vm: int = 1000
    next_object: int = 2001

    @property
    def datacenter(self) -> str:
        """The name of its datacenter."""
        return self.site.upper()

    def object_id(self, kind: str) -> str:
        """Return the id of a new object that is no VM."""
        self.next_object += 1
        return f"{self.prefix}{kind}{self.next_object}"

    def vm_id(self) -> str:
        """Return the id of a new VM."""
        self.next_vm += 1
        return f"{self.prefix}vm-{self.next_vm}"

    def folder(self, path: str) -> str:
        """Return a folder's path from the root down, after making it and those above it."""
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            above = "/".join(parts[:depth])
            if above not in self.folders:
                self.folders[above] = self.object_id("group-v")
        return f"/{self.datacenter}/vm/{path}"

    def networks_for(self, environment: str) -> list[NetworkSpot]:
        """Return the networks of an environment, or all when it has none."""
        return [one for one in self.networks if one.environment == environment] or self.networks
