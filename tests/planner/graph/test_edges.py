"""The dependency graph: typed edges with reasons."""

from __future__ import annotations

from planner.graph import edges, unknown_ends
from planner.model import VM, BusSharing, Cluster, DrsRule, Management, RuleKind, Tie
from tests.planner.sketch import disk, estate, needs, rdm, vm


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


def test_a_dependency_carries_port_weight_evidence_and_confidence() -> None:
    tie = needs("web", "db", port=5432, evidence="flows", confidence=0.9, traffic_bytes=7)
    (edge,) = edges(estate(vm("web"), vm("db"), ties=(tie,)))
    assert (edge.reason, edge.port, edge.weight_bytes) == ("calls (port 5432)", 5432, 7)
    assert (edge.evidence, edge.confidence, edge.mutual, edge.decision) == ("flows", 0.9, False, "")


def test_a_linked_clone_is_tied_to_whose_folder_holds_its_parent() -> None:
    gold = vm("gold", disk(path="[ds] gold/gold.vmdk"), vmx_path="[ds] gold/gold.vmx")
    clones = [
        vm(
            f"c{n}",
            disk(path=f"[ds] c{n}/c{n}-000001.vmdk", parent="[ds] gold/gold-000001.vmdk"),
            vmx_path=f"[ds] c{n}/c{n}.vmx",
        )
        for n in range(2)
    ]
    own = vm("own", disk(path="[ds] own/own-000001.vmdk", parent="[ds] own/own.vmdk"))
    found = edges(estate(*clones, gold, own))
    assert {(e.kind, e.tie) for e in found} == {("clone", Tie.HARD)}
    assert len(found) == 2
    assert "c0 is a linked clone of gold: [ds] gold/gold.vmdk" in {e.reason for e in found}


def test_clones_of_a_template_hold_together_without_it() -> None:
    gold = vm("gold", disk(path="[ds] gold/gold.vmdk"), template=True)
    clones = [vm(f"c{n}", disk(path=f"[ds] c{n}/d.vmdk", parent="[ds] gold/gold.vmdk")) for n in range(3)]
    found = [e for e in edges(estate(gold, *clones)) if "id-gold" not in (e.source, e.target)]
    assert len(found) == 2
    assert all("linked clones of one disk" in e.reason for e in found)


def test_fault_tolerance_pairs_by_name_or_bios_uuid_within_a_vcenter() -> None:
    primary, secondary = (
        Management(fault_tolerance_role="primary"),
        Management(fault_tolerance_role="secondary"),
    )
    found = edges(
        estate(
            vm("a", management=primary, vcenter="x"),
            VM("id-2", "a (secondary)", management=secondary, vcenter="x"),
            VM("id-3", "a", management=secondary, vcenter="y"),
            vm("b", management=primary, vcenter="x", bios_uuid="u"),
            vm("other", management=secondary, vcenter="x", bios_uuid="u"),
        )
    )
    assert [(e.kind, e.source, e.target) for e in found] == [
        ("ft", "id-a", "id-2"),
        ("ft", "id-b", "id-other"),
    ]


def test_what_a_drs_rule_means_is_what_the_cluster_says() -> None:
    def found(kind: RuleKind) -> list[tuple[str, str]]:
        rule = DrsRule("r", kind, ("id-a", "id-b", "id-c"))
        inventory = estate(
            *(vm(name, rules=("r",), cluster="c") for name in "abc"),
            clusters=(Cluster("c", "c", rules=(rule,)),),
        )
        return [(e.kind, e.tie.value) for e in edges(inventory)]

    assert found(RuleKind.APART) == [("rule", "apart")] * 3  # every pair
    assert found(RuleKind.TOGETHER) == [("rule", "soft")] * 2
    assert found(RuleKind.VM_HOST) == []


def test_dependencies_on_strangers_and_on_oneself_are_no_edges() -> None:
    inventory = estate(vm("a"), ties=(needs("a", "gone"), needs("a", "a")))
    assert edges(inventory) == ()
    assert unknown_ends(inventory) == ("id-gone",)
