"""Checks of snapshots at the source, and of files that hang on others. Age is counted to the inventory."""

from __future__ import annotations

from collections.abc import Iterator

from planner.checks.check import Rule, Work, by_method, rule
from planner.checks.estate import Estate, moment
from planner.checks.raw import named
from planner.model import VM, Disk, Severity
from planner.names import visible
from planner.units import show_count
from planner.volumes import base_path, datastore_of, folder_of

RULES: list[Rule] = []
OLD_DAYS = 7
MANY = 3
_DELETE = Work(effort_min=15, lead_days=2)
_PARENT = "config.hardware.device[VirtualDisk].backing.parent"


@rule(
    RULES,
    "snapshots.old",
    Severity.WARNING,
    f"Snapshot older than {OLD_DAYS} days",
    condition=f"a snapshot was made more than {OLD_DAYS} days before the inventory was taken",
    properties=("snapshot.rootSnapshotList.createTime",),
    reference="vSphere API: VirtualMachineSnapshotTree.createTime; RVTools vSnapshot: Date / time",
    why="It grows with every write and slows the copy, and it does not move: the target gets the present "
    "state only.",
    remedy="delete the snapshot, or tell its owner that it stays behind",
    work=_DELETE,
    kinds=("snapshots",),
)
def old_snapshots(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: snapshot older than a week."""
    for snapshot in vm.snapshots:
        created = moment(snapshot.created)
        if created is None or estate.taken_at is None:
            yield None
        elif (days := (estate.taken_at - created).days) > OLD_DAYS:
            shown = visible(snapshot.name, 60) or "no name"
            yield f"{visible(vm.name)} has a snapshot of {days} days: {shown}"


@rule(
    RULES,
    "snapshots.many",
    by_method(Severity.WARNING, Severity.INFO),
    f"More than {MANY} snapshots",
    condition=f"the VM has more than {MANY} snapshots",
    properties=("snapshot.rootSnapshotList",),
    reference="vSphere API: VirtualMachineSnapshotInfo.rootSnapshotList; RVTools vSnapshot",
    why="Every read of the disk searches the whole chain, and removing it takes hours.",
    remedy="delete the snapshots before the first copy",
    work=_DELETE,
    kinds=("snapshots",),
)
def many_snapshots(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: more than three snapshots."""
    if len(vm.snapshots) > MANY:
        yield f"{visible(vm.name)} has {len(vm.snapshots)} snapshots"


def _of_another(disk: Disk) -> bool:
    """Return whether the disk hangs on a file in another folder: a linked clone."""
    if not disk.parent or datastore_of(disk.parent) is None or datastore_of(disk.path) is None:
        return False
    here = datastore_of(disk.path), folder_of(disk.path)
    return here != (datastore_of(disk.parent), folder_of(disk.parent))


@rule(
    RULES,
    "snapshots.chain",
    by_method(Severity.BLOCKER, Severity.WARNING),
    "Delta file without a snapshot",
    condition="a disk hangs on a parent in its own folder or is a delta file by its name, the VM has no "
    "snapshot, and the vCenter does not ask for consolidation",
    properties=(_PARENT, "snapshot", "runtime.consolidationNeeded"),
    reference="vSphere API: VirtualDiskFlatVer2BackingInfo.parent; RVTools vDisk: Path",
    why="A chain that no snapshot owns is left over from a removal that failed; it grows unseen, and the "
    "next snapshot may break it.",
    remedy="consolidate the disks; if that finds nothing to do, clone the VM",
    work=Work(effort_min=60, lead_days=2, fix="consolidate"),
    kinds=("disks", "snapshots"),
)
def orphaned_chain(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: delta file without a snapshot."""
    if vm.snapshots or vm.consolidation_needed:
        return
    for disk in vm.disks:
        if _of_another(disk):
            continue
        if disk.parent or base_path(disk.path) != disk.path.strip():
            yield f"{named(vm, disk)} is the end of a delta chain and the VM has no snapshot"
        elif disk.parent is None and not disk.backing.is_rdm:
            yield None


@rule(
    RULES,
    "snapshots.linked-clone",
    Severity.WARNING,
    "Linked clone",
    condition="the parent of a disk lies in the folder of another VM",
    properties=(_PARENT,),
    reference="vSphere API: VirtualDiskFlatVer2BackingInfo.parent",
    why="The copy holds the whole disk and not the link, so it takes the full size at the target; the parent "
    "must not go before it is copied.",
    remedy="make it a full clone, or plan the full size and move the parent last",
    work=Work(effort_min=60, lead_days=3),
    kinds=("disks",),
)
def linked_clone(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: linked clone."""
    for disk in vm.disks:
        if disk.parent is None and not disk.backing.is_rdm:
            yield None
        elif _of_another(disk):
            yield f"{named(vm, disk)} is a linked clone of {visible(disk.parent or '', 80)}"


@rule(
    RULES,
    "snapshots.size",
    by_method(Severity.WARNING, Severity.INFO),
    "Snapshots as large as the disks",
    condition="the snapshots together hold more than half of what the disks are provisioned with",
    properties=("layoutEx.snapshot", "layoutEx.file", "config.hardware.device[VirtualDisk].capacityInBytes"),
    reference="RVTools vSnapshot: Size MiB (total)",
    why="Removing them copies all of it back into the disks, for hours and with a stall of the guest at the "
    "end.",
    remedy="delete the snapshots in a quiet hour well before the first copy",
    work=Work(effort_min=60, lead_days=5),
    kinds=("snapshots", "disks"),
)
def large_snapshots(vm: VM, estate: Estate) -> Iterator[str | None]:
    """Find: snapshots as large as half the disks or more."""
    if not vm.snapshots:
        return
    total = sum(snapshot.size_bytes or 0 for snapshot in vm.snapshots)
    if total * 2 > vm.disk_bytes > 0:
        count = show_count(len(vm.snapshots), "snapshot")
        yield f"{visible(vm.name)} has {count} that hold {total * 100 // vm.disk_bytes} % of its disks' size"
    elif vm.disk_bytes <= 0 or any(snapshot.size_bytes is None for snapshot in vm.snapshots):
        yield None
