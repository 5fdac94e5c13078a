"""RVTools workbooks, versions 3.10 to 4.8, to an inventory.

    read_sheets ─▶ tables by header ─▶ vInfo: the VMs ─▶ joined: disks, nics, snapshots, ...

What the workbook does not say stays unknown, and everything repaired or left out is a note.
vInfo is the only sheet that must be there.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from planner.errors import BadInput
from planner.model import VM, Cdrom, Disk, Inventory, Nic, Snapshot
from planner.names import visible
from planner.sources import devices, platform
from planner.sources.books import Limits, open_book
from planner.sources.cells import moment, text, whole
from planner.sources.headers import Row, Table, sheet_key, table
from planner.sources.joins import Identity, Owners, identity, repair_name_column
from planner.sources.machines import attribute_columns, machine, tools_status

# Sheets that are read, in the spelling of notes, with what is unknown when one is missing.
_READ = {
    "vinfo": "vInfo",
    "vdisk": "vDisk",
    "vnetwork": "vNetwork",
    "vsnapshot": "vSnapshot",
    "vcd": "vCD",
    "vtools": "vTools",
    "vpartition": "vPartition",
    "vhost": "vHost",
    "vcluster": "vCluster",
    "vdatastore": "vDatastore",
    "vport": "vPort",
    "dvport": "dvPort",
    "vmetadata": "vMetaData",
}
_UNKNOWN = {
    "vdisk": "disks are unknown",
    "vnetwork": "adapters, MAC addresses and IP addresses are unknown but for what vInfo says",
    "vsnapshot": "snapshots are unknown",
    "vcd": "CD drives are unknown",
    "vtools": "the status of VMware Tools is unknown",
    "vpartition": "used space inside guests is unknown",
    "vhost": "hosts are known by name only",
    "vcluster": "clusters are known by name only",
    "vdatastore": "datastores are known by name only",
}
# These may well hold nothing but their headers: there are no snapshots, no drives.
_MAY_BE_BARE = frozenset({"vinfo", "vsnapshot", "vcd", "vport", "dvport", "vmetadata"})
_PER_VM = ("vdisk", "vnetwork", "vsnapshot", "vcd", "vtools", "vpartition")


def _tables(path: Path, limits: Limits | None) -> tuple[dict[str, Table], list[str]]:
    shown = visible(path.name, 80)
    with open_book(path, limits) as book:
        sheets = {name: list(book.rows(name)) if sheet_key(name) in _READ else [] for name in book.weights}
    known = {sheet_key(name) for name in sheets} - {""}
    # "vHealth" alone could be anyone's sheet; two of RVTools' names are no accident.
    if "vinfo" not in known:
        if len(known) >= 2:
            raise BadInput(f"{shown} has no vInfo sheet", "export all sheets with RVTools, vInfo among them")
        names = ", ".join(visible(name, 30) for name in list(sheets)[:4]) or "none"
        raise BadInput(
            f"{shown} is not an RVTools workbook: its sheets are {names}",
            "name the .xlsx file that RVTools wrote",
        )
    tables: dict[str, Table] = {}
    notes: list[str] = []
    empty: set[str] = set()
    for name, rows in sheets.items():
        key = sheet_key(name)
        if key in tables:
            notes.append(
                f"a second sheet {_READ[key]} ({visible(name, 40)}) was left out: only the first is read"
            )
        elif key in _READ:
            found, more = table(_READ[key], rows)
            # Every estate with VMs has rows here: a sheet without them says nothing, not none.
            if any(found.rows()) or (key in _MAY_BE_BARE and (found.columns or key == "vinfo")):
                tables[key] = found
                notes += more
            else:
                empty.add(key)
    notes += [
        f"{_READ[key]} is {'empty' if key in empty else 'missing'}: {what}"
        for key, what in _UNKNOWN.items()
        if key not in tables
    ]
    return tables, notes


def _same(a: Row, b: Row) -> bool:
    width = max(len(a.cells), len(b.cells))
    cells = ([text(row.cells[at]) if at < len(row.cells) else "" for at in range(width)] for row in (a, b))
    return next(cells) == next(cells)


def _distinct(info: Table, shown: str) -> tuple[list[tuple[Row, Identity]], frozenset[int], list[str]]:
    """Return the rows of vInfo, each VM once, and the positions of those that stood there twice.

    Linked vCenters export a VM twice, the second time with newer figures: the same id, UUID and name
    are one VM. Raises BadInput for contradictory rows.
    """
    rows = [(row, identity(row)) for row in info.rows()]
    if sum(who.name == "VM" for _, who in rows) > 1:
        rows = [(row, replace(who, name="" if who.name == "VM" else who.name)) for row, who in rows]
        notes = ["vInfo has its VM names replaced by the word VM: VMs are called by their id"]
    else:
        notes = []
    nameless = sum(not (who.moref or who.uuid or who.name) for _, who in rows)
    if nameless:
        notes.append(f"vInfo has {nameless} rows with neither name nor id: they were left out")
    seen: dict[tuple[str, str], int] = {}
    kept: list[tuple[Row, Identity]] = []
    twice: list[int] = []
    for row, who in rows:
        key = who.moref or who.uuid or who.name
        if not key:
            continue
        at = seen.setdefault((who.vcenter, key), len(kept))
        if at == len(kept):
            kept.append((row, who))
            continue
        first, known = kept[at]
        if _same(first, row) or (who.uuid and who == known):
            twice.append(at)
        elif who.moref or who.uuid:
            raise BadInput(
                f"{shown} has two different VMs with the id {visible(key, 60)}: "
                f"rows {first.number} and {row.number} of vInfo",
                "delete the wrong row, or export each vCenter to a workbook of its own",
            )
        else:
            raise BadInput(
                f"{shown} has two VMs named {visible(key, 60)} and no ids to tell them apart: "
                f"rows {first.number} and {row.number} of vInfo",
                "export with RVTools 3.8 or newer, which writes VM ID",
            )
    if twice:
        notes.append(f"vInfo has {len(twice)} rows that repeat a VM: the first row of each was read")
    return kept, frozenset(twice), notes


def _ids(rows: list[tuple[Row, Identity]]) -> tuple[list[str], list[str]]:
    """Return a unique id for every VM, and notes on ids that are less than they should be."""
    several = len({who.vcenter for _, who in rows if who.vcenter}) > 1
    notes = []
    if several:
        notes.append("vInfo has VMs of several vCenters: ids carry the vCenter's id in front")
    without = sum(not who.moref for _, who in rows)
    if without:
        by_name = sum(not (who.moref or who.uuid) for _, who in rows)
        notes.append(
            f"vInfo has no VM ID for {without} VMs: "
            + (f"{by_name} are known by name alone" if by_name else "their VM UUID is used")
        )
    ids = []
    for _, who in rows:
        key = who.moref or who.uuid or who.name
        ids.append(f"{who.vcenter}/{key}" if several and who.vcenter else key)
    return ids, notes


def _gaps(tables: dict[str, Table]) -> tuple[str, ...]:
    gaps = [
        kind
        for kind, key in (("disks", "vdisk"), ("snapshots", "vsnapshot"), ("cdroms", "vcd"))
        if key not in tables
    ]
    if "vnetwork" not in tables and not tables["vinfo"].has("network1"):
        gaps.append("nics")
    return tuple(gaps)


def _taken_at(tables: dict[str, Table], path: Path) -> tuple[str, list[str]]:
    if (meta := tables.get("vmetadata")) is not None:
        for row in meta.rows():
            if said := moment(row.cell("xlsxcreationdatetime")):
                return said, []
    modified = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="seconds")
    return modified, ["vMetaData says no time of export: the file's own time was taken"]


def _joined(
    vms: list[VM], rows: list[Row], owners: Owners, tables: dict[str, Table], notes: list[str]
) -> tuple[VM, ...]:
    disks: devices.ByVM[Disk] = {}
    nics: devices.ByVM[Nic] = {}
    snapshots: devices.ByVM[Snapshot] = {}
    cdroms: devices.ByVM[Cdrom] = {}
    tools: dict[int, str] = {}
    if sheet := tables.get("vdisk"):
        disks, more = devices.read_disks(sheet, owners)
        notes += more
    if sheet := tables.get("vpartition"):
        disks = devices.add_guest_use(disks, sheet, owners)
    if sheet := tables.get("vnetwork"):
        nics = devices.read_nics(sheet, owners)
    else:
        nics = {at: devices.nics_of_info(row) for at, row in enumerate(rows)}
    if sheet := tables.get("vsnapshot"):
        snapshots = devices.read_snapshots(sheet, owners)
    if sheet := tables.get("vcd"):
        cdroms = devices.read_cdroms(sheet, owners)
    if sheet := tables.get("vtools"):
        tools = {at: tools_status(row.text("tools", "toolsstatus")) for at, row in owners.rows_of(sheet)}
    if "vdisk" in tables:
        other = [
            visible(vms[at].name, 40)
            for at, row in enumerate(rows)
            for said in [whole(row.cell("disks"))]
            if said is not None and said != len(disks.get(at, ()))
        ]
        if other:
            shown = ", ".join(other[:3]) + (", ..." if len(other) > 3 else "")
            notes.append(
                f"vInfo counts other numbers of disks than vDisk lists for {len(other)} VMs ({shown}): "
                "compare them at the source, a disk that is not listed is not moved"
            )
    return tuple(
        replace(
            vm,
            disks=disks.get(at, ()),
            nics=nics.get(at, ()),
            snapshots=snapshots.get(at, ()),
            cdroms=cdroms.get(at, ()),
            tools=tools.get(at, ""),
        )
        for at, vm in enumerate(vms)
    )


def read_rvtools(path: Path, limits: Limits | None = None) -> Inventory:
    """Read an RVTools workbook (.xlsx, .xls) as an inventory; raises BadInput.

    VM ids are VM IDs (morefs), else VM UUIDs, else names; sizes are bytes; a template or SRM
    placeholder column left blank counts as no.
    """
    shown = visible(path.name, 80)
    tables, notes = _tables(path, limits)
    tables["vinfo"], more = repair_name_column(tables["vinfo"], frozenset())
    notes += more
    info = tables["vinfo"]
    if not info.has("vm", "vmid", "vmuuid") or not info.has("powerstate", "vmid", "cpus"):
        raise BadInput(
            f"{shown} is not an RVTools workbook: its vInfo sheet has no columns VM and Powerstate",
            "name the .xlsx file that RVTools wrote",
        )
    kept, twice, more = _distinct(info, shown)
    notes += more
    if not kept:
        raise BadInput(
            f"{shown} lists no VMs in its vInfo sheet", "export again with an account that sees VMs"
        )
    ids, more = _ids(kept)
    notes += more
    owners = Owners([who for _, who in kept], twice)
    names = frozenset(who.name for _, who in kept if who.name)
    for key in _PER_VM:
        if key in tables:
            tables[key], more = repair_name_column(tables[key], names)
            notes += more
    attributes = attribute_columns(info)
    bare = [machine(row, who, vm_id, attributes) for (row, who), vm_id in zip(kept, ids, strict=True)]
    vms = _joined(bare, [row for row, _ in kept], owners, tables, notes)
    hosts = platform.read_hosts(tables.get("vhost"), vms)
    taken_at, more = _taken_at(tables, path)
    return Inventory(
        source=f"rvtools:{path.name}",
        taken_at=taken_at,
        vms=vms,
        hosts=hosts,
        clusters=platform.read_clusters(tables.get("vcluster"), hosts, vms),
        datastores=platform.read_datastores(tables.get("vdatastore"), vms),
        networks=platform.read_networks(tables.get("vport"), tables.get("dvport"), vms),
        notes=tuple(notes + owners.notes + more),
        gaps=_gaps(tables),
    )
