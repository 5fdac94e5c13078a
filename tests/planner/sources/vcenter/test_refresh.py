"""An inventory kept fresh equals one read anew, whatever happened meanwhile and however it was told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from planner.errors import BadInput, Unreachable
from planner.model import Inventory, Power
from planner.sources.vcenter.collector import Collector
from planner.sources.vcenter.reading import read_vcenter
from planner.sources.vcenter.refresh import Refresher
from planner.sources.vcenter.session import Session
from planner.sources.vcenter.state import State
from tests.planner.sources.vcenter.logins import NO_WAIT, login_of, timeless
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer

vim = pytest.importorskip("pyVmomi").vim
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Watched:
    """A test vCenter with a refresher on it and a person who changes things."""

    def __init__(self, peer: VCenterPeer) -> None:
        self.peer = peer
        self.content: Any = peer.connect().content
        self.session = Session(login_of(peer))
        self.refresher = Refresher(self.session, Collector(self.session, **NO_WAIT), lambda: NOON)

    def look(self) -> Inventory:
        return timeless(self.refresher.look())

    def anew(self) -> Inventory:
        return timeless(read_vcenter(login_of(self.peer)))

    def all(self, kind: Any) -> list[Any]:
        return list(self.content.viewManager.CreateContainerView(self.content.rootFolder, [kind], True).view)

    def vm(self, name: str) -> Any:
        return next(item for item in self.all(vim.VirtualMachine) if item.name == name)

    def done(self, task: Any) -> Any:
        assert task.info.state == "success", task.info.error
        return task.info.result


@pytest.fixture
def watched(vcenter: StartVCenter) -> Iterator[Watched]:
    made = Watched(vcenter("-vm", "3", "-folder", "1"))
    yield made
    made.refresher.close()
    made.session.close()


NAME = "DC0_C0_RP0_VM0"


def power_off(at: Watched) -> None:
    at.done(at.vm(NAME).PowerOffVM_Task())


def reconfigure(at: Watched) -> None:
    spec = vim.vm.ConfigSpec(annotation="a & b <c>", numCPUs=3, memoryMB=96, changeTrackingEnabled=True)
    at.done(at.vm(NAME).ReconfigVM_Task(spec))


def grow_a_disk(at: Watched) -> None:
    vm = at.vm(NAME)
    disk = next(item for item in vm.config.hardware.device if isinstance(item, vim.vm.device.VirtualDisk))
    disk.capacityInKB, disk.capacityInBytes = 4096, 4096 * 1024
    at.done(
        vm.ReconfigVM_Task(
            vim.vm.ConfigSpec(deviceChange=[vim.vm.device.VirtualDeviceSpec(operation="edit", device=disk)])
        )
    )


def destroy(at: Watched) -> None:
    vm = at.vm(NAME)
    at.done(vm.PowerOffVM_Task())
    at.done(vm.Destroy_Task())


def create(at: Watched) -> None:
    vm = at.vm(NAME)
    spec = vim.vm.ConfigSpec(
        name="new one",
        guestId="otherGuest",
        numCPUs=1,
        memoryMB=32,
        files=vim.vm.FileInfo(vmPathName="[LocalDS_0]"),
    )
    at.done(vm.parent.CreateVM_Task(spec, vm.resourcePool, vm.runtime.host))


def snapshot(at: Watched) -> None:
    at.done(at.vm(NAME).CreateSnapshot_Task("before", "an upgrade", False, False))


def rename_a_folder(at: Watched) -> None:
    """Machines below it do not change, and yet their paths do."""
    folder = next(item for item in at.all(vim.Folder) if item.childEntity and item.name.startswith("F"))
    at.done(folder.Rename_Task("renamed"))


def set_an_attribute(at: Watched) -> None:
    field = at.content.customFieldsManager.AddCustomFieldDef("owner", vim.VirtualMachine)
    at.content.customFieldsManager.SetField(at.vm(NAME), field.key, "sales-it")


def nothing(at: Watched) -> None:
    pass


@pytest.mark.parametrize(
    "change",
    [
        power_off,
        reconfigure,
        grow_a_disk,
        destroy,
        create,
        snapshot,
        rename_a_folder,
        set_an_attribute,
        nothing,
    ],
)
def test_what_changed_is_seen(watched: Watched, change: Callable[[Watched], None]) -> None:
    before = watched.look()
    change(watched)
    after = watched.look()
    assert after == watched.anew()
    assert (after != before) is (change is not nothing)
    assert watched.refresher.full == 1


def test_a_day_in_the_life(watched: Watched) -> None:
    for change in (reconfigure, create, power_off, snapshot, set_an_attribute, grow_a_disk, rename_a_folder):
        change(watched)
        watched.look()
    at_last = watched.look()
    assert at_last == watched.anew()
    assert watched.refresher.full == 1


def test_a_look_without_changes_asks_for_no_machine(watched: Watched) -> None:
    watched.look()
    watched.peer.calls(reset=True)
    watched.look()
    calls = watched.peer.calls()
    assert calls["WaitForUpdatesEx"] == 1
    assert "ContinueRetrievePropertiesEx" not in calls
    assert calls["RetrievePropertiesEx"] == 1  # licences, attributes, extensions
    assert "CreateContainerView" not in calls


@pytest.mark.parametrize(
    "rule", [{"expire": True}, {"drop": True}, {"half": True}, {"fault": "InvalidCollectorVersion"}]
)
def test_when_the_thread_is_lost_everything_is_read_again(watched: Watched, rule: dict[str, object]) -> None:
    watched.look()
    power_off(watched)
    watched.peer.rules([{"method": "WaitForUpdatesEx", "count": 1, **rule}])
    seen = watched.look()
    assert watched.peer.fired() == [1]
    assert next(vm for vm in seen.vms if vm.name == NAME).power is Power.OFF
    assert seen == watched.anew()
    assert watched.refresher.full == 2
    destroy_other(watched)
    assert watched.look() == watched.anew()
    assert watched.refresher.full == 2


def destroy_other(at: Watched) -> None:
    vm = at.vm("DC0_C0_RP0_VM1")
    at.done(vm.PowerOffVM_Task())
    at.done(vm.Destroy_Task())


def test_a_vcenter_that_stays_away_and_comes_back(watched: Watched) -> None:
    watched.look()
    watched.peer.rules([{"method": "WaitForUpdatesEx", "drop": True}])
    with pytest.raises(Unreachable):
        watched.look()
    watched.peer.rules([])
    power_off(watched)
    assert watched.look() == watched.anew()


def test_what_is_not_shown_is_told_the_same(vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "3")
    peer.rules([{"object": NAME, "missing": ["config.hardware.device"], "privilege": "VirtualMachine.X"}])
    watched = Watched(peer)
    first = watched.look()
    assert first == watched.anew()
    assert any("VirtualMachine.X" in note for note in first.notes)
    watched.session.close()


def update(body: str) -> Any:
    from lxml import etree

    return etree.fromstring(f'<objectSet xmlns="urn:vim25" xmlns:xsi="{XSI}">{body}</objectSet>')


XSI = "http://www.w3.org/2001/XMLSchema-instance"
VM = '<obj type="VirtualMachine">vm-1</obj>'


def change(name: str, value: str = "", op: str = "assign") -> str:
    val = f"<val>{value}</val>" if value else ""
    return f"<changeSet><name>{name}</name><op>{op}</op>{val}</changeSet>"


def applied(*bodies: str) -> State:
    state = State()
    for body in bodies:
        state.update(update(body), lambda kind: {})
    return state


def test_updates_replace_unset_and_veil() -> None:
    state = applied(
        "<kind>enter</kind>"
        + VM
        + change("name", "a")
        + change("config.annotation", "x")
        + change("config.uuid", "u"),
        "<kind>modify</kind>" + VM + change("name", "b") + change("config.annotation"),
        "<kind>modify</kind>" + VM + change("config.uuid", op="remove"),
        "<kind>modify</kind>"
        + VM
        + "<missingSet><path>guest.net</path><fault><fault xsi:type='NoPermission'>"
        + "<privilegeId>System.Read</privilegeId></fault></fault></missingSet>",
    )
    (item,) = state.machines()
    assert item.values == {"name": "b"}
    assert item.missing == {"guest.net": "System.Read"}
    assert not state.stale
    assert state.touched == {"vm-1"}


@pytest.mark.parametrize(
    "path", ["config.hardware.device[2000].connectable", "config", 'snapshot.rootSnapshotList["s"]']
)
def test_an_update_that_goes_deeper_has_its_object_read_again(path: str) -> None:
    enter = "<kind>enter</kind>" + VM + change("name", "a")
    state = applied(enter, "<kind>modify</kind>" + VM + change(path, "x"))
    assert [target.id for target in state.stale] == ["vm-1"]


def test_an_update_of_an_object_nobody_has_seen_has_it_read() -> None:
    assert [target.id for target in applied("<kind>modify</kind>" + VM + change("name", "a")).stale] == [
        "vm-1"
    ]


def test_objects_leave_and_come_back() -> None:
    enter = "<kind>enter</kind>" + VM + change("name", "a")
    gone = applied(enter, "<kind>leave</kind>" + VM)
    assert gone.machine_ids() == []
    assert not gone.touched
    again = applied(enter + change("config.uuid", "u"), "<kind>leave</kind>" + VM, enter)
    (item,) = again.machines()
    assert item.values == {"name": "a"}


def test_kinds_we_do_not_know_are_passed_over() -> None:
    state = applied('<kind>enter</kind><obj type="Alarm">alarm-1</obj>' + change("name", "a"))
    assert state.machine_ids() == []
    assert state.surroundings() == {}


def test_a_refused_refresh_is_told(watched: Watched) -> None:
    watched.peer.rules([{"method": "CreateFilter", "fault": "NoPermission"}])
    with pytest.raises(BadInput):
        watched.look()
