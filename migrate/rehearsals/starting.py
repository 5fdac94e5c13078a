"""Which copies of a rehearsal are started, and what the others mean for it.

    a disk in no checkpoint      its VM is built with empty disks and not started: nobody knows what its
                                 copy would be of, and a cluster on a torn disk proves nothing
    a VM that starts after it    is started; when it does not come up that says nothing, for what it may
                                 depend on is not there

A VM that was off stays off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from planner.freezing import is_shared, unfrozen
from planner.model import Backing
from planner.names import visible

if TYPE_CHECKING:
    from collections.abc import Collection

    from planner.plan import PlannedDisk, Wave

_NAMES = 3


def left_out(wave: Wave, unproved: Collection[str]) -> dict[str, str]:
    """Return the VMs that are not started, and why. ``unproved`` are volumes that are in no checkpoint."""
    found: dict[str, str] = {}
    disks = [disk for disk in wave.disks if disk.volume in unproved]
    for disk in sorted(disks, key=lambda disk: len(disk.attachments) < 2):  # what is shared explains the rest
        for held in disk.attachments:
            found.setdefault(held.vm, f"not started: {_why(wave, disk, held.vm)}")
    return found


def _why(wave: Wave, disk: PlannedDisk, vm: str) -> str:
    label = next(visible(held.label) for held in disk.attachments if held.vm == vm)
    others = [wave.vm(held.vm).name for held in disk.attachments if held.vm != vm]
    if disk.source is Backing.RDM_PHYSICAL and not others:
        return f"{label} is an RDM in physical mode, which is in no checkpoint"
    if others and any(is_shared(held) for held in disk.attachments):
        return f"it shares {label} with {named(others)}, and what VMs share is in no checkpoint"
    if disk.volume in unfrozen(wave):
        return "no snapshot of it can be taken, so its disks are in no checkpoint"
    return f"{label} is in no checkpoint"


def missed_by(wave: Wave, idle: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return for each VM that starts after one that is left out the names of those."""
    gone: tuple[str, ...] = ()
    found: dict[str, tuple[str, ...]] = {}
    for batch in wave.boot:
        found |= {vm: gone for vm in batch if gone and vm not in idle}
        gone += tuple(wave.vm(vm).name for vm in batch if vm in idle and wave.vm(vm).powered_on)
    return found


def disk_names(wave: Wave, volumes: Collection[str]) -> tuple[str, ...]:
    """Return what people call volumes of a wave: the name of the first VM that holds each, and its label."""
    first = [disk.attachments[0] for disk in wave.disks if disk.volume in volumes]
    return tuple(f"{wave.vm(held.vm).name} {held.label}" for held in first)


def named(names: Iterable[str]) -> str:
    """Return some names of VMs, harmless to print: ``db-1, db-2 and 3 more``."""
    known = sorted(visible(name) for name in names)
    more = f" and {len(known) - _NAMES} more" if len(known) > _NAMES else ""
    return ", ".join(known[:_NAMES]) + more
