"""The sheets about what VMs stand on: vCenters, pools, clusters, hosts, networks, datastores, licences."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from planner.export.rvtools.facts import SERVER, Cell, Rows, SheetFacts, Source, flag, limit_mib, mib, moment
from planner.export.rvtools.machines import DEFAULT_PRIORITY
from planner.model import Host, Lun, Network, ResourcePool

_HBAS = {
    "fc": "Fibre Channel",
    "fcoe": "FCoE",
    "iscsi": "iSCSI",
    "nvme": "NVMe",
    "sas": "SAS",
    "block": "Block",
}
_BINDINGS = {"static": "earlyBinding", "dynamic": "lateBinding"}


def _all(part: str) -> Rows:
    def rows(source: Source) -> Iterable[Any]:
        items: Iterable[Any] = getattr(source.inventory, part)
        return items

    return rows


def _of_hosts(part: str) -> Rows:
    """Return rows of (host, thing) for what hosts hold."""

    def rows(source: Source) -> Iterator[tuple[Host, Any]]:
        for host in source.inventory.hosts:
            for item in getattr(host, part) or ():
                yield host, item

    return rows


def _paths(source: Source) -> Iterator[tuple[Host, Lun]]:
    for lun in source.inventory.luns:
        for host_id in lun.hosts:
            if host := source.hosts.get(host_id):
                yield host, lun


def _port_groups(source: Source) -> Iterator[tuple[Host, Network]]:
    """Yield every standard port group of every host: RVTools repeats them."""
    standard = [one for one in source.inventory.networks if one.kind == "standard"]
    for host in source.inventory.hosts:
        for network in standard:
            if network.datacenter in {"", host.datacenter}:
                yield host, network


def _switches(source: Source) -> Iterator[tuple[Host, Network]]:
    seen: set[tuple[str, str]] = set()
    for host, network in _port_groups(source):
        if network.switch and (host.id, network.switch) not in seen:
            seen.add((host.id, network.switch))
            yield host, network


def _distributed(source: Source) -> Iterator[Network]:
    return (one for one in source.inventory.networks if one.kind == "distributed")


def _distributed_switches(source: Source) -> Iterator[Network]:
    return iter({(one.datacenter, one.switch): one for one in _distributed(source)}.values())


def _pools(source: Source) -> Iterator[ResourcePool]:
    return (one for one in source.inventory.resource_pools if not one.vapp)


def _pool_path(source: Source, row: ResourcePool) -> Cell:
    cluster = source.clusters.get(row.cluster)
    return f"/{cluster.datacenter if cluster else ''}/{row.cluster}/{row.path}"


def _product(source: Source, row: Host) -> Cell:
    if not row.version:
        return None
    return f"VMware ESXi {row.version} build-{row.build}" if row.build else f"VMware ESXi {row.version}"


def _placed(host: Any) -> dict[str, Any]:
    return {
        "Host": lambda source, row: host(row).name,
        "Datacenter": lambda source, row: host(row).datacenter or None,
        "Cluster": lambda source, row: host(row).cluster or None,
        **SERVER,
    }


_ON_HOST = _placed(lambda row: row[0])
_POLICY: dict[str, Any] = {
    "Mac Changes": lambda source, row: flag(_network(row).mac_changes),
    "Forged Transmits": lambda source, row: flag(_network(row).forged_transmits),
    "VLAN": lambda source, row: _network(row).vlan or None,
    "Switch": lambda source, row: _network(row).switch or None,
}


def _network(row: Any) -> Network:
    found: Network = row[1] if isinstance(row, tuple) else row
    return found


SOURCE = SheetFacts(
    lambda source: [source.server] if source.server.id else [],
    {
        "Name": lambda source, row: "VMware vCenter Server",
        "API version": lambda source, row: row.api_version or None,
        "Version": lambda source, row: row.version or None,
        "Build": lambda source, row: row.build or None,
        **SERVER,
    },
)
POOL = SheetFacts(
    _pools,
    {
        "Resource Pool name": lambda source, row: row.name,
        "Resource Pool path": _pool_path,
        "CPU limit": lambda source, row: row.cpu_limit_mhz,
        "CPU reservation": lambda source, row: row.cpu_reservation_mhz,
        "Mem limit": lambda source, row: limit_mib(row.memory_limit_bytes),
        "Mem reservation": lambda source, row: mib(row.memory_reservation_bytes),
        "Object ID": lambda source, row: source.bare(row.id),
        **SERVER,
    },
)
CLUSTER = SheetFacts(
    _all("clusters"),
    {
        "Name": lambda source, row: row.name,
        "NumHosts": lambda source, row: row.hosts,
        "HA enabled": lambda source, row: flag(row.ha),
        "AdmissionControlEnabled": lambda source, row: flag(row.admission_control),
        "Restart Priority": lambda source, row: DEFAULT_PRIORITY,
        "DRS enabled": lambda source, row: flag(row.drs),
        "DRS default VM behavior": lambda source, row: row.drs_mode or None,
        "Object ID": lambda source, row: source.bare(row.id),
        **SERVER,
    },
    kind="clusters",
)
HOST = SheetFacts(
    _all("hosts"),
    {
        **_placed(lambda row: row),
        "in Maintenance Mode": lambda source, row: flag(row.maintenance),
        "CPU Model": lambda source, row: row.cpu_model or None,
        "Speed": lambda source, row: row.cpu_mhz,
        "# Cores": lambda source, row: row.cpus or None,
        "# Memory": lambda source, row: mib(row.memory_bytes or None),
        "# HBAs": lambda source, row: None if row.hbas is None else len(row.hbas),
        "VMotion support": lambda source, row: flag(row.vmotion),
        "Current EVC": lambda source, row: row.evc_mode or None,
        "Max EVC": lambda source, row: row.evc_max or None,
        "Assigned License(s)": lambda source, row: row.licence or None,
        "ESX Version": _product,
        "NTP Server(s)": lambda source, row: ", ".join(row.ntp_servers or ()) or None,
        "NTPD running": lambda source, row: flag(row.ntp_running),
        "Vendor": lambda source, row: row.vendor or None,
        "Model": lambda source, row: row.model or None,
        "Certificate Expiry Date": lambda source, row: moment(row.certificate_expires),
        "Object ID": lambda source, row: source.bare(row.id),
    },
    kind="hosts",
)
HBA = SheetFacts(
    _of_hosts("hbas"),
    {
        **_ON_HOST,
        "Device": lambda source, row: row[1].device,
        "Type": lambda source, row: _HBAS.get(row[1].kind, row[1].kind) or None,
        "Status": lambda source, row: row[1].status or None,
        "Model": lambda source, row: row[1].model or None,
        "WWN": lambda source, row: row[1].wwn or None,
    },
)
SWITCH = SheetFacts(_switches, {**_ON_HOST, "Switch": lambda source, row: row[1].switch})
PORT = SheetFacts(
    _port_groups,
    {
        **_ON_HOST,
        "Port Group": lambda source, row: row[1].name,
        "Promiscuous Mode": lambda source, row: flag(row[1].promiscuous),
        **_POLICY,
    },
    kind="networks",
)
DV_SWITCH = SheetFacts(
    _distributed_switches,
    {
        "Switch": lambda source, row: row.switch or None,
        "Name": lambda source, row: row.switch or None,
        "Datacenter": lambda source, row: row.datacenter or None,
        **SERVER,
    },
)
DV_PORT = SheetFacts(
    _distributed,
    {
        "Port": lambda source, row: row.name,
        "Type": lambda source, row: _BINDINGS.get(row.binding, row.binding) or None,
        "Allow Promiscuous": lambda source, row: flag(row.promiscuous),
        "Object ID": lambda source, row: row.key or source.bare(row.id),
        **_POLICY,
        **SERVER,
    },
    kind="networks",
)
VMKERNEL = SheetFacts(_of_hosts("vmkernel_networks"), {**_ON_HOST, "Port Group": lambda source, row: row[1]})
DATASTORE = SheetFacts(
    _all("datastores"),
    {
        "Name": lambda source, row: row.name,
        "Address": lambda source, row: row.address or None,
        "Accessible": lambda source, row: flag(row.accessible),
        "Type": lambda source, row: row.kind or None,
        "Capacity MiB": lambda source, row: mib(row.capacity_bytes or None),
        "Provisioned MiB": lambda source, row: mib(row.provisioned_bytes),
        "In Use MiB": lambda source, row: (
            mib(row.capacity_bytes - row.free_bytes) if row.capacity_bytes else None
        ),
        "Free MiB": lambda source, row: mib(row.free_bytes) if row.capacity_bytes else None,
        "Free %": lambda source, row: (
            row.free_bytes * 100 // row.capacity_bytes if row.capacity_bytes else None
        ),
        "# Hosts": lambda source, row: row.hosts,
        "# Extents": lambda source, row: None if row.extents is None else len(row.extents),
        "Version": lambda source, row: row.version or None,
        "MHA": lambda source, row: flag(row.multiple_hosts),
        "URL": lambda source, row: row.url or None,
        "Object ID": lambda source, row: source.bare(row.id),
        **SERVER,
    },
    kind="datastores",
)
MULTIPATH = SheetFacts(
    _paths,
    {
        **_ON_HOST,
        "Datastore": lambda source, row: row[1].datastore or None,
        "Disk": lambda source, row: row[1].name,
        "Vendor": lambda source, row: row[1].vendor or None,
        "Model": lambda source, row: row[1].model or None,
        "Serial #": lambda source, row: row[1].serial or None,
        "UUID": lambda source, row: row[1].uuid or None,
    },
    kind="luns",
)
LICENCE = SheetFacts(
    _all("licences"),
    {
        "Name": lambda source, row: row.name,
        "Key": lambda source, row: row.key or None,
        "Total": lambda source, row: row.total,
        "Used": lambda source, row: row.used,
        "Expiration Date": lambda source, row: moment(row.expires) or "Never",
        **SERVER,
    },
    kind="licences",
)
