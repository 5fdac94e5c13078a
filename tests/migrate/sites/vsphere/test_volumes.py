"""Volumes are looked at, created once and deleted, whatever happens to the answers."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from migrate.sites.ports import NewDisk
from migrate.sites.vsphere.mappings import _unlike
from migrate.sites.vsphere.reaching import Reaching
from migrate.sites.vsphere.seats import Form, Laying
from migrate.sites.vsphere.transports.choosing import Choice
from migrate.sites.vsphere.transports.datastore_http import DatastoreHttp
from migrate.sites.vsphere.transports.local import LocalFiles
from migrate.sites.vsphere.transports.ports import Way
from planner.errors import NoSpace, NotFound, SiteRefused, Unreachable
from planner.model import Backing
from planner.names import content_id
from planner.sources.vcenter.collector import RawObject
from planner.sources.vcenter.soap import Ref
from tests.migrate.sites.vsphere.conftest import Wire, Wired
from tests.migrate.sites.vsphere.disks import MIB, content, power_off, real_disk
from tests.vcenter.collected import finished, named
from tests.vcenter.fixtures import StartVCenter

CREATE, DELETE = "CreateVirtualDisk_Task", "DeleteVirtualDisk_Task"
DISK = NewDisk("vm-7/2000", 4 * MIB, Backing.VMDK)
STORE = "LocalDS_0"


def _site(wired: Wired, *vms: str, **laying: Any) -> Reaching:
    site = Reaching(*wired.of(*vms))
    site.laying = Laying(datastore=STORE, **laying)
    site.transports = (DatastoreHttp(wired.connection),)
    return site


def _mount(wired: Wired, store: str = STORE) -> Path:
    from pyVmomi import vim

    return Path(named(wired.peer.connect(), vim.Datastore)[store][""].summary.url)


def _reconfigure(machine: Any, **change: Any) -> None:
    from pyVmomi import vim

    kinds: Any = vim.vm
    spec = kinds.ConfigSpec(deviceChange=[kinds.device.VirtualDeviceSpec(**change)])
    finished(machine.ReconfigVM_Task(spec))


def _home(wired: Wired, volume: str = DISK.volume) -> Path:
    return _mount(wired) / f"wherry-{content_id('volume', volume)}"


def test_a_disk_is_created_found_again_and_deleted(wired: Wired) -> None:
    site = _site(wired)
    assert site.volume(DISK.volume) is None
    site.create_disk(DISK, "r/1")
    assert site.volume(DISK.volume) == DISK
    assert _site(wired).volume(DISK.volume) == DISK  # by another process, which knows no places
    assert site.volume(site.ids.place(DISK.volume)) == NewDisk(
        site.ids.place(DISK.volume), DISK.size_bytes, DISK.backing
    )
    with closing(site.open_read(DISK.volume)) as disk:
        assert content(disk) == bytes(4 * MIB)
    _site(wired).delete_disk(DISK.volume, "r/2")
    assert site.volume(DISK.volume) is None
    assert not _home(wired).exists()
    site.delete_disk(DISK.volume, "r/3")
    assert wired.tasks.log.methods[DELETE] == 1


@pytest.mark.parametrize("form", list(Form))
def test_a_disk_takes_its_room_as_told(wired: Wired, form: Form) -> None:
    _site(wired, form=form).create_disk(DISK, "r/1")
    said = (_home(wired) / "disk.vmdk").read_text()
    assert ('ddb.thinProvisioned = "1"' in said) is (form is Form.THIN)


def test_a_disk_that_several_vms_write_is_zeroed_at_once(wired: Wired) -> None:
    """VMFS lets several VMs write no other."""
    _site(wired).create_disk(NewDisk(DISK.volume, DISK.size_bytes, DISK.backing, shared=True), "r/1")
    assert "thinProvisioned" not in (_home(wired) / "disk.vmdk").read_text()
    assert _site(wired).volume(DISK.volume) == DISK


def test_luns_that_hosts_do_not_describe_alike() -> None:
    def host(name: str, uuid: str, blocks: int) -> RawObject:
        lun = {
            "canonicalName": "naa.1",
            "lunType": "disk",
            "uuid": uuid,
            "capacity": {"block": str(blocks), "blockSize": "512"},
        }
        return RawObject(Ref("HostSystem", name), {"config.storageDevice.scsiLun": [lun]})

    assert _unlike([host("a", "u", 8), host("b", "u", 8)]) == frozenset()
    assert _unlike([host("a", "u", 8), host("b", "u", 16)]) == {"naa.1"}
    assert _unlike([host("a", "u", 8), host("b", "other", 8)]) == {"naa.1"}


@pytest.mark.parametrize(("effect", "sent"), [("drop", 2), ("dropAfter", 1), ("half", 1)])
def test_a_lost_answer_creates_no_second_disk(wired: Wired, effect: str, sent: int) -> None:
    wired.peer.rules([{"method": CREATE, "count": 1, effect: True}])
    _site(wired).create_disk(DISK, "r/1")
    assert wired.tasks.log.methods[CREATE] == sent
    _site(wired).create_disk(DISK, "r/1")
    assert wired.tasks.log.methods[CREATE] == sent
    assert sorted(path.name for path in _home(wired).iterdir()) == ["disk-flat.vmdk", "disk.vmdk"]


@pytest.mark.parametrize(("effect", "sent"), [("drop", 2), ("dropAfter", 1), ("half", 1)])
def test_a_lost_answer_deletes_once(wired: Wired, effect: str, sent: int) -> None:
    site = _site(wired)
    site.create_disk(DISK, "r/1")
    wired.peer.rules([{"method": DELETE, "count": 1, effect: True}])
    site.delete_disk(DISK.volume, "r/2")
    assert wired.tasks.log.methods[DELETE] == sent
    assert not _home(wired).exists()


@pytest.mark.parametrize("effect", ["drop", "dropAfter"])
def test_a_folder_that_was_made_without_an_answer(wired: Wired, effect: str) -> None:
    wired.peer.rules([{"method": "MakeDirectory", "count": 1, effect: True}])
    _site(wired).create_disk(DISK, "r/1")
    assert (_home(wired) / "disk.vmdk").exists()


def test_a_full_datastore_is_no_space(wired: Wired) -> None:
    site = _site(wired)
    wired.peer.rules([{"method": CREATE, "taskFault": "NoDiskSpace"}])
    with pytest.raises(NoSpace):
        site.create_disk(DISK, "r/1")
    assert site.volume(DISK.volume) is None
    with pytest.raises(NoSpace, match="left, volume vm-9/1 needs"):  # and is not even asked for
        site.create_disk(NewDisk("vm-9/1", 1 << 60, Backing.VMDK), "r/2")
    assert wired.tasks.log.methods[CREATE] == 1


def test_a_disk_of_another_shape_is_refused(wired: Wired) -> None:
    site = _site(wired)
    site.create_disk(DISK, "r/1")
    site.create_disk(DISK, "r/2")
    with pytest.raises(SiteRefused, match="another shape"):
        site.create_disk(NewDisk(DISK.volume, 8 * MIB, Backing.VMDK), "r/3")
    with pytest.raises(SiteRefused, match="cannot have 1000 bytes"):
        site.create_disk(NewDisk("vm-9/1", 1000, Backing.VMDK), "r/4")
    assert wired.tasks.log.methods[CREATE] == 1


def test_what_is_no_descriptor_is_said(wired: Wired) -> None:
    site = _site(wired)
    site.create_disk(DISK, "r/1")
    (_home(wired) / "disk.vmdk").write_bytes(b"\x00garbage" * 4)
    with pytest.raises(SiteRefused, match="not a usable VMDK descriptor"):
        site.volume(DISK.volume)


def test_a_site_without_a_datastore_makes_no_disks(wired: Wired) -> None:
    site = Reaching(*wired.of())
    assert site.volume("vm-7/2000") is None
    with pytest.raises(SiteRefused, match="no datastore that new disks go to"):
        site.create_disk(DISK, "r/1")
    site.laying = Laying(datastore="nowhere")
    with pytest.raises(NotFound, match="datastore nowhere does not exist"):
        site.create_disk(DISK, "r/1")


def test_a_disk_of_the_sources_own_vm(wired: Wired) -> None:
    real = real_disk(wired)
    site = _site(wired, real.vm)
    assert site.volume(real.volume) == NewDisk(real.volume, MIB, Backing.VMDK)
    with pytest.raises(SiteRefused, match="is a disk of"):
        site.delete_disk(real.volume, "r/1")
    with pytest.raises(SiteRefused, match="powered-on VM"):
        site.open_write(real.volume)
    with pytest.raises(SiteRefused, match="no snapshot holds it still"):
        site.open_read(real.volume)
    assert real.flat.exists()


def test_a_snapshot_of_a_running_vm_is_read_and_the_way_told(wired: Wired) -> None:
    real = real_disk(wired)
    machine = next(one[""] for one in wired.machines().values() if one[""]._moId == real.vm)
    taken = finished(machine.CreateSnapshot_Task("wherry", "wherry op r/snap", False, False))
    site = _site(wired, real.vm)
    told: list[tuple[str, Choice]] = []
    site.tell = lambda volume, choice: told.append((volume, choice))
    for snapshot in ("r/snap", taken._moId):
        with closing(site.open_read(real.volume, snapshot)) as disk:
            assert content(disk) == real.body
    assert told == [(real.volume, Choice(Way.HTTP))] * 2
    with pytest.raises(NotFound, match="has snapshot"):
        site.open_read(real.volume, "r/other")


def test_a_disk_that_its_snapshot_does_not_hold_is_not_read(wired: Wired) -> None:
    """An independent disk has no delta file: the running VM goes on writing what would be read."""
    from pyVmomi import vim

    real = real_disk(wired)
    machine = next(one[""] for one in wired.machines().values() if one[""]._moId == real.vm)
    kind: Any = vim.vm.device.VirtualDisk
    disk = next(one for one in machine.config.hardware.device if isinstance(one, kind))
    disk.backing.diskMode = "independent_persistent"
    _reconfigure(machine, operation="edit", device=disk)
    finished(machine.CreateSnapshot_Task("wherry", "wherry op r/snap", False, False))
    with pytest.raises(SiteRefused, match="is not in the snapshot"):
        _site(wired, real.vm).open_read(real.volume, "r/snap")


def test_a_disk_is_written_and_read_back(wired: Wired) -> None:
    real = real_disk(wired)
    power_off(wired, real.vm)
    site = _site(wired, real.vm)
    site.transports = (LocalFiles({real.file.datastore: real.mount}), DatastoreHttp(wired.connection))
    assert site.writes_by(NewDisk(real.volume, len(real.body), Backing.VMDK)).way is Way.LOCAL
    with closing(site.open_write(real.volume)) as disk:
        disk.write(b"n" * MIB, 0)
        disk.flush()
    assert real.flat.read_bytes() == b"n" * MIB


def test_a_new_disk_is_written_at_its_mount(wired: Wired) -> None:
    site = _site(wired)
    site.create_disk(DISK, "r/1")
    site.transports = (LocalFiles({STORE: _mount(wired)}),)
    with closing(site.open_write(DISK.volume)) as disk:
        disk.write(b"n" * MIB, MIB)
        disk.flush()
    with closing(site.open_read(DISK.volume)) as disk:
        assert content(disk, MIB - 1, 3) == b"\0nn"


def test_it_outlasts_a_restart_of_the_vcenter(wired: Wired) -> None:
    """The disk may be lost with the simulator's files; that it is asked for anew is what counts."""
    site = _site(wired)
    wired.peer.restart()
    site.create_disk(DISK, "r/1")
    assert site.volume(DISK.volume) == DISK


def test_a_vcenter_that_is_away(wired: Wired) -> None:
    site = _site(wired)
    wired.connection.patience_s = 0.1
    wired.peer.kill()
    with pytest.raises(Unreachable):
        site.volume(DISK.volume)


# Mappings


@pytest.fixture
def san(vcenter: StartVCenter, wire: Wire) -> Wired:
    """Two hosts in a cluster that see four LUNs; a datastore lies on the first."""
    return wire(
        vcenter("-vm", "1", "-host", "2", "-standalone-host", "0", "-ds", "1", "-lun", "4", "-cluster", "1")
    )


@pytest.fixture
def two(vcenter: StartVCenter, wire: Wire) -> Wired:
    """Two VMs beside two LUNs, one of them free."""
    return wire(vcenter("-vm", "2", "-standalone-host", "0", "-ds", "1", "-lun", "2", "-cluster", "1"))


def _luns(wired: Wired) -> list[tuple[str, int]]:
    from pyVmomi import vim

    host = next(iter(named(wired.peer.connect(), vim.HostSystem, "config.storageDevice").values()))
    return [
        (one.canonicalName, one.capacity.block * one.capacity.blockSize)
        for one in host["config.storageDevice"].scsiLun
        if one.canonicalName.startswith("naa.")
    ]


@pytest.mark.parametrize(
    ("backing", "kind"),
    [
        (Backing.RDM_PHYSICAL, "vmfsPassthroughRawDeviceMap"),
        (Backing.RDM_VIRTUAL, "vmfsRawDeviceMap"),
    ],
)
def test_a_lun_is_mapped_by_a_pointer(san: Wired, backing: Backing, kind: str) -> None:
    _, (lun, size), *_ = _luns(san)
    site = _site(san)
    smaller = NewDisk("vm-7/2001", size - 512, backing, lun)
    site.create_disk(smaller, "r/1")
    site.create_disk(smaller, "r/2")
    assert san.tasks.log.methods[CREATE] == 1
    assert _site(san).volume("vm-7/2001") == NewDisk("vm-7/2001", size, backing, lun)
    assert f'createType="{kind}"' in (_home(san, "vm-7/2001") / f"{lun}.vmdk").read_text()
    assert site.ids.volume(lun) == "vm-7/2001"
    site.delete_disk("vm-7/2001", "r/3")
    assert site.volume("vm-7/2001") is None


def test_a_lun_that_is_too_small_or_nobody_sees(san: Wired) -> None:
    _, (lun, size), *_ = _luns(san)
    site = _site(san)
    with pytest.raises(SiteRefused, match=rf"has {size // 512} sectors, the disk needs {size // 512 + 1}"):
        site.create_disk(NewDisk("vm-7/1", size + 512, Backing.RDM_PHYSICAL, lun), "r/1")
    with pytest.raises(SiteRefused, match=r"no host of the target sees LUN naa\.0"):
        site.create_disk(NewDisk("vm-7/1", size, Backing.RDM_PHYSICAL, "naa.0"), "r/1")
    assert CREATE not in san.tasks.log.methods


def test_a_lun_under_a_datastore_is_never_mapped(san: Wired) -> None:
    (lun, size), *_ = _luns(san)
    with pytest.raises(SiteRefused, match=f"datastore {STORE} lies on LUN"):
        _site(san).create_disk(NewDisk("vm-7/1", size, Backing.RDM_PHYSICAL, lun), "r/1")
    assert CREATE not in san.tasks.log.methods


def _map(vm: Any, lun: Any, unit: int) -> None:
    """Have a VM map a LUN by a pointer of its own."""
    from pyVmomi import vim

    bus: Any = vim.vm.device.VirtualSCSIController
    controller = next(one for one in vm.config.hardware.device if isinstance(one, bus))
    kind: Any = vim.vm.device.VirtualDisk
    disk = kind(
        key=-1,
        controllerKey=controller.key,
        unitNumber=unit,
        capacityInKB=lun.capacity // 1024,
        backing=kind.RawDiskMappingVer1BackingInfo(
            fileName="", lunUuid=lun.disk.uuid, deviceName=lun.name, compatibilityMode="physicalMode"
        ),
    )
    _reconfigure(vm, operation="add", fileOperation="create", device=disk)


def test_a_lun_of_another_vm_is_never_mapped(san: Wired) -> None:
    vm = next(iter(san.machines().values()))[""]
    offered = vm.environmentBrowser.QueryConfigTarget(None).scsiDisk[0]
    _map(vm, offered, 5)
    name = offered.disk.canonicalName
    wanted = NewDisk("vm-7/1", offered.capacity, Backing.RDM_PHYSICAL, name)
    with pytest.raises(SiteRefused, match=f"is mapped by a disk of {vm.name}"):
        _site(san).create_disk(wanted, "r/1")
    assert CREATE not in san.tasks.log.methods
    assert _site(san).volume(name) == NewDisk(name, offered.capacity, Backing.RDM_PHYSICAL, name)


def test_a_lun_that_a_running_vm_maps_by_another_pointer_is_not_written(two: Wired) -> None:
    (_, off), (_, runs) = sorted(two.machines().items())
    offered = off[""].environmentBrowser.QueryConfigTarget(None).scsiDisk[0]
    for one in (off, runs):
        _map(one[""], offered, 5)
    power_off(two, off[""]._moId)
    site = _site(two, off[""]._moId)
    devices = off[""].config.hardware.device
    key = next(one.key for one in devices if getattr(one.backing, "lunUuid", None))
    with pytest.raises(SiteRefused, match="in use by a powered-on VM"):
        site.open_write(f"{off['']._moId}/{key}")
    power_off(two, runs[""]._moId)
    with pytest.raises(SiteRefused, match="raw device mapping"):  # control: nobody holds it, HTTP cannot
        site.open_write(f"{off['']._moId}/{key}")


def test_a_lun_that_one_host_does_not_see(san: Wired) -> None:
    from pyVmomi import vim

    _, (lun, size), *_ = _luns(san)
    service = san.peer.connect()
    (cluster,) = named(service, vim.ClusterComputeResource).values()
    blind = cluster[""].host[0]._moId
    san.peer.rules([{"hide": True, "object": blind}])
    wanted = NewDisk("vm-7/1", size, Backing.RDM_PHYSICAL, lun)
    site = _site(san, cluster=Ref("ClusterComputeResource", cluster[""]._moId))
    with pytest.raises(SiteRefused, match="1 of 2 hosts of the target do not see LUN"):
        site.create_disk(wanted, "r/1")
    san.peer.rules([])
    site.create_disk(wanted, "r/1")


def test_a_full_or_refused_mapping_leaves_no_pointer(san: Wired) -> None:
    _, (lun, size), *_ = _luns(san)
    site = _site(san)
    san.peer.rules([{"method": CREATE, "count": 1, "taskFault": "InvalidDeviceBacking"}])
    with pytest.raises(SiteRefused, match="InvalidDeviceBacking"):
        site.create_disk(NewDisk("vm-7/1", size, Backing.RDM_VIRTUAL, lun), "r/1")
    assert site.volume("vm-7/1") is None
    assert list(_home(san, "vm-7/1").iterdir()) == []
