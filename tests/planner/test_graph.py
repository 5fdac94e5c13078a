"""The dependency graph: typed edges with reasons, and who counts as a shared service."""

from __future__ import annotations

from planner.graph import dependency_graph, edges, shared_services, unknown_ends
from planner.model import BusSharing, Dependency, Tie
from tests.planner.sketch import disk, estate, needs, rdm, settings, vm


def test_edges_name_the_lun_the_path_and_the_sharing() -> None:
    found = edges(
        estate(
            vm("a", rdm("naa.1", bus_sharing=BusSharing.PHYSICAL), disk(path="[ds] a/q.vmdk")),
            vm("b", rdm("naa.1", bus_sharing=BusSharing.PHYSICAL), disk(path="[ds] a/q.vmdk")),
        )
    )
    (edge,) = found
    assert edge.tie is Tie.HARD
    assert edge.reason == "both use LUN naa.1 with physical bus sharing, VMDK [ds] a/q.vmdk"


def test_vapp_is_hard_a_rule_is_advice_and_both_are_chains() -> None:
    vms = [vm(f"v{n}", vapp="shop", rules=("keep",)) for n in range(4)]
    found = edges(estate(*vms))
    assert [(e.kind, e.tie) for e in found] == [("vapp", Tie.HARD)] * 3 + [("rule", Tie.SOFT)] * 3


def test_the_graph_carries_ties_reasons_and_evidence() -> None:
    graph = dependency_graph(
        estate(vm("web"), vm("db"), ties=(needs("web", "db", port=5432, evidence="flows", confidence=0.9),))
    )
    (data,) = graph.get_edge_data("id-web", "id-db").values()
    assert data["tie"] is Tie.HARD
    assert data["reason"] == "calls (port 5432)"
    assert (data["evidence"], data["confidence"], data["mutual"]) == ("flows", 0.9, False)


def test_dependencies_on_strangers_and_on_oneself_are_no_edges() -> None:
    inventory = estate(vm("a"), ties=(needs("a", "gone"), needs("a", "a")))
    assert edges(inventory) == ()
    assert unknown_ends(inventory) == ("id-gone",)


def test_services_are_named_of_the_directory_tier_or_needed_by_very_many() -> None:
    users = [vm(f"u{n}") for n in range(32)]
    ties = tuple(needs(f"u{n}", "ntp", Tie.SOFT) for n in range(32))
    ties += tuple(needs(f"u{n}", "db", Tie.SOFT) for n in range(10))
    inventory = estate(vm("dc", tier="Directory"), vm("ntp"), vm("db"), vm("named"), *users, ties=ties)
    found = shared_services(inventory, settings(shared_services=["named", "missing"]))
    # The median of those needed at all is 21, five times that is 105: nobody is that busy ...
    assert found == ("id-dc", "id-named")
    few = tuple(needs(f"u{n}", f"u{n + 1}", Tie.SOFT) for n in range(20))
    # ... until the usual VM is needed by one.
    assert shared_services(estate(*inventory.vms, ties=ties + few), settings()) == ("id-dc", "id-ntp")


def test_many_ties_of_one_pair_do_not_make_a_hub() -> None:
    ties = tuple(
        Dependency(source="id-a", target="id-b", tie=Tie.SOFT, reason="r", port=p) for p in range(50)
    )
    assert shared_services(estate(vm("a"), vm("b"), ties=ties), settings()) == ()
