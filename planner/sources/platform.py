"""Hosts, clusters, datastores and networks of a workbook: from their sheets, else from the VMs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from planner.model import VM, Cluster, Datastore, Host, Network
from planner.sources.cells import mebibytes, whole
from planner.sources.devices import cores
from planner.sources.headers import Table


def read_hosts(sheet: Table | None, vms: Iterable[VM]) -> tuple[Host, ...]:
    """Return the hosts of vHost, else those that VMs run on."""
    if sheet is None:
        named = {vm.host: vm for vm in vms if vm.host}
        return tuple(Host(name, name, vm.cluster, vm.datacenter) for name, vm in sorted(named.items()))
    hosts: dict[str, Host] = {}
    for row in sheet.rows():
        name = row.text("host", "name")
        if name:
            host_id = row.text("objectid") or name
            hosts.setdefault(
                host_id,
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
    return tuple(hosts.values())


def read_clusters(sheet: Table | None, hosts: Iterable[Host], vms: Iterable[VM]) -> tuple[Cluster, ...]:
    """Return the clusters of vCluster, else those that hosts and VMs name."""
    counted = Counter(host.cluster for host in hosts if host.cluster)
    clusters: dict[str, Cluster] = {}
    if sheet is not None:
        for row in sheet.rows():
            if name := row.text("name"):
                said = whole(row.cell("numhosts", "hosts"))
                clusters.setdefault(
                    name, Cluster(row.text("objectid") or name, name, counted[name] if said is None else said)
                )
    for name in sorted({*counted, *(vm.cluster for vm in vms if vm.cluster)} - clusters.keys()):
        clusters[name] = Cluster(name, name, counted[name])
    return tuple(clusters.values())


def read_datastores(sheet: Table | None, vms: Iterable[VM]) -> tuple[Datastore, ...]:
    """Return the datastores of vDatastore, else those that disk paths name."""
    if sheet is None:
        paths = (disk.path for vm in vms for disk in vm.disks)
        names = {path[1 : path.index("]")] for path in paths if path.startswith("[") and "]" in path}
        return tuple(Datastore(name, name) for name in sorted(names))
    stores: dict[str, Datastore] = {}
    for row in sheet.rows():
        if name := row.text("name"):
            store_id = row.text("objectid", "url") or name
            stores.setdefault(
                store_id,
                Datastore(
                    store_id,
                    name,
                    row.text("type"),
                    mebibytes(row.cell("capacitymb")) or 0,
                    mebibytes(row.cell("freemb")) or 0,
                ),
            )
    return tuple(stores.values())


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
