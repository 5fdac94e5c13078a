"""Whether the disks of a wave are known. A source may list VMs and no disks; then its size is not zero
but unknown, and so are the times that follow from it. What is known of it is the least it can be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from planner.units import show_bytes

if TYPE_CHECKING:
    from planner.model import VM
    from planner.plan import Wave


class AtLeast(int):
    """Bytes of which only a part is known: there are more, and 0 says nothing."""

    __slots__ = ()


def size_of(known_bytes: int, sized: bool) -> int:
    """Return bytes that say themselves whether they are all."""
    return known_bytes if sized else AtLeast(known_bytes)


def show_size(size_bytes: int) -> str:
    """Return ``3.2 TiB``, ``at least 3.2 TiB`` or ``unknown``."""
    if not isinstance(size_bytes, AtLeast):
        return show_bytes(size_bytes)
    return f"at least {show_bytes(size_bytes)}" if size_bytes else "unknown"


def lacks_disks(vm: VM, gaps: Collection[str]) -> bool:
    """Return whether the source of a VM had no word on disks; ``gaps`` are those of its inventory."""
    return "disks" in gaps or "disks" in vm.gaps


def holds_all(vm: VM, gaps: Collection[str]) -> bool:
    """Return whether all disks of a VM are known, each with a size."""
    return all(disk.size_bytes > 0 for disk in vm.disks) if vm.disks else not lacks_disks(vm, gaps)


def unsized(wave: Wave, vms: Mapping[str, VM], gaps: Collection[str]) -> frozenset[str]:
    """Return the ids of VMs of a wave that have not all their disks in the plan, each with a size.

    ``vms`` by id and ``gaps`` are of an inventory, which may be newer than the plan: a VM without a disk
    in the plan has none only where the inventory says so.
    """
    bare = {item.vm for disk in wave.disks if disk.size_bytes <= 0 for item in disk.attachments}
    return frozenset(bare).union(
        vm for vm in diskless(wave) if (seen := vms.get(vm)) is None or seen.disks or lacks_disks(seen, gaps)
    )


def is_sized(wave: Wave, vms: Mapping[str, VM], gaps: Collection[str]) -> bool:
    """Return whether every VM of a wave has all its disks in the plan, each with a size."""
    return not unsized(wave, vms, gaps)


def diskless(wave: Wave) -> tuple[str, ...]:
    """Return the ids of VMs that a wave copies no disk of."""
    holding = {item.vm for disk in wave.disks for item in disk.attachments}
    return tuple(vm.id for vm in wave.vms if vm.id not in holding)
