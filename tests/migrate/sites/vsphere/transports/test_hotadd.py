"""Disks attached to a mover's VM; the vCenter's own flat files stand in for the block devices."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pyVmomi

from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.reaching import Reaching
from migrate.sites.vsphere.transports.attachments import Attachments
from migrate.sites.vsphere.transports.blockdevices import BlockDevices
from migrate.sites.vsphere.transports.hanging import Hanging
from migrate.sites.vsphere.transports.hotadd import HotAdd
from migrate.sites.vsphere.transports.mover_vm import MoverVM
from migrate.sites.vsphere.transports.ports import Purpose
from planner.errors import NotFound, ProjectBusy, SiteRefused
from planner.model import Backing, BusSharing
from planner.sources.vcenter.soap import Ref
from tests.migrate.sites.vsphere.conftest import Wired
from tests.migrate.sites.vsphere.disks import MIB, RealDisk, content, power_off, real_disk
from tests.vcenter.collected import finished
from tests.vcenter.staged import devices_of, disks_of

vim: Any = pyVmomi.vim
RECONFIG = "ReconfigVM_Task"


@dataclass
class Mover:
    """A mover's VM, the machine that it is, and its record of attachments."""

    wired: Wired
    real: RealDisk
    name: str
    vm: Any
    root: Path
    record: Path

    def way(self) -> HotAdd:
        """Return the transport as a new process has it."""
        devices = BlockDevices(self.root, wait_s=0.2)
        target = MoverVM(self.wired.connection, self.wired.tasks, Ref("VirtualMachine", self.vm._moId))
        record = Attachments(self.record, sleep=lambda seconds: None)
        return HotAdd(Hanging(target, record), devices)

    def disks(self) -> list[Any]:
        """Return its disks, its own first."""
        return disks_of(self.vm)

    def attached(self) -> list[tuple[str, str]]:
        """Return the disks that hang on it besides its own."""
        return [(one.backing.fileName, one.backing.diskMode) for one in self.disks()[1:]]

    def share(self) -> None:
        """Give it a controller whose bus is shared."""
        made = vim.vm.device.VirtualLsiLogicSASController(key=-2, busNumber=1, sharedBus="physicalSharing")
        change = vim.vm.device.VirtualDeviceSpec(operation="add", device=made)
        finished(self.vm.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=[change])))

    @property
    def shared_bus(self) -> int:
        """The key of that controller."""
        found = devices_of(self.vm, vim.vm.device.VirtualLsiLogicSASController)
        return int(found[0].key)


@pytest.fixture
def mover(wired: Wired, tmp_path: Path) -> Mover:
    real = real_disk(wired)
    power_off(wired, real.vm)
    name = max(wired.machines())
    by_id = tmp_path / "dev/disk/by-id"
    by_id.mkdir(parents=True)
    (by_id / f"wwn-0x{real.uuid.replace('-', '')}").symlink_to(real.flat)
    return Mover(wired, real, name, wired.machines()[name][""], tmp_path, tmp_path / "record")


def test_a_disk_is_read_as_a_device_and_detached(mover: Mover) -> None:
    with closing(mover.way().open_read(mover.real.place())) as disk:
        assert content(disk) == mover.real.body
        assert mover.attached() == [(str(mover.real.file), "independent_nonpersistent")]
    assert mover.attached() == []
    assert mover.real.flat.exists()  # detached, not destroyed
    with pytest.raises(OSError, match="closed"):
        content(disk)


def test_a_disk_is_written_as_a_device(mover: Mover) -> None:
    with closing(mover.way().open_write(mover.real.place())) as disk:
        assert mover.attached() == [(str(mover.real.file), "independent_persistent")]
        disk.write(b"z" * 4096, 4096)
        disk.zero(0, 512)
        disk.flush()
    body = mover.real.body
    assert mover.real.flat.read_bytes() == bytes(512) + body[512:4096] + b"z" * 4096 + body[8192:]
    assert mover.attached() == []


@pytest.mark.parametrize("effect", ["drop", "dropAfter", "half"])
@pytest.mark.parametrize("skip", [0, 1], ids=["attaching", "detaching"])
def test_a_lost_answer_is_asked_for(mover: Mover, effect: str, skip: int) -> None:
    mover.wired.peer.rules([{"method": RECONFIG, "skip": skip, "count": 1, effect: True}])
    with closing(mover.way().open_read(mover.real.place())) as disk:
        assert len(mover.attached()) == 1
        assert content(disk) == mover.real.body
    assert mover.wired.peer.fired() == [1]
    assert mover.attached() == []


def test_a_refusal_to_attach_leaves_nothing(mover: Mover) -> None:
    mover.wired.peer.rules([{"method": RECONFIG, "count": 1, "taskFault": "FileLocked"}])
    with pytest.raises(SiteRefused, match="FileLocked"):
        mover.way().open_write(mover.real.place())
    assert mover.attached() == []
    mover.way().open_write(mover.real.place()).close()  # and nothing is in the way of another try


def test_a_device_that_does_not_come_is_detached(mover: Mover) -> None:
    for link in (mover.root / "dev/disk/by-id").iterdir():
        link.unlink()
    with pytest.raises(SiteRefused, match="no device of this system is it"):
        mover.way().open_read(mover.real.place())
    assert mover.attached() == []


def test_a_device_of_another_size_is_detached(mover: Mover) -> None:
    mover.real.flat.write_bytes(bytes(MIB // 2))
    with pytest.raises(SiteRefused, match="has 512 KiB as device"):
        mover.way().open_write(mover.real.place())
    assert mover.attached() == []


def test_a_device_is_found_by_where_it_hangs(mover: Mover, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without disk.EnableUUID: the new device of the right target and size, and only if it is one."""
    for link in (mover.root / "dev/disk/by-id").iterdir():
        link.unlink()
    attach = MoverVM.attach
    twins = 1

    def appear(self: MoverVM, place: Any, *, writable: bool) -> Any:
        hung = attach(self, place, writable=writable)
        for number in range(twins):
            home = mover.root / f"sys/block/sd{'bc'[number]}"
            address = mover.root / f"sys/devices/h{number}/2:0:{hung.unit}:0"
            address.mkdir(parents=True, exist_ok=True)
            home.mkdir(parents=True)
            (home / "device").symlink_to(address)
            (home / "size").write_text(str(MIB // 512))
        return hung

    def gone() -> None:
        for home in (mover.root / "sys/block").iterdir():
            for one in home.iterdir():
                one.unlink()
            home.rmdir()

    monkeypatch.setattr(MoverVM, "attach", appear)
    (mover.root / "sys/block").mkdir(parents=True)
    (mover.root / "dev/sdb").hardlink_to(mover.real.flat)
    with closing(mover.way().open_read(mover.real.place())) as disk:
        assert content(disk) == mover.real.body
    gone()
    twins = 2
    with pytest.raises(SiteRefused, match="no device of this system is it"):
        mover.way().open_read(mover.real.place())
    assert mover.attached() == []


def test_what_a_dead_process_left_is_detached_by_the_next(mover: Mover) -> None:
    import subprocess
    import sys

    from tests.planner.sources.vcenter.logins import login_of

    login = login_of(mover.wired.peer)
    told = json.dumps(
        {
            "host": login.address.host,
            "port": login.address.port,
            "user": login.address.user,
            "password": login.password,
            "ca": str(login.ca_file),
            "vm": mover.vm._moId,
            "file": str(mover.real.file),
            "size": MIB,
            "root": str(mover.root),
            "record": str(mover.record),
        }
    )
    program = (
        "import json, os, sys\n"
        "from pathlib import Path\n"
        "from migrate.sites.vsphere.calls import CallLog\n"
        "from migrate.sites.vsphere.connection import Connection\n"
        "from migrate.sites.vsphere.datastore_path import DatastorePath\n"
        "from migrate.sites.vsphere.tasks import Tasks\n"
        "from migrate.sites.vsphere.transports.attachments import Attachments\n"
        "from migrate.sites.vsphere.transports.blockdevices import BlockDevices\n"
        "from migrate.sites.vsphere.transports.hanging import Hanging\n"
        "from migrate.sites.vsphere.transports.hotadd import HotAdd\n"
        "from migrate.sites.vsphere.transports.mover_vm import MoverVM\n"
        "from migrate.sites.vsphere.transports.ports import Place\n"
        "from planner.sources.vcenter.address import Address, Login\n"
        "from planner.sources.vcenter.session import Session\n"
        "from planner.sources.vcenter.soap import Ref\n"
        "t = json.load(sys.stdin)\n"
        "address = Address(t['user'], t['host'], t['port'])\n"
        "connection = Connection(Session(Login(address, t['password'], ca_file=Path(t['ca']))))\n"
        "vm = MoverVM(connection, Tasks(connection, CallLog()), Ref('VirtualMachine', t['vm']))\n"
        "way = HotAdd(Hanging(vm, Attachments(Path(t['record']))), BlockDevices(Path(t['root'])))\n"
        "disk = way.open_read(Place(DatastorePath.parse(t['file']), t['size']))\n"
        "print(disk.size_bytes, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=told, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == str(MIB), done.stderr
    assert len(mover.attached()) == 1
    mover.way().clean_up()
    assert mover.attached() == []
    mover.way().open_write(mover.real.place()).close()


def test_what_a_dead_process_left_keeps_no_site_from_its_disk(mover: Mover) -> None:
    """The mover runs, so that its disk would be one of a VM that runs."""
    site = Reaching(*mover.wired.of(mover.real.vm))
    site.transports = (mover.way(),)
    hanging = mover.way()._hanging
    assert hanging is not None

    def died(*, remembered: bool) -> None:
        attachment = hanging._attachments.hold(str(mover.real.file))
        if remembered:
            attachment.remember()
        hanging.vm.attach(mover.real.place(), writable=True)
        attachment.leave()

    died(remembered=True)
    site.open_write(mover.real.volume).close()
    assert mover.attached() == []
    died(remembered=False)  # control: a person hung it there
    with pytest.raises(SiteRefused, match="in use by a powered-on VM"):
        site.open_write(mover.real.volume)


def test_a_disk_is_for_one_at_a_time(mover: Mover) -> None:
    with closing(mover.way().open_read(mover.real.place())):
        with pytest.raises(ProjectBusy):
            mover.way().open_read(mover.real.place())
        assert len(mover.attached()) == 1  # and the first keeps it
    assert mover.attached() == []


def test_disks_attached_at_once_get_places_of_their_own(mover: Mover) -> None:
    from concurrent.futures import ThreadPoolExecutor

    places = [mover.real.place()]
    for number in range(3):
        file = f"{mover.real.file.folder}/more{number}.vmdk"
        _create(mover, f"[{mover.real.file.datastore}] {file}")
        flat = mover.real.mount / file.replace(".vmdk", "-flat.vmdk")
        said = (mover.real.mount / file).read_text().partition('ddb.uuid = "')[2].partition('"')[0]
        digits = said.replace(" ", "").replace("-", "")
        (mover.root / f"dev/disk/by-id/wwn-0x{digits}").symlink_to(flat)
        places.append(mover.real.place(file=DatastorePath.parse(f"[{mover.real.file.datastore}] {file}")))
    with ThreadPoolExecutor(len(places)) as pool:
        disks = list(pool.map(lambda place: mover.way().open_read(place), places))
    assert len(set(mover.attached())) == 4
    assert [content(disk, 0, 4) for disk in disks] == [mover.real.body[:4], *([bytes(4)] * 3)]
    for disk in disks:
        disk.close()
    assert mover.attached() == []


def _create(mover: Mover, file: str) -> None:
    from pyVmomi import vim

    service = mover.wired.peer.connect()
    kinds: Any = vim.VirtualDiskManager
    spec = kinds.FileBackedVirtualDiskSpec(diskType="thin", adapterType="lsiLogic", capacityKb=1024)
    manager = service.content.virtualDiskManager
    finished(manager.CreateVirtualDisk_Task(file, service.content.rootFolder.childEntity[0], spec))


def test_a_disk_that_a_person_attached_is_left_alone(mover: Mover) -> None:
    way = mover.way()
    assert way._hanging is not None
    way._hanging.vm.attach(mover.real.place(), writable=True)
    with pytest.raises(SiteRefused, match="not by wherry"):
        mover.way().open_read(mover.real.place())
    mover.way().clean_up()
    assert len(mover.attached()) == 1


def test_a_mover_that_is_gone_while_a_disk_hangs_on_it(mover: Mover) -> None:
    disk = mover.way().open_read(mover.real.place())
    if mover.vm.runtime.powerState == "poweredOn":
        finished(mover.vm.PowerOffVM_Task())
    mover.vm.UnregisterVM()
    disk.close()  # nothing hangs there any more
    with pytest.raises(NotFound, match="is not at"):
        mover.way().open_read(mover.real.place())


def test_a_disk_that_cannot_be_detached_is_said_and_tried_again(mover: Mover) -> None:
    disk = mover.way().open_read(mover.real.place())
    mover.wired.peer.rules([{"method": RECONFIG, "count": 1, "taskFault": "GenericVmConfigFault"}])
    with pytest.raises(SiteRefused, match="GenericVmConfigFault"):
        disk.close()
    assert len(mover.attached()) == 1
    mover.way().clean_up()
    assert mover.attached() == []


def test_all_places_of_the_mover_are_taken(mover: Mover) -> None:
    way = mover.way()
    assert way._hanging is not None
    vm = way._hanging.vm
    taken = vm._devices

    def full() -> list[Any]:
        disks = [{"@": "VirtualDisk", "controllerKey": "1000", "unitNumber": str(unit)} for unit in range(16)]
        return [{"@": "ParaVirtualSCSIController", "key": "1000"}, *disks]

    vm._devices = full  # type: ignore[method-assign]
    with pytest.raises(SiteRefused, match="no free place"):
        vm._free_slot()
    (full_up,) = way.takes(mover.real.place())
    assert (full_up.claim.most, full_up.taken) == (15, 15)
    vm._devices = taken  # type: ignore[method-assign]
    (some,) = way.takes(mover.real.place())
    assert some.claim.fits(some.taken)
    assert vm._free_slot()[1] not in {7}


def test_a_disk_that_its_vms_use_meanwhile_is_attached_as_they_have_it(mover: Mover) -> None:
    """A redo log of the mover's would be a snapshot: so it is persistent, and several may write it."""
    beside = mover.real.place(running=True, live=True, multi_writer=True)
    with closing(mover.way().open_read(beside)) as disk:
        (hung,) = mover.disks()[1:]
        assert (hung.backing.diskMode, hung.backing.sharing) == (
            "independent_persistent",
            "sharingMultiWriter",
        )
        assert content(disk) == mover.real.body
    on_bus = mover.real.place(running=True, live=True, sharing=BusSharing.PHYSICAL)
    with pytest.raises(SiteRefused, match="no free place on a SCSI controller with physicalSharing"):
        mover.way().open_read(on_bus)
    mover.share()
    with closing(mover.way().open_read(on_bus)):
        (hung,) = mover.disks()[1:]
        assert hung.controllerKey == mover.shared_bus
    with closing(mover.way().open_read(mover.real.place())):
        (hung,) = mover.disks()[1:]
        assert hung.controllerKey != mover.shared_bus, "what nobody uses meanwhile hangs as ever"


def test_which_disks_may_hang_on_the_mover(mover: Mover) -> None:
    way, place = mover.way(), mover.real.place
    assert way.refusal(place(), Purpose.WRITE) == ""
    assert way.refusal(place(running=True, snapshot="s"), Purpose.READ) == ""
    assert "snapshot" in way.refusal(place(running=True), Purpose.READ)
    assert "runs holds it" in way.refusal(place(running=True, snapshot="s"), Purpose.WRITE)
    assert "of the mover itself" in way.refusal(place(vm=mover.vm._moId), Purpose.READ)
    physical = place(backing=Backing.RDM_PHYSICAL, running=True, snapshot="s")
    assert "physical mappings" in way.refusal(physical, Purpose.READ)
    assert way.refusal(place(backing=Backing.RDM_PHYSICAL), Purpose.WRITE) == ""
    live = {"running": True, "live": True}
    assert "for itself" in way.refusal(place(**live), Purpose.READ)
    assert "for itself" in way.refusal(place(backing=Backing.RDM_PHYSICAL, **live), Purpose.READ)
    assert way.refusal(place(multi_writer=True, **live), Purpose.READ) == ""
    assert "runs holds it" in way.refusal(place(multi_writer=True, **live), Purpose.WRITE)
    lun = place(backing=Backing.RDM_PHYSICAL, sharing=BusSharing.PHYSICAL, **live)
    assert way.refusal(lun, Purpose.READ) == ""
    none = HotAdd(None, BlockDevices())
    assert "no VM of the mover" in none.refusal(place(), Purpose.READ)
