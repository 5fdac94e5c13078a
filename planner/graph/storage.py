"""Ties made of storage: volumes that several VMs use, and linked clones of one parent disk.

Nobody can refuse them; they end when the disk is detached or the clone made whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from planner.graph.chains import joined
from planner.graph.edge import Edge
from planner.model import VM, BusSharing, Inventory, Tie, Volume
from planner.names import visible
from planner.volumes import base_path, datastore_of, folder_of, shared_volumes

_NAMED = 4  # shared disks that one reason names
_Place = tuple[str, str, str]  # vCenter, datacenter, and a path or folder in it


def describe(volume: Volume) -> str:
    """Return what a volume is called by those who look for it: its LUN or its path, made visible."""
    disk = volume.attachments[0].disk
    if volume.backing.is_rdm and disk.lun:
        return f"LUN {visible(disk.lun)}"
    return f"VMDK {visible(base_path(disk.path))}" if disk.path else f"disk {visible(disk.label)}"


def _sharing(volume: Volume) -> str:
    modes = {item.disk.bus_sharing for item in volume.attachments}
    if BusSharing.PHYSICAL in modes:
        return " with physical bus sharing"
    if BusSharing.VIRTUAL in modes:
        return " with virtual bus sharing"
    if any(item.disk.multi_writer for item in volume.attachments):
        return " as multi-writer"
    return ""


def volume_edges(inventory: Inventory) -> Iterator[Edge]:
    """Yield the ties of VMs that use the same VMDK or LUN."""
    held: dict[tuple[str, ...], list[Volume]] = {}
    for volume in shared_volumes(inventory):
        users = tuple(dict.fromkeys(item.vm.id for item in volume.attachments))
        held.setdefault(users, []).append(volume)
    for shared in held.values():
        vms = list({item.vm.id: item.vm for item in shared[0].attachments}.values())
        named = [f"{describe(volume)}{_sharing(volume)}" for volume in shared[:_NAMED]]
        if len(shared) > _NAMED:
            named.append(f"{len(shared) - _NAMED} more disks")
        evidence = f"inventory: volume {', '.join(volume.id for volume in shared)}"
        for a, b in joined(vms):
            yield Edge(a.id, b.id, Tie.HARD, "volume", f"both use {', '.join(named)}", evidence, mutual=True)


def _home(path: str) -> str:
    """Return ``[ds] folder`` of a file, "" when it lies in no folder."""
    folder = folder_of(path)
    return f"[{datastore_of(path)}] {folder}" if folder else ""


def _parents(inventory: Inventory) -> dict[_Place, list[VM]]:
    """Return the VMs of each parent disk that lies outside the folders of the VM itself."""
    found: dict[_Place, list[VM]] = {}
    for vm in inventory.vms:
        outside = {
            base_path(disk.parent) for disk in vm.disks if disk.parent and _home(disk.parent)
        }  # fmt: skip
        if not outside:
            continue
        own = {_home(vm.vmx_path), *(_home(disk.path) for disk in vm.disks)}
        for parent in sorted(outside):
            if _home(parent) not in own:
                found.setdefault((vm.vcenter, vm.datacenter, parent), []).append(vm)
    return found


def clone_edges(inventory: Inventory) -> Iterator[Edge]:
    """Yield the ties of linked clones: with the VM whose folder holds the parent disk, and among them."""
    parents = _parents(inventory)
    if not parents:
        return
    wanted = {(vcenter, datacenter, _home(path)) for vcenter, datacenter, path in parents}
    owners: dict[_Place, VM] = {}
    for vm in inventory.vms:
        for path in (vm.vmx_path, *(disk.path for disk in vm.disks)):
            place = (vm.vcenter, vm.datacenter, _home(path))
            if place in wanted:
                owners.setdefault(place, vm)
    for (vcenter, datacenter, path), clones in parents.items():
        owner = owners.get((vcenter, datacenter, _home(path)))
        family = list({vm.id: vm for vm in (*([owner] if owner else []), *clones)}.values())
        for a, b in joined(family):
            if owner is not None and owner.id in (a.id, b.id):
                clone = b if a is owner else a
                reason = f"{visible(clone.name)} is a linked clone of {visible(owner.name)}"
            else:
                reason = "both are linked clones of one disk"
            said = f"{reason}: {visible(path)}"
            yield Edge(a.id, b.id, Tie.HARD, "clone", said, "inventory: parent disk", mutual=True)
