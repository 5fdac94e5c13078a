"""Whether the disks of a wave are known. A source may list VMs and no disks; then its size is not zero
but unknown, and so are the times that follow from it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from planner.model import VM

if TYPE_CHECKING:
    from planner.plan import Wave


def lacks_disks(vm: VM, gaps: Collection[str]) -> bool:
    """Return whether the source of a VM had no word on disks; ``gaps`` are those of its inventory."""
    return "disks" in gaps or "disks" in vm.gaps


def is_sized(wave: Wave, vms: Mapping[str, VM], gaps: Collection[str]) -> bool:
    """Return whether every VM of a wave has all its disks in the plan, each with a size.

    ``vms`` by id and ``gaps`` are of an inventory, which may be newer than the plan: a VM without a disk
    in the plan has none only where the inventory says so.
    """
    if any(disk.size_bytes <= 0 for disk in wave.disks):
        return False
    return all(
        (seen := vms.get(vm)) is not None and not seen.disks and not lacks_disks(seen, gaps)
        for vm in diskless(wave)
    )


def diskless(wave: Wave) -> tuple[str, ...]:
    """Return the ids of VMs that a wave copies no disk of."""
    holding = {item.vm for disk in wave.disks for item in disk.attachments}
    return tuple(vm.id for vm in wave.vms if vm.id not in holding)
