"""The whole estate as one networkx graph: VMs, what they stand on, and how they are tied.

    application ◀─ VM ─▶ host, network      VM ─▶ volume ─▶ datastore ─▶ LUN, or volume ─▶ LUN (RDM)
                   └──▶ VM: hard, soft, order, apart

Nodes are ``Node(kind, id)``. Edges between VMs carry all of ``Edge``; the others have kind "uses".
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

from planner.graph.edges import edges
from planner.model import VM, Inventory, Volume
from planner.volumes import datastore_of, volumes

if TYPE_CHECKING:
    import networkx


class Node(NamedTuple):
    """A node: its kind (vm, volume, lun, datastore, host, network, application) and its id."""

    kind: str
    id: str


def _datastores(inventory: Inventory) -> dict[tuple[str, str, str], str]:
    """Return ids by vCenter, datacenter and name: names are unique within a datacenter only."""
    return {(store.vcenter, store.datacenter, store.name): store.id for store in inventory.datastores}


def typed_graph(inventory: Inventory) -> networkx.MultiDiGraph:
    """Return the graph of everything; VMs have a name, volumes a size in bytes."""
    import networkx

    graph = networkx.MultiDiGraph()
    for kind, nouns in (
        ("host", inventory.hosts),
        ("datastore", inventory.datastores),
        ("network", inventory.networks),
    ):
        graph.add_nodes_from((Node(kind, noun.id), {"name": noun.name}) for noun in nouns)
    graph.add_nodes_from((Node("lun", lun.name.casefold()), {"name": lun.name}) for lun in inventory.luns)
    for store in inventory.datastores:
        for extent in store.extents or ():
            _uses(graph, Node("datastore", store.id), Node("lun", extent.casefold()))
    hosts = {(host.vcenter, host.name): host.id for host in inventory.hosts}
    networks = {(net.vcenter, net.datacenter, net.name): net.id for net in inventory.networks}
    for vm in inventory.vms:
        here = Node("vm", vm.id)
        graph.add_node(here, name=vm.name, tier=vm.tier)
        if vm.application:
            _uses(graph, here, Node("application", vm.application.casefold()))
        if vm.host:
            _uses(graph, here, Node("host", hosts.get((vm.vcenter, vm.host), vm.host)))
        for name in dict.fromkeys(nic.network for nic in vm.nics if nic.network):
            _uses(graph, here, Node("network", networks.get((vm.vcenter, vm.datacenter, name), name)))
    stores = _datastores(inventory)
    for volume in volumes(inventory):
        _add_volume(graph, volume, stores)
    for edge in edges(inventory):
        graph.add_edge(Node("vm", edge.source), Node("vm", edge.target), **asdict(edge))
    return graph


def _uses(graph: networkx.MultiDiGraph, a: Node, b: Node) -> None:
    graph.add_edge(a, b, kind="uses")


def _add_volume(
    graph: networkx.MultiDiGraph, volume: Volume, stores: dict[tuple[str, str, str], str]
) -> None:
    node = Node("volume", volume.id)
    graph.add_node(node, size_bytes=volume.size_bytes, backing=volume.backing.value)
    for item in volume.attachments:
        _uses(graph, Node("vm", item.vm.id), node)
    first = volume.attachments[0]
    if volume.backing.is_rdm and first.disk.lun:
        _uses(graph, node, Node("lun", first.disk.lun.strip().casefold()))
    elif store := _store(first.vm, first.disk.path):
        _uses(graph, node, Node("datastore", stores.get(store, store[2])))


def _store(vm: VM, path: str) -> tuple[str, str, str] | None:
    name = datastore_of(path)
    return (vm.vcenter, vm.datacenter, name) if name else None
