"""Checks of disks: raw devices, sharing, modes, tracking, controllers, sizes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from planner.model import VM, Backing, BusSharing, Controller, Device, DeviceKind, Lun, Snapshot
from planner.units import GIB, MIB, TIB
from tests.planner.checks.world import (
    DISK,
    GOOD,
    HOST,
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
)

RDM = {"backing": Backing.RDM_PHYSICAL, "lun": "naa.1", "mode": "independent_persistent", "unit": 1}
VIRTUAL = RDM | {"backing": Backing.RDM_VIRTUAL, "mode": "persistent"}
KEPT = {"policies": {"physical_rdm": "keep"}, "luns": [{"name": "naa.target", "size_bytes": TIB}]}


def rdm(settings: dict[str, object] | None = None, **changes: object) -> World:
    return replace(disk(**(RDM | changes)), settings=settings or {})


def with_disks(count: int, kind: Controller | None) -> World:
    disks = tuple(
        replace(DISK, key=str(at), path=f"[ds] good/{at}.vmdk", controller_kind=kind) for at in range(count)
    )
    return one(disks=disks)


def pair(**changes: object) -> World:
    """Two VMs whose disks name the same backing."""
    shared = replace(DISK, **changes)  # type: ignore[arg-type]
    return World(vms=(replace(GOOD, disks=(shared,)), replace(TWIN, disks=(shared,))))


CASES = [
    Case("disks.rdm.physical", rdm(), World(gaps=("disks",), vms=(replace(GOOD, disks=()),))),
    Case("disks.rdm.virtual", disk(**VIRTUAL), World(gaps=("disks",))),
    Case("disks.rdm.no-lun", disk(**(VIRTUAL | {"lun": ""})), World(gaps=("disks",)), ("disks.rdm.virtual",)),
    Case(
        "disks.rdm.target-lun",
        rdm({"policies": {"physical_rdm": "keep"}}),
        replace(rdm(KEPT), target=None),
        ("disks.rdm.physical",),
    ),
    Case(
        "disks.rdm.hidden",
        replace(rdm(), luns=(Lun("naa.1", hosts=("h2",)),)),
        replace(rdm(), luns=()),
        ("disks.rdm.physical",),
    ),
    Case("disks.shared", pair(), disk(path=""), ("disks.shared",)),
    Case("disks.bus-sharing", disk(bus_sharing=BusSharing.VIRTUAL), disk(bus_sharing=None)),
    Case("disks.multi-writer", disk(multi_writer=True), disk(multi_writer=None)),
    Case("disks.independent", disk(mode="independent_persistent"), disk(mode="")),
    Case("disks.nonpersistent", disk(mode="independent_nonpersistent"), disk(mode="")),
    Case("disks.consolidation", one(consolidation_needed=True), one(consolidation_needed=None)),
    Case("disks.cbt", one(cbt=False), one(cbt=None)),
    Case("disks.cbt.partial", disk(cbt=False), disk(cbt=None)),
    Case("disks.pmem", disk(format="pmem"), disk(format="")),
    Case("disks.flash-cache", disk(flash_cache=True), disk(flash_cache=None)),
    Case("disks.filters", disk(filters=("spm",)), disk(filters=None)),
    Case("disks.iops-limit", disk(iops_limit=500), disk(iops_limit=None)),
    Case("disks.controller.nvme", disk(controller_kind=Controller.NVME), disk(controller_kind=None)),
    Case("disks.controller.ide-sata", disk(controller_kind=Controller.IDE), disk(controller_kind=None)),
    Case("disks.controller.buslogic", disk(controller_kind=Controller.BUS_LOGIC), disk(controller_kind=None)),
    Case("disks.count", with_disks(61, Controller.LSI_SAS), with_disks(61, None)),
    Case(
        "disks.size.too-large",
        disk(size_bytes=63 * TIB),
        disk(size_bytes=0),
        ("storage.space.disk", "storage.space.total", "storage.map.room"),
    ),
    Case("disks.size.large", disk(size_bytes=3 * TIB), disk(size_bytes=0)),
    Case("disks.size.unknown", disk(size_bytes=0), World(gaps=("disks",))),
    Case("disks.size.uneven", rdm(size_bytes=GIB + 512), disk(size_bytes=0), ("disks.rdm.physical",)),
    Case(
        "disks.size.target",
        World(target=landing(stores={"capacity_bytes": MIB, "free_bytes": MIB})),
        World(target=landing(stores={"capacity_bytes": 0})),
        ("storage.space.total", "storage.map.room"),
    ),
    Case(
        "disks.datastore",
        World(datastores=(replace(STORE, accessible=False),)),
        World(datastores=(replace(STORE, accessible=None),)),
        ("storage.inaccessible",),
    ),
]
FINE = {
    "a raw device that becomes a VMDK needs no LUN": ("disks.rdm.target-lun", rdm()),
    "a raw device with a LUN at the target": ("disks.rdm.target-lun", rdm(KEPT)),
    "its LUN is known by its id": (
        "disks.rdm.target-lun",
        rdm({**KEPT, "luns": [{"name": "02000000TARGET", "size_bytes": TIB}]}),
    ),
    "two paths": ("disks.shared", World(vms=(GOOD, TWIN))),
    "one path in two vCenters": (
        "disks.shared",
        World(vms=(GOOD, replace(TWIN, vcenter="v2", disks=(DISK,)))),
    ),
    "a physical RDM is no independent disk": ("disks.independent", rdm()),
    "nor one on a shared bus": ("disks.bus-sharing", rdm(bus_sharing=BusSharing.PHYSICAL)),
    "nor a multi-writer": ("disks.multi-writer", rdm(multi_writer=True)),
    "nor shared": ("disks.shared", pair(**RDM)),
    "it says nothing of its bus": ("disks.bus-sharing", rdm(bus_sharing=None)),
    "nothing to track": ("disks.cbt", World(vms=(replace(GOOD, cbt=False, disks=(replace(DISK, **RDM),)),))),  # type: ignore[arg-type]
    "no disks at all": ("disks.cbt", one(cbt=None, disks=())),
    "the VM's finding is enough": (
        "disks.cbt.partial",
        World(vms=(replace(GOOD, cbt=False, disks=(replace(DISK, cbt=None),)),)),
    ),
    "IDE has no bus to share": (
        "disks.bus-sharing",
        disk(bus_sharing=None, controller_kind=Controller.IDE),
    ),
    "sixty classic disks": ("disks.count", with_disks(60, Controller.LSI_SAS)),
    "many paravirtual disks": ("disks.count", with_disks(256, Controller.PVSCSI)),
    "few disks of whatever kind": ("disks.count", with_disks(60, None)),
    "62 TiB is the most": ("disks.size.too-large", disk(size_bytes=62 * TIB)),
    "a LUN holds what no VMDK can": (
        "disks.size.too-large",
        rdm({"luns": [{"name": "naa.target", "size_bytes": 64 * TIB}]}, size_bytes=63 * TIB),
    ),
    "2 TiB is not large": ("disks.size.large", disk(size_bytes=2 * TIB)),
    "a VMDK of odd sectors": ("disks.size.uneven", disk(size_bytes=GIB + 512)),
    "no limit on I/O": ("disks.iops-limit", disk(iops_limit=-1)),
}


@pytest.mark.parametrize("why", FINE)
def test_fine(why: str) -> None:
    check, world = FINE[why]
    readiness = ask(world)
    assert check not in {item.check for item in readiness.findings}
    assert check not in readiness.unknown


@pytest.mark.parametrize(
    "mode", ["independent_nonpersistent", "nonpersistent", "undoable", "append", "Append"]
)
def test_every_mode_that_forgets(mode: str) -> None:
    assert found(disk(mode=mode)) == ["disks.nonpersistent"]


def test_more_than_any_vm_carries() -> None:
    assert found(with_disks(257, Controller.PVSCSI)) == ["disks.count"]


def test_a_physical_raw_device_on_a_shared_bus_is_one_finding_that_names_the_other() -> None:
    world = pair(**RDM, bus_sharing=BusSharing.PHYSICAL, multi_writer=True)
    findings = ask(world).findings
    assert [(item.check, item.subject) for item in findings] == [
        ("disks.rdm.physical", "1"),
        ("disks.rdm.physical", "2"),
    ]
    assert findings[0].message.endswith("shared with other")


def test_a_shared_bus_with_nobody_in_sight_may_lead_to_a_physical_node() -> None:
    (finding,) = ask(rdm(bus_sharing=BusSharing.PHYSICAL)).findings
    assert "no other VM of the inventory" in finding.message
    (finding,) = ask(rdm()).findings
    assert "no other VM" not in finding.message


def test_sharing_is_seen_by_path_by_lun_and_by_snapshot_file() -> None:
    snapshots = (Snapshot("s", "2026-06-29T00:00:00"),)
    first = replace(GOOD, disks=(replace(DISK, path="[ds] good/good-000001.vmdk"),), snapshots=snapshots)
    second = replace(TWIN, disks=(replace(DISK, path="[ds] good/good-000002.vmdk"),), snapshots=snapshots)
    for world in (pair(), pair(**VIRTUAL), World(vms=(first, second))):
        assert found(world).count("disks.shared") == 2
    # Digits of a LUN id are written in either case; the finding names the other VM.
    loud = World(vms=tuple(
        replace(vm, disks=(replace(DISK, **(VIRTUAL | {"lun": lun, "path": vm.name})),))  # type: ignore[arg-type]
        for vm, lun in ((GOOD, "naa.AB"), (TWIN, "naa.ab"))
    ))  # fmt: skip
    messages = [item.message for item in ask(loud).findings if item.check == "disks.shared"]
    assert messages == [
        "good: Hard disk 1 is on a LUN that other uses too",
        "other: Hard disk 1 is on a LUN that good uses too",
    ]


def test_bus_sharing_is_said_once_for_a_controller() -> None:
    disks = tuple(
        replace(DISK, key=str(at), path=f"[ds] good/{at}.vmdk", bus_sharing=BusSharing.PHYSICAL)
        for at in (1, 2)
    )
    assert found(one(disks=disks)) == ["disks.bus-sharing"]


def test_snapshots_stand_in_the_way_of_change_tracking() -> None:
    world = one(cbt=False, snapshots=(Snapshot("s", "2026-06-29T00:00:00", 1),))
    (finding,) = ask(world).findings
    assert finding.message.endswith("switched off; 1 snapshot to delete first")


def test_a_lun_that_no_target_host_sees() -> None:
    settings = {**KEPT, "luns": [{"name": "naa.elsewhere", "size_bytes": TIB}]}
    finding = next(item for item in ask(rdm(settings)).findings if item.check == "disks.rdm.target-lun")
    assert finding.message.endswith("goes to LUN naa.elsewhere that no target host sees")
    without = replace(rdm(settings), target=replace(TARGET, luns=(), gaps=("luns",)))
    assert ask(without).unknown == {"disks.rdm.target-lun": 1}


def test_a_lun_that_only_part_of_the_cluster_sees() -> None:
    hosts = tuple(
        replace(HOST, id=id_, name=name, cluster="c") for id_, name in (("h1", "esx-1"), ("h2", "b"))
    )
    for seen, expected in ((("h1",), "whose LUN 1 of 2 hosts"), (("h2",), "its host esx-1 does not see")):
        world = replace(rdm(), hosts=hosts, luns=(Lun("x", "NAA.1", hosts=seen),))
        (message,) = [item.message for item in ask(world).findings if item.check == "disks.rdm.hidden"]
        assert expected in message
    assert "disks.rdm.hidden" not in found(
        replace(rdm(), hosts=hosts, luns=(Lun("naa.1", hosts=("h1", "h2")),))
    )


def test_settings_that_contradict_themselves_decide_nothing() -> None:
    settings = {**KEPT, "remaps": [{"disk": "good/Hard disk 1", "to": "vmdk", "lun": "naa.target"}]}
    assert ask(rdm(settings)).unknown == {"disks.rdm.target-lun": 1}


def test_a_disk_on_no_datastore_or_on_one_that_is_not_listed() -> None:
    assert found(disk(path="[] good/good.vmdk")) == ["disks.datastore"]
    assert ask(disk(path="[elsewhere] good/good.vmdk")).unknown == {"disks.datastore": 1}


def test_a_datastore_name_that_stands_twice_is_not_looked_up() -> None:
    twice = (replace(STORE, datacenter="a"), replace(STORE, id="d2", datacenter="b", accessible=False))
    assert "disks.datastore" in ask(World(datastores=twice)).unknown


def test_an_nvdimm_is_persistent_memory() -> None:
    assert found(one(devices=(Device(DeviceKind.NVDIMM, "NVDIMM 1"),))) == ["disks.pmem"]


def test_a_large_target_datastore_that_says_nothing_may_hold_the_disk() -> None:
    small = replace(STORE, id="t3", name="small", capacity_bytes=MIB, free_bytes=MIB)
    silent = replace(STORE, id="t4", name="silent", capacity_bytes=0, free_bytes=0)
    for stores, expected in (((small,), "found"), ((small, silent), "unknown"), ((small, STORE), "fine")):
        readiness = ask(World(target=replace(TARGET, datastores=stores)))
        said = "found" if any(item.check == "disks.size.target" for item in readiness.findings) else "fine"
        assert ("unknown" if "disks.size.target" in readiness.unknown else said) == expected
    closed = replace(TARGET, datastores=(small, replace(STORE, maintenance=True)))
    assert "disks.size.target" in found(World(target=closed))


def test_one_vm_with_two_disks_of_one_path_shares_it_with_nobody() -> None:
    vm: VM = replace(GOOD, disks=(DISK, replace(DISK, key="2001")))
    assert found(World(vms=(vm,))) == []
