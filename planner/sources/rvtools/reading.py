"""An RVTools export, versions 3.7 to 4.8, to an inventory.

    book ─▶ sheets by header ─▶ vInfo: who is who ─▶ joined: disks, adapters, snapshots, ... ─▶ platform

What the export does not say stays unknown, and everything repaired or left out is a note. Sheets are
read one after the other and forgotten; run it in a child (``planner.sources.rvtools``) on files of others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from planner.model import VM, Cdrom, Device, Disk, Host, Inventory, Lun, Nic, Partition, Snapshot
from planner.names import visible
from planner.sources.books import Limits, open_book
from planner.sources.isolation import Report
from planner.sources.rvtools import clusters, devices, disks, hosts, machines, networks, services, storage
from planner.sources.rvtools.attributes import read_attributes
from planner.sources.rvtools.devices import ByVM
from planner.sources.rvtools.export import Export
from planner.sources.rvtools.headers import Sheet
from planner.sources.rvtools.identity import Roster, roster
from planner.sources.rvtools.joins import Owners
from planner.sources.rvtools.versions import Release, release
from planner.sources.vcenter.luns import LunNames
from planner.units import show_count

# A kind of the inventory's gaps, and the sheets of which one says something about it.
_GAPS = {
    "disks": ("vdisk",),
    "snapshots": ("vsnapshot",),
    "cdroms": ("vcd",),
    "usb": ("vusb",),
    "floppies": ("vfloppy",),
    "partitions": ("vpartition",),
    "hosts": ("vhost",),
    "clusters": ("vcluster",),
    "datastores": ("vdatastore",),
    "networks": ("vport", "dvport"),
    "luns": ("vmultipath",),
    "licences": ("vlicense",),
}
_NO_PLACEHOLDERS = (
    "vInfo has no column SRM Placeholder (RVTools writes it since 4.1.2): placeholders of Site Recovery "
    "Manager are not told from VMs, so look for VMs without disks whose names exist at another site, and "
    "exclude them"
)


@dataclass(slots=True)
class Devices:
    """What hangs on each VM, by its position."""

    disks: ByVM[Disk] = field(default_factory=dict)
    nics: ByVM[Nic] = field(default_factory=dict)
    snapshots: ByVM[Snapshot] = field(default_factory=dict)
    cdroms: ByVM[Cdrom] = field(default_factory=dict)
    usb: ByVM[Device] = field(default_factory=dict)
    floppies: ByVM[Device] = field(default_factory=dict)
    partitions: ByVM[Partition] = field(default_factory=dict)


def _devices(export: Export, people: Roster, owners: Owners, luns: Sequence[Lun]) -> Devices:
    found = Devices()
    used: dict[int, dict[str, int]] = {}
    if sheet := export.sheet("vpartition"):
        found.partitions, used = disks.read_partitions(sheet, owners)
    if sheet := export.sheet("vdisk"):
        found.disks, more = disks.read_disks(sheet, owners, used, LunNames.of(luns))
        export.notes += [*more, *_uncounted(people, found.disks)]
    if sheet := export.sheet("vnetwork"):
        found.nics = devices.read_nics(sheet, owners)
    else:
        found.nics = devices.nics_of_info(people.sheet, people.rows)
    if (sheet := export.sheet("vsnapshot")) is not None:
        found.snapshots = devices.read_snapshots(sheet, owners)
    if (sheet := export.sheet("vcd")) is not None:
        found.cdroms = devices.read_cdroms(sheet, owners)
    if (sheet := export.sheet("vusb")) is not None:
        found.usb = devices.read_usb(sheet, owners)
    if (sheet := export.sheet("vfloppy")) is not None:
        found.floppies = devices.read_floppies(sheet, owners)
    return found


def _uncounted(people: Roster, found: ByVM[Disk]) -> list[str]:
    said = people.sheet.wholes("disks")
    other = [
        visible(people.identities[at].name, 40)
        for at, row in enumerate(people.rows)
        if (count := said[row]) is not None and count != len(found.get(at, ()))
    ]
    if not other:
        return []
    shown = ", ".join(other[:3]) + (", ..." if len(other) > 3 else "")
    return [
        f"vInfo counts other numbers of disks than vDisk lists for {show_count(len(other), 'VM')} ({shown}): "
        "compare them at the source, a disk that is not listed is not moved"
    ]


def _vms(
    export: Export, people: Roster, version: Release, owners: Owners, found: Devices, cluster: Sheet | None
) -> tuple[tuple[VM, ...], bool]:
    """Return the VMs, and whether the export knows tags."""
    info = people.sheet
    processor = machines.Processor.read(export.sheet("vcpu"), owners)
    memory = machines.Memory.read(export.sheet("vmemory"), owners)
    tools = machines.Tools.read(export.sheet("vtools"), owners)
    said, tagged = read_attributes(info)
    backups = [item.fields.get("last_backup", "") for item in said]
    compute = machines.computes(people, processor, memory)
    guest = machines.guests(people, tools, found.partitions)
    management = machines.managements(people, clusters.restart_priorities(cluster, people.naming), backups)
    power, templates = list(map(machines.power, info.texts("powerstate"))), info.flags("template")
    placeholders, connection = info.flags("srmplaceholder"), info.texts("connectionstate")
    told = info.has("srmplaceholder")
    systems = info.texts("osaccordingtotheconfigurationfile", "osaccordingtothevmwaretools", "guestos")
    dns, cpus, sizes = info.texts("dnsname", "guesthostname"), info.wholes("cpus"), info.sizes("memory")
    firmware, versions = info.folded("firmware"), list(map(machines.hardware, info.texts("hwversion")))
    hosts_, clusters_, datacenters = info.texts("host"), info.texts("cluster"), info.texts("datacenter")
    folders, pools, apps = info.texts("folder"), info.texts("resourcepool"), info.texts("vapp")
    paths, bios, uuids = info.texts("path"), info.folded("smbiosuuid"), info.folded("vmuuid")
    cbt, consolidation = info.flags("cbt"), info.flags("consolidationneeded")
    tolerance, used, annotations = info.texts("ftstate"), info.sizes("inusemb"), info.texts("annotation")
    rules = list(map(clusters.split_rules, info.texts("clusterrulenames")))
    vms = []
    for at, row in enumerate(people.rows):
        who, words = people.identities[at], said[row].fields
        count, size = cpus[row], sizes[row]
        vms.append(
            VM(
                id=people.ids[at],
                name=who.name or people.ids[at],
                vcenter=who.vcenter,
                power=power[row],
                template=templates[row] or False,
                placeholder=placeholders[row] or False,
                gaps=("placeholders",) if told and placeholders[row] is None else (),
                guest_os=systems[row],
                dns_name=dns[row],
                cpus=max(processor.count.get(at, 0) if count is None else count, 0),
                memory_bytes=(memory.size_bytes.get(at) if size is None else size) or 0,
                firmware=firmware[row],
                hw_version=versions[row],
                host=hosts_[row],
                cluster=clusters_[row],
                datacenter=datacenters[row],
                folder=folders[row],
                resource_pool=pools[row],
                vapp=apps[row],
                vmx_path=paths[row],
                bios_uuid=bios[row] or (uuids[row] if version.uuid_of_instance is False else ""),
                instance_uuid=uuids[row] if version.uuid_of_instance else "",
                moref=who.moref,
                tools=tools.status.get(at, ""),
                cbt=cbt[row],
                consolidation_needed=consolidation[row],
                ft_state=tolerance[row],
                connection_state=connection[row],
                used_bytes=used[row],
                annotation=annotations[row],
                application=words.get("application", ""),
                tier=words.get("tier", ""),
                environment=words.get("environment", ""),
                owner=words.get("owner", ""),
                criticality=words.get("criticality", ""),
                window=words.get("window", ""),
                rules=rules[row],
                disks=found.disks.get(at, ()),
                nics=found.nics.get(at, ()),
                snapshots=found.snapshots.get(at, ()),
                cdroms=found.cdroms.get(at, ()),
                devices=(*found.usb.get(at, ()), *found.floppies.get(at, ())),
                guest=guest[at],
                compute=compute[at],
                management=management[at],
                tags=said[row].tags,
                attributes=said[row].attributes,
            )
        )
    return tuple(vms), tagged


def _alone(*sheets: Sheet | None) -> str:
    """Return the vCenter that sheets of the platform name when it is the only one, else ""."""
    named = {vcenter for sheet in sheets if sheet for vcenter in sheet.vcenters()} - {""}
    return named.pop() if len(named) == 1 else ""


def read_export(export: Export) -> Inventory:
    """Return the inventory of an opened export; raises BadInput."""
    metadata, source = export.sheet("vmetadata"), export.sheet("vsource")
    info = export.info()
    version = release(metadata, info, source is not None)
    host, cluster, store = export.sheet("vhost"), export.sheet("vcluster"), export.sheet("vdatastore")
    alone = _alone(host, cluster, store) or "".join(set(services.source_ids(source)) if source else ())
    people = roster(info, version, export.shown, alone)
    naming = people.naming
    export.notes += [*version.notes, *people.notes]
    export.names = frozenset(who.name for who in people.identities if who.name)
    owners = Owners(people.identities, people.twice)
    known: tuple[Host, ...] = ()
    if host is not None:
        hbas = hosts.read_hbas(export.sheet("vhba"), naming)
        known = hosts.read_hosts(host, hbas, hosts.read_vmkernel(export.sheet("vscvmk"), naming), naming, ())
    luns = storage.read_luns(export.sheet("vmultipath"), known, naming)
    found = _devices(export, people, owners, luns)
    vms, tagged = _vms(export, people, version, owners, found, cluster)
    known = known or hosts.read_hosts(None, {}, {}, naming, vms)
    ports, more = networks.read_networks(
        export.sheet("vport"), export.sheet("vswitch"), export.sheet("dvport"), naming, vms
    )
    vcenters = services.read_vcenters(source, people)
    pools = clusters.read_pools(export.sheet("vrp"), naming)
    licences = services.read_licences(export.sheet("vlicense"), naming)
    taken_at = export.taken_at(metadata)
    export.finish()
    gaps = [kind for kind, sheets in _GAPS.items() if not export.present.intersection(sheets)]
    if "vnetwork" not in export.present and not info.has("network1"):
        gaps.append("nics")
    if not info.has("srmplaceholder"):
        gaps.append("placeholders")
        export.notes.append(_NO_PLACEHOLDERS)
    return Inventory(
        source=f"rvtools:{export.path.name}",
        taken_at=taken_at,
        vms=vms,
        hosts=known,
        clusters=clusters.read_clusters(cluster, known, vms, clusters.read_rules(people), naming),
        datastores=storage.read_datastores(store, luns, naming, vms),
        networks=ports,
        notes=(*export.notes, *owners.notes, *more),
        # No version lists devices of a host, TPMs, or ports to the outside.
        gaps=(*gaps, "devices", *(() if tagged else ("tags",)), *(() if vcenters else ("vcenters",))),
        vcenters=vcenters,
        luns=luns,
        resource_pools=pools,
        folders=clusters.read_folders(people),
        licences=licences,
    )


def parse_rvtools(path: Path, limits: Limits | None = None, report: Report | None = None) -> Inventory:
    """Read an export (.xlsx, .xls, a folder of csv files) as an inventory, in this process; raises BadInput.

    VM ids are VM IDs (morefs), else as ``identity`` says; sizes are bytes; a template column
    left blank counts as no.
    """
    with open_book(path, limits) as book:
        return read_export(Export(book, path, report))
