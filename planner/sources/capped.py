"""Cut an inventory's disks down, so that a lab of a real estate fits on a laptop."""

from __future__ import annotations

from dataclasses import replace

from planner.model import VM, Disk, Inventory
from planner.units import MIB, show_bytes


def capped(inventory: Inventory, cap_bytes: int) -> Inventory:
    """Return the inventory with no disk larger than ``cap_bytes``, sizes in whole MiB, and a note."""
    note = f"No disk is larger than {show_bytes(cap_bytes)}: this inventory is for a lab, not for a move."
    return replace(
        inventory,
        vms=tuple(_vm(vm, cap_bytes) for vm in inventory.vms),
        notes=(*inventory.notes, note),
    )


def _vm(vm: VM, cap_bytes: int) -> VM:
    disks = tuple(_disk(disk, cap_bytes) for disk in vm.disks)
    used = None if vm.used_bytes is None else min(vm.used_bytes, sum(disk.size_bytes for disk in disks))
    return replace(vm, disks=disks, used_bytes=used)


def _disk(disk: Disk, cap_bytes: int) -> Disk:
    size_bytes = max(min(disk.size_bytes, cap_bytes) // MIB, 1) * MIB
    used = None if disk.used_bytes is None else min(disk.used_bytes, size_bytes)
    return replace(disk, size_bytes=size_bytes, used_bytes=used)
