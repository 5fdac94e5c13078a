"""Several inventories to one: ids, gaps, notes, refresh of a part."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from planner.model import (
    VM,
    Cluster,
    Datastore,
    Dependency,
    DrsGroup,
    DrsRule,
    Folder,
    Host,
    Inventory,
    Licence,
    Lun,
    Network,
    ResourcePool,
    RuleKind,
    Tie,
    VCenter,
)
from planner.sources.document import dump_document, parse_document
from planner.sources.merging import PLACED, merged, replaced

EARLY, LATE = "2026-01-01T00:00:00+00:00", "2026-02-01T00:00:00+00:00"


def estate(vcenter: str, at: str = EARLY, source: str = "", size: int = 2, **more: object) -> Inventory:
    """Return an estate whose ids are those that every vCenter gives out."""
    vms = tuple(VM(id=f"vm-{n}", name=f"{vcenter}-{n}", vcenter=vcenter) for n in range(1, size + 1))
    rules = (DrsRule("apart", RuleKind.APART, ("vm-1", "vm-2")),)
    groups = (DrsGroup("hosts", True, ("host-1",)),)
    inventory = Inventory(
        source=source or f"rvtools:{vcenter}.xlsx",
        taken_at=at,
        vms=vms,
        hosts=(Host("host-1", "esx", vcenter=vcenter),),
        clusters=(Cluster("domain-c1", "prod", vcenter=vcenter, rules=rules, groups=groups),),
        datastores=(Datastore("datastore-1", "ds", vcenter=vcenter),),
        networks=(Network("network-1", "lan", vcenter=vcenter),),
        dependencies=(Dependency("vm-1", "vm-2", Tie.SOFT, "seen"),),
        notes=("something is unknown",),
        vcenters=(VCenter(vcenter, f"{vcenter}.example.com"),) if vcenter else (),
        luns=(Lun("naa.1", hosts=("host-1",), vcenter=vcenter),),
        resource_pools=(ResourcePool("resgroup-1", "pool", vcenter=vcenter),),
        folders=(Folder("group-v1", "folder", vcenter=vcenter),),
        licences=(Licence("ent", vcenter=vcenter),),
    )
    return replace(inventory, **more)  # type: ignore[arg-type]


def test_every_part_of_an_inventory_is_merged() -> None:
    apart = {"source", "taken_at", "dependencies", "notes", "gaps", "vcenters"}
    apart |= {"decisions", "refused"}  # of people: laid over a snapshot after it is merged
    assert {field.name for field in fields(Inventory)} == {*PLACED, *apart}


def test_one_is_itself() -> None:
    one = estate("a")
    assert merged([one]) is one


def test_the_first_keeps_its_ids_and_everything_of_others_is_prefixed() -> None:
    both = merged([estate("a"), estate("b")])
    assert [vm.id for vm in both.vms] == ["vm-1", "vm-2", "b/vm-1", "b/vm-2"]
    for part, name in (
        ("hosts", "host-1"),
        ("clusters", "domain-c1"),
        ("datastores", "datastore-1"),
        ("networks", "network-1"),
        ("resource_pools", "resgroup-1"),
        ("folders", "group-v1"),
    ):
        assert [item.id for item in getattr(both, part)] == [name, f"b/{name}"], part
    assert [lun.hosts for lun in both.luns] == [("host-1",), ("b/host-1",)]
    second = both.clusters[1]
    assert second.rules
    assert second.rules[0].vms == ("b/vm-1", "b/vm-2")
    assert second.groups
    assert second.groups[0].members == ("b/host-1",)
    assert [(tie.source, tie.target) for tie in both.dependencies] == [("vm-1", "vm-2"), ("b/vm-1", "b/vm-2")]
    assert [one.id for one in both.vcenters] == ["a", "b"]
    assert len(both.licences) == 2
    assert both.source == "rvtools:a.xlsx + rvtools:b.xlsx"
    assert both.notes[:2] == ("a.xlsx: something is unknown", "b.xlsx: something is unknown")
    assert parse_document(dump_document(both), "merged") == both


@pytest.mark.parametrize("newer_first", [True, False])
def test_the_same_vcenter_twice_is_read_once_the_newer_wins_and_it_is_said(newer_first: bool) -> None:
    old, new = estate("a", EARLY, "rvtools:old.xlsx"), estate("a", LATE, "rvtools:new.xlsx", size=3)
    both = merged([new, old] if newer_first else [old, new])
    assert [vm.id for vm in both.vms] == ["vm-1", "vm-2", "vm-3"]
    assert (both.source, both.taken_at) == ("rvtools:new.xlsx", LATE)
    assert len(both.hosts) == 1
    assert any("is in old.xlsx and in new.xlsx" in note and LATE in note for note in both.notes)


def test_what_only_one_part_does_not_know_is_a_gap_of_its_vms() -> None:
    both = merged([estate("a", gaps=("usb", "devices")), estate("b", gaps=("devices", "snapshots"))])
    assert both.gaps == ("devices",)
    assert [vm.gaps for vm in both.vms] == [("usb",), ("usb",), ("snapshots",), ("snapshots",)]


def test_a_gap_comes_back_together_when_the_part_that_knew_is_gone() -> None:
    both = merged([estate("a", gaps=("usb",)), estate("b")])
    again = replaced(both, estate("b", LATE, gaps=("usb",)))
    assert again.gaps == ("usb",)
    assert {vm.gaps for vm in again.vms} == {()}


def test_a_refresh_replaces_its_vcenter_only_and_keeps_ids() -> None:
    both = merged([estate("a"), estate("b")])
    again = replaced(both, estate("b", LATE, size=3))
    assert [vm.id for vm in again.vms] == ["vm-1", "vm-2", "b/vm-1", "b/vm-2", "b/vm-3"]
    assert again.vms[:2] == both.vms[:2]
    assert again.taken_at == LATE
    assert any(f"a.example.com is as of {EARLY}" in note for note in again.notes)
    first = replaced(both, estate("a", LATE, size=1))
    assert [vm.id for vm in first.vms] == ["vm-1", "b/vm-1", "b/vm-2"]


def test_a_refresh_of_all_is_the_new_one() -> None:
    new = estate("a", LATE, size=3)
    assert replaced(estate("a"), new) == new


def test_a_new_vcenter_is_added() -> None:
    assert [vm.id for vm in replaced(estate("a", size=1), estate("c", LATE, size=1)).vms] == [
        "vm-1",
        "c/vm-1",
    ]


def test_notes_of_a_source_are_replaced_by_its_newer_ones() -> None:
    both = merged([estate("a"), estate("b")])
    again = replaced(both, estate("b", LATE, notes=("all is known",)))
    assert "b.xlsx: all is known" in again.notes
    assert "b.xlsx: something is unknown" not in again.notes
    assert "a.xlsx: something is unknown" in again.notes


def test_an_estate_that_does_not_say_its_vcenter_is_one_of_its_own() -> None:
    nameless, other = estate("", source="rvtools:x.xlsx"), estate("", source="rvtools:y.xlsx")
    both = merged([nameless, other])
    assert [vm.id for vm in both.vms] == ["vm-1", "vm-2", "rvtools:y.xlsx/vm-1", "rvtools:y.xlsx/vm-2"]
    assert any("y.xlsx does not say which vCenter" in note for note in both.notes)
    assert len(replaced(both, estate("", LATE, "rvtools:y.xlsx", size=1)).vms) == 3


def test_objects_without_a_vcenter_belong_to_the_only_one() -> None:
    part = estate("b", hosts=(Host("host-1", "esx"),))
    assert [(host.id, host.vcenter) for host in merged([estate("a"), part]).hosts] == [
        ("host-1", "a"),
        ("b/host-1", "b"),
    ]


def test_merging_twice_is_merging_once() -> None:
    a, b, c = estate("a"), estate("b"), estate("c")
    at_once, step_by_step = merged([a, b, c]), merged([merged([a, b]), c])
    assert replace(at_once, notes=()) == replace(step_by_step, notes=())


def test_ties_across_vcenters_survive_a_refresh() -> None:
    both = merged([estate("a"), estate("b")])
    tied = replace(both, dependencies=(Dependency("vm-1", "b/vm-2", Tie.HARD, "cluster"),))
    again = replaced(tied, estate("b", LATE, dependencies=()))
    assert [(tie.source, tie.target) for tie in again.dependencies] == [("vm-1", "b/vm-2")]
