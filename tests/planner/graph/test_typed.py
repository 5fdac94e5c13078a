"""The whole estate as one graph: kinds of nodes, and how they hang together."""

from __future__ import annotations

from planner.graph.typed import Node, typed_graph
from planner.model import Datastore, Host, Lun, Network, Nic, Tie
from tests.planner.sketch import disk, estate, needs, rdm, vm


def test_nodes_of_every_kind_and_edges_between_them() -> None:
    inventory = estate(
        vm("a", disk(path="[ds1] a/a.vmdk"), rdm("naa.9"), host="esx1", application="CRM",
           nics=(Nic("n", "lan"),)),
        vm("b", rdm("NAA.9"), application="crm"),
        ties=(needs("b", "a", port=80, traffic_bytes=5),),
        hosts=(Host("host-1", "esx1"),),
        datastores=(Datastore("ds-1", "ds1", extents=("naa.1",)),),
        networks=(Network("net-1", "lan"),),
        luns=(Lun("naa.1"), Lun("naa.9")),
    )  # fmt: skip
    graph = typed_graph(inventory)
    assert {node.kind for node in graph} == {
        "vm", "volume", "lun", "datastore", "host", "network", "application",
    }  # fmt: skip
    a, b = Node("vm", "id-a"), Node("vm", "id-b")
    assert {node for node in graph[a] if node.kind != "volume"} == {
        Node("host", "host-1"), Node("network", "net-1"), Node("application", "crm"), b,
    }  # fmt: skip
    (volume,) = (node for node in set(graph[a]) & set(graph[b]) if node.kind == "volume")
    assert list(graph[volume]) == [Node("lun", "naa.9")]
    assert Node("lun", "naa.1") in graph[Node("datastore", "ds-1")]
    (tie,) = (data for data in graph[b][a].values())
    assert (tie["tie"], tie["port"], tie["weight_bytes"], tie["decision"]) == (Tie.HARD, 80, 5, "")
