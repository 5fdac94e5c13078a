"""Datastores: what they are, who mounts them, and the LUNs under them."""

from __future__ import annotations

from planner.model import Datastore
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.places import Places, entity_name
from planner.sources.vcenter.values import at, flag, many, text, whole


def datastore(item: RawObject, places: Places) -> Datastore:
    """Return a datastore."""
    summary, info = item.values.get("summary"), item.values.get("info")
    capacity, free = whole(summary, "capacity"), whole(summary, "freeSpace")
    extents = tuple(name for part in many(info, "vmfs", "extent") if (name := text(part, "diskName")))
    nas = at(info, "nas")
    maintenance = text(summary, "maintenanceMode")
    return Datastore(
        id=item.ref.id,
        name=entity_name(text(item.values.get("name"))),
        kind=text(summary, "type"),
        capacity_bytes=capacity or 0,
        free_bytes=free or 0,
        vcenter=places.vcenter,
        datacenter=places.datacenter(text(item.values.get("parent"))),
        provisioned_bytes=(
            None
            if capacity is None or free is None
            else capacity - free + (whole(summary, "uncommitted") or 0)
        ),
        accessible=flag(summary, "accessible"),
        maintenance=maintenance != "normal" if maintenance else None,
        hosts=len(many(item.values["host"])) if "host" in item.values else None,
        multiple_hosts=flag(summary, "multipleHostAccess"),
        version=text(info, "vmfs", "version") or _nfs_version(text(nas, "type")),
        url=text(summary, "url"),
        address=":".join(filter(None, (text(nas, "remoteHost"), text(nas, "remotePath"))))
        or "".join(extents[:1]),
        extents=extents if at(info, "vmfs") is not None else () if info is not None else None,
    )


def _nfs_version(kind: str) -> str:
    return {"NFS": "3", "NFS41": "4.1"}.get(kind, "")
