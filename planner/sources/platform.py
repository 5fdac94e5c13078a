"""Hosts, clusters, datastores and networks of a workbook: from their sheets, else from the VMs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from planner.model import VM, Cluster, Datastore, Host, Network
from planner.sources.cells import mebibytes, whole
from planner.sources.devices import cores
from planner.sources.headers import Row, Table


def _vcenter(row: Row) -> str:
    # Object ids and names are unique within one vCenter; people merge the workbooks of several.
    return row.text("visdkuuid", "vcenteruuid", "visdkserver")


def _ids(found: Iterable[tuple[str, str]]) -> list[str]:
    """Return an id for each (vCenter, id): with the vCenter in front where one id stands in two."""
    pairs = list(found)
    counts = Counter(item for _, item in pairs)
    return [f"{vcenter}/{item}" if counts[item] > 1 else item for vcenter, item in pairs]


def read_hosts(sheet: Table | None, vms: Iterable[VM]) -> tuple[Host, ...]:
    """Return the hosts of vHost, else those that VMs run on."""
    if sheet is None:
        named = {vm.host: vm for vm in vms if vm.host}
        return tuple(Host(name, name, vm.cluster, vm.datacenter) for name, vm in sorted(named.items()))
    hosts: dict[tuple[str, str], Host] = {}
    for row in sheet.rows():
        name = row.text("host", "name")
        if name:
            host_id = row.text("objectid") or name
            hosts.setdefault(
                (_vcenter(row), host_id),
                Host(
                    host_id,
                    name,
                    cluster=row.text("cluster"),
                    datacenter=row.text("datacenter"),
                    version=row.text("esxversion", "esxiversion"),
                    cpus=cores(row),
                    memory_bytes=mebibytes(row.cell("memory")) or 0,
                ),
            )
    return tuple(replace(host, id=one) for one, host in zip(_ids(hosts), hosts.values(), strict=True))


def read_clusters(sheet: Table | None, hosts: Iterable[Host], vms: Iterable[VM]) -> tuple[Cluster, ...]:
    """Return the clusters of vCluster, else those that hosts and VMs name."""
    counted = Counter(host.cluster for host in hosts if host.cluster)
    clusters: dict[tuple[str, str], Cluster] = {}
    if sheet is not None:
        for row in sheet.rows():
            if name := row.text("name"):
                said = whole(row.cell("numhosts", "hosts"))
                clusters.setdefault(
                    (_vcenter(row), row.text("objectid") or name),
                    Cluster(name, name, counted[name] if said is None else said),
                )
    listed = {cluster.name for cluster in clusters.values()}
    for name in sorted({*counted, *(vm.cluster for vm in vms if vm.cluster)} - listed):
        clusters["", name] = Cluster(name, name, counted[name])
    return tuple(replace(one, id=at) for at, one in zip(_ids(clusters), clusters.values(), strict=True))


def read_datastores(sheet: Table | None, vms: Iterable[VM]) -> tuple[Datastore, ...]:
    """Return the datastores of vDatastore, else those that disk paths name."""
    if sheet is None:
        paths = (disk.path for vm in vms for disk in vm.disks)
        names = {path[1 : path.index("]")] for path in paths if path.startswith("[") and "]" in path}
        return tuple(Datastore(name, name) for name in sorted(names))
    stores: dict[tuple[str, str], Datastore] = {}
    for row in sheet.rows():
        if name := row.text("name"):
            store_id = row.text("objectid", "url") or name
            stores.setdefault(
                (_vcenter(row), store_id),
                Datastore(
                    store_id,
                    name,
                    row.text("type"),
                    mebibytes(row.cell("capacitymb")) or 0,
                    mebibytes(row.cell("freemb")) or 0,
                ),
            )
    return tuple(replace(store, id=at) for at, store in zip(_ids(stores), stores.values(), strict=True))


def read_networks(ports: Table | None, dv_ports: Table | None, vms: Iterable[VM]) -> tuple[Network, ...]:
    """Return port groups of vPort and dvPort once each, and networks only VMs name."""
    networks: dict[tuple[str, str], Network] = {}
    # vPort repeats a port group for every host; its id is made of what tells it apart.
    for sheet, keys in ((ports, ("portgroup",)), (dv_ports, ("port", "portgroup"))):
        for row in sheet.rows() if sheet else ():
            if name := row.text(*keys):
                switch = row.text("switch")
                network_id = row.text("objectid") or f"{switch}/{name}"
                networks.setdefault((switch, name), Network(network_id, name, row.text("vlan"), switch))
    listed = {network.name for network in networks.values()}
    used = {nic.network for vm in vms for nic in vm.nics if nic.network}
    for name in sorted(used - listed):
        networks["", name] = Network(name, name)
    return tuple(networks.values())
