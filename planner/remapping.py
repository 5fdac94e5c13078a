"""What a remap means for a volume: its size proved in sectors, what to look after, the way back.

    VMDK to VMDK        keep
    RDM to VMDK         the LUN's sectors become a file
    VMDK to RDM         a file's sectors go onto a LUN
    RDM to RDM          onto another LUN, never the same one

Sentences here explain a decision that ``remap`` took; they change nothing of what is done.
"""

from __future__ import annotations

from enum import StrEnum

from planner.model import Attachment, Backing, BusSharing, Disk, Volume
from planner.names import visible
from planner.units import SECTOR, show_count

_NO_UNIT = 99  # behind every unit that a controller has


class Remapping(StrEnum):
    """What becomes of the backing of a disk."""

    KEEP = "keep"
    RDM_TO_VMDK = "RDM to VMDK"
    VMDK_TO_RDM = "VMDK to RDM"
    RDM_TO_RDM = "RDM to RDM on another LUN"


def remapping(source: Backing, target: Backing) -> Remapping:
    """Return which of the four it is. An RDM at the target always is on another LUN than the source's."""
    if source.is_rdm:
        return Remapping.RDM_TO_RDM if target.is_rdm else Remapping.RDM_TO_VMDK
    return Remapping.VMDK_TO_RDM if target.is_rdm else Remapping.KEEP


def sectors(volume: Volume) -> int:
    """Return the sectors of 512 bytes that a LUN needs to hold the volume."""
    return -(-volume.size_bytes // SECTOR)


def reserved(volume: Volume) -> bool:
    """Return whether nodes on several hosts reserve it with SCSI commands."""
    return any(item.disk.bus_sharing is BusSharing.PHYSICAL for item in volume.attachments)


def _slot(disk: Disk) -> tuple[int, int]:
    return disk.bus or 0, _NO_UNIT if disk.unit is None else disk.unit


def is_boot_disk(item: Attachment) -> bool:
    """Return whether it is the VM's first disk by slot, which firmware boots from unless told otherwise."""
    return min(item.vm.disks, key=_slot, default=item.disk).key == item.disk.key


def may_boot(item: Attachment) -> bool:
    """Return whether the VM may boot from the disk: no other one is certainly before it."""
    return item.disk.unit is None or _slot(item.disk) == min(map(_slot, item.vm.disks))


def _surplus(volume: Volume, lun_bytes: int) -> int:
    return lun_bytes // SECTOR - sectors(volume)


def proof(volume: Volume, target: Backing, lun: str, lun_bytes: int) -> str:
    """Return the sentence that compares the sectors of both sides; empty for a VMDK that stays one."""
    needed = sectors(volume)
    kind = remapping(volume.backing, target)
    if kind is Remapping.KEEP:
        return ""
    if kind is Remapping.RDM_TO_VMDK:
        return f"the VMDK is made with {needed} sectors, as many as the LUN shows the guest"
    surplus = _surplus(volume, lun_bytes)
    more = "no more and no less" if surplus == 0 else f"{surplus} more than the disk has"
    return f"LUN {visible(lun)} has {needed + surplus} sectors, the disk {needed}: {more}"


def mind(volume: Volume, target: Backing, lun_bytes: int) -> tuple[str, ...]:
    """Return what people have to look after for this disk, one sentence each."""
    kind = remapping(volume.backing, target)
    shared_bus = reserved(volume)
    multi_writer = any(item.disk.multi_writer for item in volume.attachments)
    if kind is Remapping.KEEP and not (shared_bus or multi_writer):
        return ()
    said = []
    if shared_bus and target is Backing.VMDK:
        said.append(
            "nodes of a cluster reserve it: the target datastore must be VMFS 6 with clustered VMDKs "
            "switched on, and the VMDK eager-zeroed"
        )
    elif shared_bus:
        said.append(
            "nodes of a cluster reserve it: zone the LUN to every host that may run a node, and mark it "
            "perennially reserved there"
        )
    if multi_writer and target is Backing.VMDK:
        said.append("several VMs write it at once: outside of vSAN the VMDK must be eager-zeroed")
    if volume.backing is Backing.RDM_PHYSICAL:
        said.append("it has no snapshots and no change tracking: compared whole after the stop")
    if target is Backing.RDM_PHYSICAL:
        said.append(
            "no snapshots and no change tracking at the target: backups through the hypervisor skip it"
        )
        kept = sum(len(item.vm.snapshots) for item in volume.attachments)
        if kept:
            said.append(f"{show_count(kept, 'snapshot')} of its VMs cannot be kept at the target")
    if kind is not Remapping.KEEP and any(is_boot_disk(item) for item in volume.attachments):
        said.append(
            "a VM may boot from it: it stays at its controller and unit, try the boot in the rehearsal"
        )
    if target.is_rdm and (surplus := _surplus(volume, lun_bytes)) > 0:
        said.append(
            f"the guest sees {surplus} sectors more: nothing may grow into them before commit, nor after it "
            "as long as it may come home; the second header of a GPT stays where it was until someone moves "
            "it"
        )
    return tuple(said)


def way_back(volume: Volume, target: Backing, lun: str) -> str:
    """Return how the disk returns, before commit and after; empty for a VMDK that stays one."""
    kind = remapping(volume.backing, target)
    if kind is Remapping.KEEP:
        return ""
    needed = sectors(volume)
    named = next((item.disk.lun for item in volume.attachments if item.disk.lun), "")
    origin = (
        (f"LUN {visible(named)}" if named else "the source LUN")
        if volume.backing.is_rdm
        else "the source VMDK"
    )
    zoned = ", still mapped and zoned," if volume.backing.is_rdm else ""
    here = f"LUN {visible(lun)}" if lun else "the VMDK"
    return (
        f"until commit {origin}{zoned} was not written: start the source VM; after commit the first "
        f"{needed} sectors of {here} go back onto it, as long as zeros lie past them: use no more of it, and "
        f"do not release {origin} before"
    )
