"""Checks of datastores, of room at the target, of paths and of snapshots."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.model import Folder, Snapshot
from planner.units import GIB, TIB
from tests.planner.checks.world import (
    DISK,
    GOOD,
    STORE,
    TARGET,
    TWIN,
    Case,
    World,
    ask,
    disk,
    found,
    landing,
    one,
    store,
)


def snapshots(*created: str, size_bytes: int | None = 1) -> World:
    return one(
        snapshots=tuple(Snapshot("s", day and f"2026-06-{day}T00:00:00Z", size_bytes) for day in created)
    )


def at(vmx_path: str) -> World:
    return one(vmx_path=vmx_path)


SAME_FOLDER = World(
    vms=(GOOD, replace(TWIN, name="good (2)", vmx_path="[elsewhere] good/other.vmx")),
)
WITH_FOLDERS = replace(
    TARGET,
    folders=(
        *TARGET.folders,  # as an export says it
        Folder("f1", "Deep", "vm/Web/Deep", "DC2", kind="vm"),  # as a vCenter says it
        Folder("f3", "Prod", "Web/Prod", "DC2", kind="host"),
    ),
)
# Five GiB with the swap file: all datastores together have room, the one they are mapped to has none.
TIGHT = World(
    target=replace(
        TARGET,
        datastores=(
            replace(TARGET.datastores[0], free_bytes=4 * GIB),
            replace(TARGET.datastores[0], id="t3", name="large"),
        ),
    )
)


def mapped(datastores: dict[str, str]) -> World:
    return World(settings={"datastores": datastores})


NO_ROOM = landing(stores={"free_bytes": GIB // 2})
CASES = [
    Case("snapshots.old", snapshots("22"), snapshots("")),
    Case("snapshots.many", snapshots("29", "29", "29", "29"), World(gaps=("snapshots",))),
    Case("snapshots.size", snapshots("29", size_bytes=GIB), snapshots("29", size_bytes=None)),
    Case("snapshots.chain", disk(parent="[ds] good/good.vmdk"), disk(parent=None)),
    Case("snapshots.linked-clone", disk(parent="[ds] gold/gold.vmdk"), disk(parent=None)),
    Case("storage.inaccessible", store(accessible=False), store(accessible=None), ("disks.datastore",)),
    Case("storage.maintenance", store(maintenance=True), store(maintenance=None)),
    Case("storage.local", store(multiple_hosts=False), store(multiple_hosts=None, hosts=None)),
    Case("storage.full", store(free_bytes=9 * TIB), store(free_bytes=0)),
    Case("storage.kind", store(kind="vsan"), store(kind="")),
    Case("storage.vmfs.version", store(version="5.61"), store(version="")),
    Case("storage.vmfs.extents", store(extents=("naa.1", "naa.2")), store(extents=None)),
    Case(
        "storage.space.disk",
        World(target=NO_ROOM, settings={"datastores": {}}),
        World(target=None),
        ("storage.space.total", "storage.map.unmapped"),
    ),
    Case(
        "storage.space.total",
        World(target=landing(stores={"free_bytes": 2 * GIB}), settings={"datastores": {}}),
        World(target=landing(stores={"free_bytes": 0})),
        ("storage.map.unmapped",),
    ),
    Case("storage.map.missing", mapped({"ds": "gone"}), World(target=None)),
    Case("storage.map.unmapped", mapped({"other": "new"}), World(target=None)),
    Case("storage.map.room", TIGHT, World(target=landing(stores={"free_bytes": 0}))),
    Case(
        "storage.map.folder",
        World(settings={"folders": {"Prod": "Web/Prod"}}, target=WITH_FOLDERS),
        World(settings={"folders": {"Prod": "Web/Prod"}}, target=replace(TARGET, folders=())),
    ),
    Case("storage.path", at("[ds] good/go\x1bod.vmx"), at("")),
    Case(
        "storage.folder.duplicate", SAME_FOLDER, at(""), ("storage.folder.duplicate", "storage.folder.name")
    ),
    Case("storage.folder.name", at("[ds] old-name/good.vmx"), at("")),
]
FINE = {
    "a week is not old": ("snapshots.old", snapshots("23")),
    "three are not many": ("snapshots.many", snapshots("29", "29", "29")),
    "half of the disk is not large": ("snapshots.size", snapshots("29", size_bytes=GIB // 2)),
    "a snapshot owns the chain": (
        "snapshots.chain",
        World(vms=(replace(
            GOOD,
            snapshots=(Snapshot("s", "2026-06-29T00:00:00Z", 1),),
            disks=(replace(DISK, path="[ds] good/good-000001.vmdk", parent="[ds] good/good.vmdk"),),
        ),)),
    ),
    "a parent beside the disk is no other VM's": ("snapshots.linked-clone", disk(parent="[ds] good/g.vmdk")),
    "one of the hosts counts says many": ("storage.local", store(multiple_hosts=None)),
    "a tenth is enough": ("storage.full", store(free_bytes=10 * TIB)),
    "VMFS is the usual kind": ("storage.kind", store(kind="vmfs")),
    "NFS has no VMFS version": ("storage.vmfs.version", store(kind="NFS", version="3")),
    "nor extents": ("storage.vmfs.extents", store(kind="NFS", extents=None)),
    "a VM that stays needs no room": (
        "storage.space.total",
        World(target=landing(stores={"free_bytes": 2 * GIB}), settings={"exclude": ["good"]}),
    ),
    "what is mapped has room with its swap file": (
        "storage.map.room",
        World(target=landing(stores={"free_bytes": 5 * GIB})),
    ),
    "a VM that stays takes no room of a datastore": (
        "storage.map.room",
        replace(TIGHT, settings={"exclude": ["good"]}),
    ),
    "no map needs no room": ("storage.map.room", mapped({})),
    "the datastore it is mapped to is there": ("storage.map.missing", World()),
    "what is not mapped is not missing": ("storage.map.missing", mapped({})),
    "nobody is on it": ("storage.map.unmapped", replace(mapped({}), vms=(replace(GOOD, disks=()),))),
    "a folder above another one is there": (
        "storage.map.folder",
        World(
            settings={"folders": {"a": "Web", "b": "/Web/Deep/", "c": "Apps", "/": "/"}}, target=WITH_FOLDERS
        ),
    ),
    "with its datacenter in front": (
        "storage.map.folder",
        World(settings={"folders": {"a": "/DC2/vm/Web/Deep"}}, target=WITH_FOLDERS),
    ),
    "no folder is mapped": ("storage.map.folder", World(target=WITH_FOLDERS)),
    "a long path within bounds": ("storage.path", at("[ds] good/" + "x" * 240)),
    "an object id is no folder name": (
        "storage.folder.name",
        at("[ds] 5f3c2b1a-1111-2222-3333-444455556666-99/good.vmx"),
    ),
    "a folder with a number behind": ("storage.folder.name", at("[ds] Good_1/good.vmx")),
}  # fmt: skip


@pytest.mark.parametrize("why", FINE)
def test_fine(why: str) -> None:
    check, world = FINE[why]
    readiness = ask(world)
    assert check not in {item.check for item in readiness.findings}
    assert check not in readiness.unknown


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"accessible": False}, "ds is mapped to new, which is not accessible at the target"),
        ({"maintenance": True}, "ds is mapped to new, which is in maintenance mode at the target"),
        ({"name": "old"}, "ds is mapped to new: the target has no such datastore"),
    ],
)
def test_a_map_leads_to_a_datastore_that_can_be_used(changes: dict[str, object], words: str) -> None:
    said = [item.message for item in ask(World(target=landing(stores=changes))).findings]
    assert words in said


def test_room_is_asked_of_each_datastore_and_shared_disks_count_once() -> None:
    both = replace(TIGHT, vms=(GOOD, replace(TWIN, disks=GOOD.disks)))
    (finding,) = (item for item in ask(both).findings if item.check == "storage.map.room")
    assert finding.message == "9.0 GiB are mapped to new at the target, 4.0 GiB are free"
    two = replace(TARGET, datastores=(*TIGHT.target.datastores, replace(TARGET.datastores[0], id="t4")))  # type: ignore[union-attr]
    assert "storage.map.room" in ask(replace(both, target=two)).unknown, "two of that name: which one?"


def test_the_age_of_a_snapshot_ends_with_the_inventory() -> None:
    (finding,) = ask(snapshots("20")).findings
    assert "a snapshot of 10 days: s" in finding.message


def test_a_delta_file_by_its_name_is_a_chain() -> None:
    """RVTools names no parent."""
    assert found(disk(path="[ds] good/good-000003.vmdk", parent=None)) == ["snapshots.chain"]


def test_one_leftover_is_one_finding() -> None:
    vm = replace(GOOD, consolidation_needed=True, disks=(replace(DISK, parent="[ds] good/good.vmdk"),))
    assert found(World(vms=(vm,))) == ["disks.consolidation"]


@pytest.mark.parametrize("kind", ["vsan", "VVOL", "NFS", "NFS41", "NFS 4.1"])
def test_kinds_of_datastores(kind: str) -> None:
    assert found(store(kind=kind, version="")) == ["storage.kind"]


def test_a_datastore_of_one_host_says_how_many_vms_hang_on_it() -> None:
    (finding,) = ask(replace(store(hosts=1), vms=(GOOD, TWIN))).findings
    assert (finding.subject_kind, finding.subject) == ("datastore", "d1")
    assert finding.message == "ds (2 VMs) is mounted by one host only"


def test_a_shared_volume_needs_its_room_once() -> None:
    big = replace(DISK, size_bytes=30 * TIB)
    first, second = replace(GOOD, disks=(big,)), replace(TWIN, disks=(big,))
    assert "storage.space.total" not in found(World(vms=(first, second)))
    alone = replace(second, disks=(replace(big, path="[ds] other/other.vmdk"),))
    assert "storage.space.total" in found(World(vms=(first, alone)))


def test_room_for_an_unknown_size_is_unknown() -> None:
    assert "storage.space.total" in ask(disk(size_bytes=0)).unknown
    assert "storage.space.total" in ask(one(memory_bytes=0)).unknown
    assert "storage.space.total" in ask(one(disks=(), gaps=("disks",))).unknown


def test_a_path_that_is_too_long() -> None:
    assert found(disk(path="[ds] good/" + "ü" * 130)) == ["storage.path"]


def test_what_a_source_lists_no_datastores_of_is_unknown() -> None:
    readiness = ask(World(datastores=(), gaps=("datastores",)))
    assert {"storage.inaccessible", "storage.kind", "storage.vmfs.version"} <= set(readiness.unknown)
    assert readiness.findings == ()


def test_other_names_of_a_datastore_are_of_the_only_vcenter() -> None:
    plain = World(datastores=(replace(STORE, vcenter="", accessible=False),))
    assert found(plain) == ["disks.datastore", "storage.inaccessible"]
    several = replace(plain, vms=(GOOD, replace(TWIN, vcenter="v2")))
    assert found(several) == ["storage.inaccessible"]
    assert ask(several).unknown["disks.datastore"] == 2
