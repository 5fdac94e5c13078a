"""Volumes: every distinct backing of the estate, once, with everyone attached to it.

Two disks are one volume when they name the same VMDK of the same datacenter or the same LUN.
A disk whose source names neither is never taken for shared: sharing is claimed on evidence only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from planner.model import VM, Attachment, Backing, Disk, Inventory, Volume

_DELTA = re.compile(r"-\d{6}\.vmdk$", re.IGNORECASE)


def base_path(path: str) -> str:
    """Return a VMDK path without the number a snapshot gave it: ``x-000002.vmdk`` is ``x.vmdk``.

    Case is kept: datastores tell it apart.
    """
    return _DELTA.sub(".vmdk", path.strip())


def datastore_of(path: str) -> str | None:
    """Return ``ds`` of ``[ds] folder/file``, empty when the brackets are; None when there are none."""
    return path[1:].partition("]")[0].strip() if path.startswith("[") and "]" in path else None


def folder_of(path: str) -> str:
    """Return ``folder`` of ``[ds] folder/file``, empty when the file lies in no folder."""
    return path.rpartition("]")[2].strip().rpartition("/")[0]


def _identity(vm: VM, disk: Disk) -> tuple[str, ...] | None:
    if disk.backing.is_rdm:
        # A LUN id is unique in the world; hexadecimal digits are written in either case.
        return ("lun", disk.lun.strip().casefold()) if disk.lun.strip() else None
    path = base_path(disk.path)
    # A datastore name is unique within its datacenter only.
    return ("vmdk", vm.vcenter, vm.datacenter, path) if path else None


def _volume(attachments: list[Attachment]) -> Volume:
    first = attachments[0]
    backings = [item.disk.backing for item in attachments]
    # One physical mapping is enough to lose snapshots and change tracking for all of them.
    backing = Backing.RDM_PHYSICAL if Backing.RDM_PHYSICAL in backings else backings[0]
    return Volume(
        id=f"{first.vm.id}/{first.disk.key}",
        backing=backing,
        size_bytes=max(item.disk.size_bytes for item in attachments),
        attachments=tuple(attachments),
    )


def _keyed(inventory: Inventory) -> Iterator[tuple[tuple[str, ...], VM, Disk]]:
    for vm in inventory.vms:
        for disk in vm.disks:
            yield _identity(vm, disk) or ("own", vm.vcenter, vm.id, disk.key), vm, disk


def volumes(inventory: Inventory) -> tuple[Volume, ...]:
    """Return every distinct backing once, in inventory order of its first attachment.

    The id is ``<VM id>/<disk key>`` of that first attachment; the size is the largest one said.
    """
    found: dict[tuple[str, ...], list[Attachment]] = {}
    for key, vm, disk in _keyed(inventory):
        found.setdefault(key, []).append(Attachment(vm, disk))
    return tuple(_volume(attachments) for attachments in found.values())


def shared_volumes(inventory: Inventory) -> tuple[Volume, ...]:
    """Return those of ``volumes`` that several VMs use; most disks are nobody else's and cost little."""
    keyed = list(_keyed(inventory))
    owner: dict[tuple[str, ...], str] = {}
    several = {key for key, vm, _ in keyed if owner.setdefault(key, vm.id) != vm.id}
    found: dict[tuple[str, ...], list[Attachment]] = {}
    for key, vm, disk in keyed:
        if key in several:
            found.setdefault(key, []).append(Attachment(vm, disk))
    return tuple(_volume(attachments) for attachments in found.values())


def own_volume(vm: VM, disk: Disk) -> Volume:
    """Return the volume of a disk that nobody else uses."""
    return _volume([Attachment(vm, disk)])
