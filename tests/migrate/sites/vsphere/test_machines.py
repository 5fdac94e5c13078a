"""VMs are built of a source's definition, once, and what came out otherwise is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from migrate.sites.definition import Choices, Definition, Difference
from migrate.sites.ports import NewAttachment, NewDisk, NewNic, NewVM
from migrate.sites.vsphere.connection import Connection
from migrate.sites.vsphere.differing import differences
from migrate.sites.vsphere.ids import Ids
from migrate.sites.vsphere.machines import Building
from migrate.sites.vsphere.tasks import Tasks
from planner.errors import NameTaken, NotFound, SiteRefused
from planner.model import Backing, BusSharing, Power
from tests.migrate.sites.vsphere.conftest import Wire, Wired
from tests.migrate.sites.vsphere.estates import APP, GIB, MIB, TAGGED, document
from tests.vcenter.collected import finished
from tests.vcenter.estate import written as everything
from tests.vcenter.fixtures import StartVCenter

CREATE = "CreateVM_Task"
OP = "1/g0/v0/build/do1"


@dataclass(frozen=True, slots=True)
class _Seat:
    file: str


class _Site(Building):
    """The part with volumes that the test lays."""

    def __init__(self, connection: Connection, tasks: Tasks, ids: Ids) -> None:
        super().__init__(connection, tasks, ids)
        self.laid: dict[str, tuple[str, NewDisk]] = {}

    @property
    def seats(self) -> Any:
        return self

    def find(self, volume: str) -> _Seat | None:
        return _Seat(self.laid[volume][0]) if volume in self.laid else None

    def volume(self, volume: str) -> NewDisk | None:
        return self.laid[volume][1] if volume in self.laid else None

    def lay(self, wired: Wired, volume: str, place: str, size: int, **more: Any) -> None:
        import pyVmomi

        vim: Any = pyVmomi.vim
        content = wired.peer.connect().content
        spec = vim.VirtualDiskManager.FileBackedVirtualDiskSpec(
            diskType="thin", adapterType="lsiLogic", capacityKb=size >> 10
        )
        centre = content.rootFolder.childEntity[0]
        finished(content.virtualDiskManager.CreateVirtualDisk_Task(place, centre, spec))
        self.laid[volume] = (
            place,
            NewDisk(volume, size, more.get("backing", Backing.VMDK), more.get("lun", "")),
        )


@dataclass(frozen=True, slots=True)
class Pair:
    """A source that holds APP, and a target with its replicas laid out."""

    source: Building
    wired: Wired
    target: _Site

    def vm(self, **changes: Any) -> NewVM:
        vm = NewVM(
            *("vm-8", "app/one", 4, 2 * GIB, "efi", APP.guest_os),
            (
                NewAttachment("2000", "vm-8/2000"),
                NewAttachment("2016", "vm-8/2016", 1, 5, BusSharing.VIRTUAL, True),
            ),
            (
                NewNic("Network adapter 1", "net", "00:50:56:9a:00:01", "Vmxnet3"),
                NewNic("Network adapter 2", "other", "0a:11:22:33:44:55", "E1000e"),
            ),
            definition=self.source.definition("vm-8"),
        )
        return replace(vm, **changes)

    def built(self) -> Definition:
        found = self.target.definition("vm-8")
        assert found is not None
        return found


Starts = Callable[..., Pair]


@pytest.fixture
def starts(vcenter: StartVCenter, wire: Wire, tmp_path: Path) -> Starts:
    """Start the pair; arguments are of the target's estate."""

    def start(**target: Any) -> Pair:
        (tmp_path / "a").mkdir()
        (tmp_path / "b").mkdir()
        home = wire(vcenter("-estate", str(document(tmp_path / "a", APP, newest=19))))
        there = {"newest": 19, "networks": ("net", "other"), **target}
        away = wire(vcenter("-estate", str(document(tmp_path / "b", TAGGED, **there))))
        site = _Site(*away.of())
        site.lay(away, "vm-8/2000", "[ds] r0.vmdk", MIB)
        site.lay(away, "vm-8/2016", "[ds2] r1.vmdk", 2 * MIB)
        return Pair(Building(*home.of("vm-8")), away, site)

    return start


@pytest.fixture
def pair(starts: Starts) -> Pair:
    return starts()


def test_a_vm_is_built_as_its_source_is(pair: Pair) -> None:
    vm = pair.vm()
    pair.target.create_vm(vm, OP)
    source, built = vm.definition, pair.built()
    assert source is not None
    same = (
        *("hw_version", "guest_id", "cpus", "memory_mib", "firmware", "cores_per_socket", "cpu_hot_add"),
        *("memory_hot_add", "nested", "latency", "processor", "memory", "boot", "annotation", "bios_uuid"),
        *("controllers", "adapters", "extra", "attributes"),
    )
    assert {name: getattr(built, name) for name in same} == {name: getattr(source, name) for name in same}
    assert source.boot.secure
    assert source.boot.order == ("disk:2000", "net:4000")
    assert source.extra == (("disk.EnableUUID", "TRUE"),)
    assert [replace(disk, label="") for disk in built.disks] == [
        replace(disk, label="") for disk in source.disks
    ]
    assert built.instance_uuid != source.instance_uuid


def test_what_is_otherwise_is_told(pair: Pair) -> None:
    vm = pair.vm()
    pair.target.create_vm(vm, OP)
    told = {one.what: (one.wanted, one.why) for one in pair.target.differences(vm)}
    assert told == {
        "instance UUID": (True, "a new one by choice"),
        "media in CD/DVD drive 1": (True, "images stay at the source"),
        "USB 1 (VirtualUSB)": (False, "wherry does not build this kind of device"),
        "tag site": (False, "the target does not have it"),
    }
    assert pair.built().tags == (("tier", "database"),)


def test_an_older_target_limits_the_virtual_hardware(starts: Starts) -> None:
    pair = starts(newest=15)
    vm = pair.vm()
    pair.target.create_vm(vm, OP)
    assert pair.built().hw_version == 15
    assert Difference("virtual hardware", "19", "15", False, "the target runs at most 15") in (
        pair.target.differences(vm)
    )


def test_what_a_plan_chooses_is_wanted(pair: Pair) -> None:
    vm = pair.vm(
        cpus=6,
        disks=pair.vm().disks[:1],
        nics=(NewNic("Network adapter 1", "net"),),
        choices=Choices(bios_uuid=False, instance_uuid=True, attributes=False, tags=False),
    )
    pair.target.create_vm(vm, OP)
    told = {one.what: one.wanted for one in pair.target.differences(vm)}
    assert told == {
        "BIOS UUID": True,
        "processors": True,
        "Hard disk 2": True,
        "MAC address of Network adapter 1": True,
        "Network adapter 2": True,
        "media in CD/DVD drive 1": True,
        "custom attribute owner": True,
        "custom attribute cost centre": True,
        "tag site": True,
        "tag tier": True,
        "USB 1 (VirtualUSB)": False,
    }
    assert pair.built().instance_uuid == APP.instance_uuid


def test_what_somebody_changes_afterwards_is_lost(pair: Pair) -> None:
    """The negative control: a difference that nobody asked for is told as one."""
    import pyVmomi

    vim: Any = pyVmomi.vim
    vm = pair.vm()
    pair.target.create_vm(vm, OP)
    machine = pair.wired.machines()["app%2fone"][""]
    spec = vim.vm.ConfigSpec(memoryMB=1024, cpuHotAddEnabled=False)
    finished(machine.ReconfigVM_Task(spec))
    told = {one.what: (one.source, one.target, one.wanted) for one in pair.target.differences(vm)}
    assert told["memory in MiB"] == ("2048", "1024", False)
    assert told["adding processors while it runs"] == ("True", "False", False)


def test_a_plan_alone_is_enough(pair: Pair) -> None:
    vm = pair.vm(definition=None, firmware="bios", guest_os="")
    pair.target.create_vm(vm, OP)
    built = pair.built()
    assert (built.cpus, built.memory_mib, built.firmware, built.hw_version) == (4, 2048, "bios", 19)
    assert [(one.kind, one.bus, one.sharing) for one in built.controllers] == [
        ("ParaVirtualSCSIController", 0, "noSharing"),
        ("ParaVirtualSCSIController", 1, "virtualSharing"),
    ]
    assert [(one.key, one.unit, one.multi_writer) for one in built.disks] == [
        *((2000, 0, False), (2021, 5, True)),
    ]
    assert [(one.kind, one.mac) for one in built.adapters] == [
        ("VirtualVmxnet3", "00:50:56:9a:00:01"),
        ("VirtualE1000e", "0a:11:22:33:44:55"),
    ]
    assert pair.target.differences(vm) == ()


def test_addresses_of_vmwares_own_ranges_are_asked_for_as_assigned(pair: Pair) -> None:
    macs = ("", "00:50:56:9a:00:01", "00:0c:29:00:00:01", "00:50:56:3f:00:01", "0a:11:22:33:44:55")
    nics = tuple(NewNic(f"nic {number}", "net", mac) for number, mac in enumerate(macs))
    pair.target.create_vm(pair.vm(nics=nics), OP)
    devices = pair.wired.machines("config.hardware.device")["app%2fone"]["config.hardware.device"]
    cards = {one.deviceInfo.label: one for one in devices if hasattr(one, "macAddress")}
    types = [cards[nic.label].addressType for nic in nics]
    assert types == ["assigned", "assigned", "assigned", "manual", "manual"]
    assert [cards[nic.label].macAddress for nic in nics[1:]] == list(macs[1:])


def test_mapped_luns_come_as_mappings(pair: Pair) -> None:
    lun = "naa.600a098038304437415d4b6a59684a31"
    physical = NewDisk("vm-8/2016", 2 * MIB, Backing.RDM_PHYSICAL, lun)
    pair.target.laid["vm-8/2016"] = "[ds2] r1.vmdk", physical
    pair.target.create_vm(pair.vm(), OP)
    backing = next(
        device.backing
        for device in pair.wired.machines("config.hardware.device")["app%2fone"]["config.hardware.device"]
        if device.key == 2016
    )
    assert type(backing).__name__.endswith("RawDiskMappingVer1BackingInfo")
    assert (backing.fileName, backing.compatibilityMode) == ("[ds2] r1.vmdk", "physicalMode")
    assert backing.sharing == "sharingMultiWriter"


@pytest.mark.parametrize(("effect", "sent"), [("drop", 2), ("dropAfter", 1), ("half", 1), ("expire", 1)])
def test_a_lost_answer_builds_nothing_twice(pair: Pair, effect: str, sent: int) -> None:
    pair.wired.peer.rules([{"method": CREATE, "count": 1, effect: True}])
    pair.target.create_vm(pair.vm(), OP)
    pair.target.create_vm(pair.vm(), OP)
    assert pair.wired.peer.fired() == [1]
    assert pair.wired.tasks.log.methods[CREATE] == sent
    assert set(pair.wired.machines()) == {"app%2fone", "tagged"}


def test_a_death_before_the_labels_is_made_good(pair: Pair) -> None:
    pair.wired.peer.rules([{"method": "SetField", "count": 1, "fault": "NoPermission"}])
    with pytest.raises(SiteRefused, match="NoPermission"):
        pair.target.create_vm(pair.vm(), OP)
    assert pair.built().attributes == ()
    pair.target.create_vm(pair.vm(), OP)
    assert pair.built().attributes == (("cost centre", "4711"), ("owner", "sales-it"))
    assert pair.wired.tasks.log.methods[CREATE] == 1


def test_tags_that_cannot_be_had_are_told_and_hold_nothing_up(pair: Pair) -> None:
    vm = pair.vm()
    definition = replace(vm.definition or pair.built(), tags=(), no_tags="it offers no REST endpoint")
    pair.target.create_vm(replace(vm, definition=definition), OP)
    told = pair.target.differences(replace(vm, definition=definition))
    assert Difference("tags", "unknown", "unknown", False, "it offers no REST endpoint") in told


def test_nothing_is_lost_unsaid(vcenter: StartVCenter, wire: Wire, tmp_path: Path) -> None:
    peer = vcenter("-estate", str(everything(tmp_path)))
    found = Building(*wire(peer).of("vm-101")).definition("vm-101")
    assert found is not None
    assert set(found.left) == {
        *("processor affinity", "encryption", "N-port ids", "protection by fault tolerance"),
        *("management by com.example.owner", "encryption of Hard disk 1", "I/O filters of Hard disk 1"),
        "protected memory of SGX",
    }
    vm = NewVM("vm-101", "db", 8, found.memory_mib << 20, "efi", "", (), (), definition=found)
    assert (found.vbs, found.iommu) == (True, True)
    bare = replace(found, left=(), others=())
    told = {one.what for one in differences(vm, bare, 21) if one.why == "wherry does not carry it over"}
    assert told == set(found.left)


def test_a_vm_of_another_attempt_is_not_taken_over(pair: Pair) -> None:
    pair.target.create_vm(pair.vm(), OP)
    with pytest.raises(SiteRefused, match=r"VM vm-8 is at .* already"):
        pair.target.create_vm(pair.vm(), "2/g0/v0/build/do1")


def test_a_name_that_is_taken_is_refused(pair: Pair) -> None:
    pair.target.create_vm(pair.vm(), OP)
    with pytest.raises(NameTaken, match="DuplicateName"):
        pair.target.create_vm(pair.vm(id="vm-9", disks=(), datastore="ds"), OP)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"nics": (NewNic("a", "nowhere\u202e"),)}, r"network nowhere<U\+202E> is not at"),
        ({"datastore": "ds3"}, "datastore ds3 is not at"),
        ({"pool": "gold"}, "no cluster of .* with pool gold"),
        ({"policy": "Gold"}, "storage policy Gold is not at"),
        ({"disks": (NewAttachment("2000", "vm-8/2000", policy="a\u202e"),)}, r"storage policy a<U\+202E> is"),
        ({"folder": "/dc2/vm/x"}, "no cluster of .* in datacenter dc2"),
        ({"disks": ()}, "nobody said on which datastore"),
    ],
)
def test_a_place_that_is_not_there_is_refused(pair: Pair, changes: dict[str, Any], why: str) -> None:
    with pytest.raises(SiteRefused, match=why):
        pair.target.create_vm(pair.vm(**changes), OP)
    assert pair.wired.tasks.log.methods == {}
    assert set(pair.wired.machines()) == {"tagged"}


def test_a_disk_that_is_not_there_is_not_found(pair: Pair) -> None:
    pair.target.laid.clear()
    with pytest.raises(NotFound, match="volume vm-8/2000 does not exist"):
        pair.target.create_vm(pair.vm(), OP)


def test_it_lands_where_the_plan_says(pair: Pair) -> None:
    vm = pair.vm(folder="shop/a%b", datastore="ds2", pool="/dc1/host/prod/Resources")
    pair.wired.peer.rules([{"method": "CreateFolder", "count": 1, "dropAfter": True}])
    pair.target.create_vm(vm, OP)
    pair.target.create_vm(replace(vm, id="vm-9", name="nine", disks=()), OP)
    assert pair.wired.tasks.log.methods["CreateFolder"] == 2  # each of the two folders once
    machines = pair.wired.machines("parent", "config.files.vmPathName")
    folder = machines["nine"]["parent"]
    assert (folder.name, folder.parent.name) == ("a%25b", "shop")
    assert machines["app%2fone"]["config.files.vmPathName"].startswith("[ds2] ")


def test_only_what_wherry_made_is_unregistered(pair: Pair) -> None:
    pair.target.create_vm(pair.vm(), OP)
    pair.wired.peer.rules([{"method": "UnregisterVM", "count": 1, "dropAfter": True}])
    pair.target.delete_vm("vm-8", OP)
    pair.target.delete_vm("vm-8", OP)
    assert set(pair.wired.machines()) == {"tagged"}
    assert pair.wired.tasks.log.methods["UnregisterVM"] == 1
    with pytest.raises(SiteRefused, match="was not made by wherry"):
        pair.source.delete_vm("vm-8", OP)
    assert pair.source.definition("vm-8") is not None


def test_a_running_vm_is_not_unregistered(pair: Pair) -> None:
    pair.target.create_vm(pair.vm(), OP)
    finished(pair.wired.machines()["app%2fone"][""].PowerOnVM_Task())
    with pytest.raises(SiteRefused, match="InvalidPowerState"):
        pair.target.delete_vm("vm-8", OP)


@pytest.mark.parametrize("effect", ["drop", "dropAfter", "expire"])
def test_a_fence_is_read_back(vcenter: StartVCenter, wire: Wire, tmp_path: Path, effect: str) -> None:
    wired = wire(vcenter("-estate", str(document(tmp_path, replace(APP, power=Power.ON)))))
    site = Building(*wired.of("vm-8"))
    wired.peer.rules(
        [{"method": method, "count": 1, effect: True} for method in ("Rename_Task", "ReconfigVM_Task")]
    )
    site.rename("vm-8", "app/one-moved", OP)
    site.annotate("vm-8", "wherry: moved away\nask Kim", OP)
    assert wired.peer.fired() == [1, 1]

    def plugs() -> list[tuple[bool, bool]]:
        devices = wired.machines("config.hardware.device")["app%2fone-moved"]["config.hardware.device"]
        cards = sorted(
            (device for device in devices if hasattr(device, "macAddress")), key=lambda one: one.key
        )
        return [(card.connectable.connected, card.connectable.startConnected) for card in cards]

    before = plugs()
    site.connect_nics("vm-8", False, OP)
    site.connect_nics("vm-8", False, "1/g0/v0/fence/do2")
    assert plugs() == [(False, False), (False, False)]
    site.connect_nics("vm-8", True, OP)
    assert plugs() == before == [(True, True), (False, False)]
    found = site.definition("vm-8")
    assert found is not None
    assert found.annotation == "wherry: moved away\nask Kim"


def test_a_name_that_another_has_is_refused(vcenter: StartVCenter, wire: Wire, tmp_path: Path) -> None:
    other = replace(APP, id="vm-9", moref="vm-9", name="nine", disks=())
    wired = wire(vcenter("-estate", str(document(tmp_path, APP, other))))
    with pytest.raises(SiteRefused, match="rename of vm-8 failed"):
        Building(*wired.of("vm-8")).rename("vm-8", "nine", OP)
