"""Inventory snapshots: immutable, newest last. Writes ``inventory`` and ``inventory_vm``.

A VM is one row: the columns that tables sort and filter by, and the whole VM as JSON beside them,
so that a list of ten thousand is painted without building ten thousand objects.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from planner.errors import NotFound
from planner.model import (
    VM,
    Backing,
    BusSharing,
    Cdrom,
    Cluster,
    Datastore,
    Dependency,
    Disk,
    Host,
    Inventory,
    Network,
    Nic,
    Power,
    Snapshot,
    Tie,
)
from planner.store.project import Project, utc_now


@dataclass(frozen=True, slots=True)
class StoredInventory:
    """An inventory as it lies in the store."""

    id: int
    fingerprint: str
    inventory: Inventory


@dataclass(frozen=True, slots=True)
class Summary:
    """The head of an inventory, cheap to read."""

    id: int
    fingerprint: str
    source: str
    taken_at: str
    vms: int
    size_bytes: int


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def _disk(raw: dict[str, object]) -> Disk:
    raw["backing"] = Backing(str(raw["backing"]))
    if raw["bus_sharing"] is not None:
        raw["bus_sharing"] = BusSharing(str(raw["bus_sharing"]))
    return Disk(**raw)  # type: ignore[arg-type]


def _vm(text: str) -> VM:
    raw = json.loads(text)
    raw["power"] = Power(raw["power"])
    raw["rules"] = tuple(raw["rules"])
    raw["disks"] = tuple(map(_disk, raw["disks"]))
    raw["nics"] = tuple(Nic(**{**nic, "addresses": tuple(nic["addresses"])}) for nic in raw["nics"])
    raw["snapshots"] = tuple(Snapshot(**item) for item in raw["snapshots"])
    raw["cdroms"] = tuple(Cdrom(**item) for item in raw["cdroms"])
    raw["attributes"] = tuple((key, value) for key, value in raw["attributes"])
    return VM(**raw)


def save(project: Project, inventory: Inventory) -> StoredInventory:
    """Store a snapshot and return it with its id and fingerprint."""
    from planner.fingerprint import inventory_fingerprint
    from planner.volumes import volumes

    fingerprint = inventory_fingerprint(inventory)
    estate = {
        "hosts": [asdict(item) for item in inventory.hosts],
        "clusters": [asdict(item) for item in inventory.clusters],
        "datastores": [asdict(item) for item in inventory.datastores],
        "networks": [asdict(item) for item in inventory.networks],
        "dependencies": [asdict(item) for item in inventory.dependencies],
        "notes": list(inventory.notes),
        "gaps": list(inventory.gaps),
    }
    with project.write() as db:
        number = (
            db.table("inventory")
            .insert(
                {
                    "fingerprint": fingerprint,
                    "source": inventory.source,
                    "taken_at": inventory.taken_at,
                    "stored_at": utc_now(),
                    "vms": len(inventory.vms),
                    "size_bytes": sum(volume.size_bytes for volume in volumes(inventory)),
                    "estate": _dump(estate),
                }
            )
            .last_pk
        )
        db.table("inventory_vm").insert_all(
            {
                "inventory": number,
                "position": position,
                "id": vm.id,
                "name": vm.name,
                "cluster": vm.cluster,
                "power": vm.power.value,
                "guest_os": vm.guest_os,
                "cpus": vm.cpus,
                "memory_bytes": vm.memory_bytes,
                "disk_bytes": vm.disk_bytes,
                "application": vm.application,
                "detail": _dump(asdict(vm)),
            }
            for position, vm in enumerate(inventory.vms)
        )
    return StoredInventory(int(number or 0), fingerprint, inventory)


def summary(project: Project) -> Summary:
    """Return the head of the newest snapshot; raises NotFound when nothing was discovered yet."""
    rows = project.rows(
        "SELECT id, fingerprint, source, taken_at, vms, size_bytes FROM inventory ORDER BY id DESC LIMIT 1"
    )
    if not rows:
        raise NotFound("the project has no inventory yet", "run 'wherry discover FILE' first")
    return Summary(*rows[0])


def latest(project: Project) -> StoredInventory:
    """Return the newest snapshot; raises NotFound when nothing was discovered yet."""
    row = project.rows("SELECT * FROM inventory WHERE id = ?", summary(project).id)[0]
    estate = json.loads(row["estate"])
    vms = project.rows("SELECT detail FROM inventory_vm WHERE inventory = ? ORDER BY position", row["id"])
    return StoredInventory(
        int(row["id"]),
        row["fingerprint"],
        Inventory(
            source=row["source"],
            taken_at=row["taken_at"],
            vms=tuple(_vm(item["detail"]) for item in vms),
            hosts=tuple(Host(**item) for item in estate["hosts"]),
            clusters=tuple(Cluster(**item) for item in estate["clusters"]),
            datastores=tuple(Datastore(**item) for item in estate["datastores"]),
            networks=tuple(Network(**item) for item in estate["networks"]),
            dependencies=tuple(
                Dependency(**{**item, "tie": Tie(item["tie"])}) for item in estate["dependencies"]
            ),
            notes=tuple(estate["notes"]),
            gaps=tuple(estate["gaps"]),
        ),
    )
