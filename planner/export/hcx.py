"""The plan's move groups as a table for VMware HCX: one VM a row, one mobility group a move group.

HCX reads no file of its own; the columns are the properties of its mobility group and migration
objects, for a script that creates these. Names get an apostrophe where a spreadsheet would run them:
look VMs up by ``VMId``.
"""

from __future__ import annotations

from planner.export.csv import table_bytes
from planner.export.printout import Cell, Printout, Table
from planner.model import VM, Method
from planner.names import visible
from planner.plan import PlannedDisk, PlannedVM, Wave
from planner.units import show_count

COLUMNS = (
    "MobilityGroup", "VMId", "VM", "SourceVCenter", "MigrationType", "ScheduleStartTime",
    "ScheduleEndTime", "NetworkMapping", "TargetComputeContainer", "TargetComputeFolder",
    "TargetDatastore", "TargetStorageProfile", "DiskProvisionType", "RetainMac", "ForcePowerOffVm",
    "RemoveISOs", "RemoveSnapshots", "UpgradeVMTools", "UpgradeHardware", "EnableSeedCheckpoint",
    "BootBatch", "Attention",
)  # fmt: skip


def _attention(vm: PlannedVM, disks: list[PlannedDisk], seen: VM | None) -> str:
    """Return what replication by HCX has to be asked about before this VM is scheduled."""
    words = []
    if elsewhere := {disk.datastore for disk in disks if disk.datastore} - {vm.datastore}:
        words.append(f"has disks for {', '.join(sorted(map(visible, elsewhere)))}")
    if any(disk.source.is_rdm for disk in disks):
        words.append("raw device mapping")
    if any(len({item.vm for item in disk.attachments}) > 1 for disk in disks):
        words.append("shares a disk")
    if out := sum(disk.left_out for disk in disks):
        words.append(f"{show_count(out, 'disk')} left out by decision, which HCX copies")
    if seen and seen.snapshots:
        words.append("has snapshots")
    return "; ".join(words)


def _rows(printout: Printout, wave: Wave) -> list[tuple[Cell, ...]]:
    warm = printout.settings is None or printout.settings.method is Method.WARM
    window = wave.window
    times = [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (window.start_utc, window.end_utc)] if window else ["", ""]
    group_of = {vm: group.name for group in wave.groups for vm in group.vms}
    batch_of = {vm: at for at, batch in enumerate(wave.boot, 1) for vm in batch}
    disks_of: dict[str, list[PlannedDisk]] = {}
    for disk in wave.disks:
        for vm_id in dict.fromkeys(item.vm for item in disk.attachments):
            disks_of.setdefault(vm_id, []).append(disk)
    rows: list[tuple[Cell, ...]] = []
    for vm in wave.vms:
        seen = printout.vms.get(vm.id)
        networks = "; ".join(dict.fromkeys(f"{nic.source}=>{nic.target}" for nic in vm.nics))
        rows.append(
            (
                visible(f"{wave.name} {group_of.get(vm.id, '')}"),
                visible(seen.moref or seen.id) if seen else visible(vm.id),
                visible(vm.name),
                visible(seen.vcenter) if seen else "",
                "Bulk" if warm and vm.powered_on else "Cold",
                *times,
                visible(networks),
                "", visible(vm.folder), visible(vm.datastore), "", "",
                "True", "False", "True", "False", "False", "False", "True",
                batch_of.get(vm.id, ""),
                _attention(vm, disks_of.get(vm.id, []), seen),
            )
        )  # fmt: skip
    return rows


def render(printout: Printout) -> bytes:
    """Return the table's bytes, header first."""
    rows = tuple(row for wave in printout.plan.waves for row in _rows(printout, wave))
    return table_bytes(Table("Mobility groups", COLUMNS, rows))
