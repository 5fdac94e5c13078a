"""Snapshots: one of each VM, labelled for what they are, found again by their op, and removed whole."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pyVmomi

from migrate.sites.consistency import Consistency
from migrate.sites.ports import Watched
from migrate.sites.vsphere.refusing import Declined
from migrate.sites.vsphere.site import VsphereSite
from migrate.sites.vsphere.snapshotting import MOST
from migrate.steps.snapshots import TakeSnapshot
from planner.errors import SiteRefused
from tests.migrate.sites.vsphere.conftest import Wire, Wired
from tests.migrate.sites.vsphere.estates import ODD, document
from tests.migrate.sites.vsphere.plant import Plant
from tests.vcenter.fixtures import StartVCenter

vim: Any = pyVmomi.vim
OP, AFTER = "p1/r1/g0/s1/do1", "p1/r1/g0/s1/drop/do1"
OURS = f"wherry: wherry op {OP}"


@pytest.fixture
def plant(wired: Wired) -> Plant:
    return Plant(wired)


def _with_tools(plant: Plant, *vms: int) -> None:
    for vm in vms:
        plant.set(vm, SET__guest__toolsRunningStatus="guestToolsRunning")


def _shared(plant: Plant, vm: int, mode: str) -> None:
    """Have several VMs write the first disk of one."""
    (disk, *_) = plant.disks(vm)
    disk.backing.sharing, disk.backing.diskMode = "sharingMultiWriter", mode
    plant.configure(vm, deviceChange=[vim.vm.device.VirtualDeviceSpec(operation="edit", device=disk)])


def test_of_a_vm_that_shares_disks_none_is_asked_for(plant: Plant) -> None:
    plant.track(0, 1)
    _shared(plant, 1, "persistent")
    with pytest.raises(SiteRefused, match="shares disks, so no snapshot of it can be taken"):
        plant.site.take_snapshot(plant.vms, OP)
    assert "CreateSnapshot_Task" not in plant.peer.calls()
    _shared(plant, 1, "independent_persistent")
    plant.site.take_snapshot(plant.vms, OP)
    assert plant.snapshots(1) == [OURS]


def test_a_group_is_taken_found_and_removed(plant: Plant) -> None:
    plant.track(0, 1)
    site = plant.site
    taken = site.take_snapshot(plant.vms, OP)
    assert taken.id == taken.op == OP
    assert taken.label is Consistency.CRASH
    assert set(taken.changes) == {plant.volume(0), plant.volume(1)}
    assert all(change.counter == 1 for change in taken.changes.values())
    assert site.find_snapshot(OP) == taken
    assert site.list_snapshots() == (taken,)
    assert plant.snapshots(0) == plant.snapshots(1) == [OURS]
    site.drop_snapshot(taken.id, AFTER)
    assert plant.snapshots(0) == plant.snapshots(1) == []
    assert site.find_snapshot(OP) is None
    site.drop_snapshot(taken.id, AFTER)  # gone already


def test_an_untracked_disk_has_no_change_id(plant: Plant) -> None:
    assert plant.site.take_snapshot(plant.vms, OP).changes == {}


def test_taking_it_again_under_its_op_finds_it(plant: Plant) -> None:
    first = plant.site.take_snapshot(plant.vms[:1], OP)
    assert plant.site.take_snapshot(plant.vms[:1], OP) == first
    assert plant.snapshots() == [OURS]


def test_other_peoples_are_seen_and_left(plant: Plant) -> None:
    plant.snapshot(name="wherry", description="not wherry op x")
    taken = plant.site.take_snapshot(plant.vms[:1], OP)
    assert [(one.name, one.op) for one in plant.site.snapshots_of(plant.vms[0])] == [
        ("wherry", ""),
        ("wherry", OP),
    ]
    assert [one.id for one in plant.site.list_snapshots()] == [OP]
    plant.site.drop_snapshot(taken.id, AFTER)
    assert plant.snapshots() == ["wherry: not wherry op x"]


@pytest.mark.parametrize("effect", ["drop", "dropAfter", "half"])
@pytest.mark.parametrize("method", ["CreateSnapshot_Task", "RemoveSnapshot_Task"])
def test_lost_answers_leave_one_and_none(plant: Plant, method: str, effect: str) -> None:
    plant.peer.rules([{"method": method, "count": 1, effect: True}])
    taken = plant.site.take_snapshot(plant.vms, OP)
    assert plant.snapshots(0) == plant.snapshots(1) == [OURS]
    plant.site.drop_snapshot(taken.id, AFTER)
    assert plant.snapshots(0) == plant.snapshots(1) == []
    assert plant.peer.fired() == [1]


def test_a_duplicate_that_came_late_is_removed_as_well(plant: Plant) -> None:
    plant.site.take_snapshot(plant.vms[:1], OP)
    plant.snapshot(name="wherry", description=f"wherry op {OP}")
    plant.site.drop_snapshot(OP, AFTER)
    assert plant.snapshots() == []


def test_one_of_an_earlier_try_of_the_step_goes_with_it(plant: Plant) -> None:
    plant.snapshot(name="wherry", description=f"wherry op {OP}")  # its answer was lost for good
    plant.snapshot(name="wherry", description="wherry op p1/r1/g0/s10/do1")  # of another step
    taken = plant.site.take_snapshot(plant.vms[:1], OP.replace("do1", "do2"))
    plant.site.drop_snapshot(taken.id, AFTER)
    assert plant.snapshots() == ["wherry: wherry op p1/r1/g0/s10/do1"]


def test_another_process_finds_and_removes_it(plant: Plant) -> None:
    plant.track(0, 1)
    taken = plant.site.take_snapshot(plant.vms, OP)
    other = VsphereSite("west", *plant.parts())
    assert other.find_snapshot(OP) == taken
    other.drop_snapshot(OP, AFTER)
    assert plant.snapshots(0) == plant.snapshots(1) == []


def _left_behind(vcenter: StartVCenter, wire: Wire, directory: Path) -> Wired:
    """Connect to a vCenter whose VM has delta files that belong to no snapshot."""
    return wire(vcenter("-estate", str(document(directory, ODD))))


def test_files_that_stayed_behind_are_merged_first(vcenter: StartVCenter, wire: Wire, tmp_path: Path) -> None:
    wired = _left_behind(vcenter, wire, tmp_path)
    site = VsphereSite("west", *wired.of("vm-7"))
    site.take_snapshot(("vm-7",), OP)
    tasks = [method for method in wired.tasks.log.methods if method.endswith("_Task")]
    assert tasks == ["ConsolidateVMDisks_Task", "CreateSnapshot_Task"]


def test_files_that_cannot_be_merged_are_told(vcenter: StartVCenter, wire: Wire, tmp_path: Path) -> None:
    wired = _left_behind(vcenter, wire, tmp_path)
    site = VsphereSite("west", *wired.of("vm-7"))
    wired.peer.rules([{"method": "ConsolidateVMDisks_Task", "taskFault": "FileLocked"}])
    with pytest.raises(Declined, match="FileLocked"):
        site.take_snapshot(("vm-7",), OP)
    assert site.snapshots_of("vm-7") == ()


def test_a_full_datastore_is_waited_for(plant: Plant) -> None:
    assert isinstance(plant.site, Watched)
    assert plant.site.snapshot_waits(plant.vms[0]) == ""
    plant.site.reserve = 1.0
    assert plant.site.snapshot_waits(plant.vms[0]) == "room on datastore LocalDS_0"
    assert plant.site.snapshot_waits("vm-nowhere") == ""


def test_the_step_says_what_it_waits_for(plant: Plant) -> None:
    step: Any = SimpleNamespace(id="g0/snapshot/0", title="a: snapshot 0", params={"vms": [plant.vms[0]]})
    ctx: Any = SimpleNamespace(source=plant.site, result=lambda _: {}, run="p1/r1")
    ctx.history = SimpleNamespace(given_up={})
    assert TakeSnapshot().held(ctx, step) is None
    plant.site.reserve = 1.0
    assert TakeSnapshot().held(ctx, step) == {"why": "room on datastore LocalDS_0", "vm": plant.vms[0]}
    ctx.history.given_up[step.id] = {"why": "datastore LocalDS_0 had 1.0 GiB left of 1.0 TiB"}
    assert TakeSnapshot().held(ctx, step) == {
        "why": "room on datastore LocalDS_0 (datastore LocalDS_0 had 1.0 GiB left of 1.0 TiB, "
        "so a: snapshot 0 was given up)",
        "vm": plant.vms[0],
    }


def test_when_one_cannot_be_taken_none_stays(plant: Plant) -> None:
    plant.peer.rules([{"method": "CreateSnapshot_Task", "object": plant.vms[1], "taskFault": "NoPermission"}])
    with pytest.raises(Declined, match="NoPermission"):
        plant.site.take_snapshot(plant.vms, OP)
    assert plant.snapshots(0) == plant.snapshots(1) == []


def test_a_quiesced_group_says_so(plant: Plant) -> None:
    _with_tools(plant, 0, 1)
    assert plant.site.quiesce(plant.vms, "p1/r1/g0/q/do1") is Consistency.FILESYSTEM
    assert plant.site.take_snapshot(plant.vms, OP).label is Consistency.FILESYSTEM
    plant.site.thaw(plant.vms, "p1/r1/g0/q/do1")
    assert plant.site.take_snapshot(plant.vms, f"{OP}1").label is Consistency.CRASH


def test_windows_that_asks_its_writers_is_worth_more(plant: Plant) -> None:
    _with_tools(plant, 0)
    plant.configure(0, guestId="windows9Server64Guest")
    assert plant.site.quiesce(plant.vms[:1], "q/a/do1") is Consistency.FILESYSTEM
    plant.set(0, disk__EnableUUID="TRUE")
    assert plant.site.quiesce(plant.vms[:1], "q/a/do1") is Consistency.APPLICATION


def test_one_without_tools_makes_the_group_crash_consistent(plant: Plant) -> None:
    _with_tools(plant, 0)
    assert plant.site.quiesce(plant.vms, "q/a/do1") is Consistency.CRASH
    assert plant.site.take_snapshot(plant.vms, OP).label is Consistency.CRASH
    assert plant.site.take_snapshot(plant.vms[:1], f"{OP}1").label is Consistency.FILESYSTEM


@pytest.mark.parametrize(("failures", "label"), [(1, Consistency.FILESYSTEM), (2, Consistency.CRASH)])
def test_a_guest_that_fails_is_asked_again_then_taken_as_it_is(
    plant: Plant, failures: int, label: Consistency
) -> None:
    _with_tools(plant, 0)
    plant.site.quiesce(plant.vms[:1], "q/a/do1")
    plant.peer.rules(
        [{"method": "CreateSnapshot_Task", "count": failures, "taskFault": "ApplicationQuiesceFault"}]
    )
    assert plant.site.take_snapshot(plant.vms[:1], OP).label is label
    assert plant.peer.fired() == [failures]
    assert plant.snapshots() == [OURS]


def test_too_many_snapshots_are_refused(plant: Plant) -> None:
    for number in range(MOST):
        plant.snapshot(name=f"s{number}")
    with pytest.raises(SiteRefused, match="has 28 snapshots"):
        plant.site.take_snapshot(plant.vms[:1], OP)
