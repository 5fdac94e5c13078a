"""Where things are: folders, datacenters, clusters and pools by id, and the paths they make.

Parents come from the vCenter and are not trusted: a ring of folders ends where it closes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from planner.model import Folder, ResourcePool
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.values import size, text, whole
from planner.units import MIB

_ROOTS = {"vmFolder": "vm", "hostFolder": "host", "datastoreFolder": "datastore", "networkFolder": "network"}


def entity_name(name: str) -> str:
    """Return a name as people gave it: vSphere escapes three characters inside of names."""
    if "%" not in name:
        return name
    for code, char in (("%2f", "/"), ("%2F", "/"), ("%5c", "\\"), ("%5C", "\\"), ("%25", "%")):
        name = name.replace(code, char)
    return name


@dataclass(slots=True)
class Places:
    """Finds the datacenter, the cluster and the path of anything by its id."""

    vcenter: str
    objects: dict[str, RawObject] = field(default_factory=dict)
    rings: set[str] = field(default_factory=set)  # folders that stand above themselves
    _roots: dict[str, str] = field(default_factory=dict)
    _chains: dict[str, tuple[RawObject, ...]] = field(default_factory=dict)

    def add(self, items: Iterable[RawObject]) -> None:
        """Take in folders, datacenters, clusters, pools, whatever others hang on."""
        for item in items:
            self.objects[item.ref.id] = item
            if item.ref.kind == "Datacenter":
                for path, kind in _ROOTS.items():
                    self._roots[text(item.values.get(path))] = kind

    def name(self, object_id: str) -> str:
        """Return the name of an object, "" when it is unknown."""
        item = self.objects.get(object_id)
        return entity_name(text(item.values.get("name"))) if item else ""

    def chain(self, object_id: str) -> tuple[RawObject, ...]:
        """Return an object and everything above it, nearest first."""
        known = self._chains.get(object_id)
        if known is not None:
            return known
        found: list[RawObject] = []
        seen: set[str] = set()
        at = object_id
        while at and (item := self.objects.get(at)) is not None:
            if at in seen:
                self.rings.add(at)
                break
            seen.add(at)
            found.append(item)
            at = text(item.values.get("parent"))
        self._chains[object_id] = chain = tuple(found)
        return chain

    def _above(self, object_id: str, kind: str) -> str:
        return next((item.ref.id for item in self.chain(object_id) if item.ref.kind == kind), "")

    def datacenter(self, object_id: str) -> str:
        """Return the name of the datacenter an object is in, "" when it is in none."""
        return self.name(self._above(object_id, "Datacenter"))

    def cluster(self, object_id: str) -> str:
        """Return the name of the cluster an object is in, "" for a standalone host's."""
        return self.name(self._above(object_id, "ClusterComputeResource"))

    def path(self, object_id: str) -> str:
        """Return the path as RVTools writes it: ``/datacenter/vm/folder``; "" when unknown."""
        names = [entity_name(text(item.values.get("name"))) for item in self.chain(object_id)]
        return "/" + "/".join(reversed(names)) if names else ""

    def folders(self) -> tuple[Folder, ...]:
        """Return all folders but the roots of datacenters."""
        return tuple(
            self._folder(item)
            for item in self.objects.values()
            if item.ref.kind == "Folder" and item.ref.id not in self._roots
        )

    def _folder(self, item: RawObject) -> Folder:
        names: list[str] = []
        kind = ""
        for above in self.chain(item.ref.id):
            if above.ref.kind == "Datacenter":
                break
            kind = self._roots.get(above.ref.id, "")
            names.append(entity_name(text(above.values.get("name"))))
        return Folder(
            id=item.ref.id,
            name=self.name(item.ref.id),
            path="/".join(reversed(names)),
            datacenter=self.datacenter(item.ref.id),
            vcenter=self.vcenter,
            kind=kind,
        )

    def pools(self) -> tuple[ResourcePool, ...]:
        """Return all resource pools and vApps."""
        return tuple(
            self._pool(item)
            for item in self.objects.values()
            if item.ref.kind in ("ResourcePool", "VirtualApp")
        )

    def _pool(self, item: RawObject) -> ResourcePool:
        names = [
            entity_name(text(above.values.get("name")))
            for above in self.chain(item.ref.id)
            if above.ref.kind in ("ResourcePool", "VirtualApp")
        ]
        processor, memory = (
            item.values.get("config.cpuAllocation"),
            item.values.get("config.memoryAllocation"),
        )
        return ResourcePool(
            id=item.ref.id,
            name=self.name(item.ref.id),
            path="/".join(reversed(names)),
            cluster=self.cluster(item.ref.id),
            vcenter=self.vcenter,
            vapp=item.ref.kind == "VirtualApp",
            cpu_reservation_mhz=whole(processor, "reservation"),
            cpu_limit_mhz=whole(processor, "limit"),
            memory_reservation_bytes=size(whole(memory, "reservation"), MIB),
            memory_limit_bytes=limit_bytes(memory),
        )


def limit_bytes(allocation: Any) -> int | None:
    """Return the limit of a memory allocation in bytes, -1 for none, None when unknown."""
    said = whole(allocation, "limit")
    return said if said is None or said < 0 else said * MIB
