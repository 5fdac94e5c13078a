"""Replicas hang on a carrier while nbdkit serves them; its file plugin stands in for VDDK."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pyVmomi

from migrate.claims import Rank
from migrate.sites.ports import NewDisk
from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.reaching import Reaching
from migrate.sites.vsphere.roles import Authorised
from migrate.sites.vsphere.seats import Laying
from migrate.sites.vsphere.transports.attachments import Attachments
from migrate.sites.vsphere.transports.carrier import Carrier
from migrate.sites.vsphere.transports.choosing import Choice
from migrate.sites.vsphere.transports.hanging import Hanging
from migrate.sites.vsphere.transports.mover_vm import MoverVM
from migrate.sites.vsphere.transports.nbd import Nbd
from migrate.sites.vsphere.transports.ports import Place, Purpose, Way
from migrate.sites.vsphere.transports.slots import Limits, Slots, nbd_places
from migrate.sites.vsphere.transports.ways import Reach, ways_to
from planner.errors import NotFound, ProjectBusy, SiteRefused
from planner.model import Backing
from planner.sources.vcenter.soap import Ref
from tests.migrate.disks.nbd.servers import tool
from tests.migrate.sites.vsphere.conftest import Wired
from tests.migrate.sites.vsphere.disks import MIB, content, power_off
from tests.migrate.sites.vsphere.transports.passing import children
from tests.vcenter.collected import finished, named
from tests.vcenter.staged import disks_of

vim: Any = pyVmomi.vim
NEW = NewDisk("replica", MIB, Backing.VMDK)


@dataclass
class Like:
    """nbdkit's file plugin, which like VDDK opens a disk only through the VM that has it."""

    carrying: Carrying

    def words(self, place: Place, purpose: Purpose) -> Sequence[str]:
        assert place.vm == self.carrying.vm._moId
        assert str(place.file) in self.carrying.hung()
        return ("file", str(self.carrying.mount / place.file.flat.path))

    def secrets(self) -> Mapping[str, str]:
        return {}


@dataclass
class Carrying:
    """A vCenter with a carrier, and what has hung on it as its people see it."""

    wired: Wired
    vm: Any
    mount: Path
    folder: Path

    def hanging(self) -> Hanging:
        target = Ref("VirtualMachine", self.vm._moId)
        vm = MoverVM(self.wired.connection, self.wired.tasks, target, "the carrier's VM")
        return Hanging(vm, Attachments(self.folder / "attached", sleep=lambda seconds: None))

    def way(self) -> Nbd:
        slots = Slots(self.folder / "slots", patience_s=0.0)
        carrier = Carrier(self.wired.connection, self.hanging(), slots)
        return Nbd(lambda: Like(self), nbd_places(slots, Limits(), "vc"), carrier=carrier)

    def site(self) -> Reaching:
        """Return the site as a new process has it."""
        site = Reaching(*self.wired.of())
        site.laying = Laying(datastore="LocalDS_0")
        site.transports = (self.way(),)
        return site

    def hung(self) -> list[str]:
        return [str(one.backing.fileName) for one in disks_of(self.vm)[1:]]


@pytest.fixture
def carrying(wired: Wired, tmp_path: Path) -> Carrying:
    tool("nbdkit")
    vm = wired.machines()[max(wired.machines())][""]
    power_off(wired, vm._moId)
    stores = named(wired.peer.connect(), vim.Datastore, "name", "summary")
    made = Carrying(wired, vm, Path(str(stores["LocalDS_0"]["summary"].url)), tmp_path)
    made.site().create_disk(NEW, "r/1")
    return made


def test_a_replica_is_written_and_read_back_and_nothing_is_left_hanging(carrying: Carrying) -> None:
    site = carrying.site()
    told: list[Choice] = []
    site.tell = lambda volume, choice: told.append(choice)
    with closing(site.open_write("replica")) as disk:
        disk.write(b"r" * 4096, 8192)
        disk.zero(8192, 512)
        disk.flush()
        (file,) = carrying.hung()
        assert content(disk, 8192, 4096) == bytes(512) + b"r" * 3584
    assert told[0].way is Way.NBD
    assert carrying.hung() == children() == []
    assert (carrying.mount / DatastorePath.parse(file).flat.path).read_bytes()[
        8192 + 512 : 12288
    ] == b"r" * 3584
    with closing(site.open_read("replica")) as disk:
        assert content(disk, 8192, 4096) == bytes(512) + b"r" * 3584
    site.delete_disk("replica", "r/2")
    assert site.volume("replica") is None


def test_the_way_is_told_with_its_reason_also_of_one_that_is_not_there_yet(carrying: Carrying) -> None:
    site = carrying.site()
    for disk in (NEW, NewDisk("another", MIB, Backing.VMDK)):
        assert site.writes_by(disk).reason == "nbd: VDDK reaches it over the network"
    site.transports = (Nbd(lambda: Like(carrying)),)
    with pytest.raises(SiteRefused, match=r"no VM holds it, .* and no carrier is set up"):
        site.writes_by(NEW)


def test_a_carrier_that_runs_or_has_snapshots_carries_nothing(carrying: Carrying) -> None:
    site = carrying.site()
    finished(carrying.vm.CreateSnapshot_Task("s", "", False, False))
    with pytest.raises(SiteRefused, match="the carrier's VM has snapshots"):
        site.open_write("replica")
    finished(carrying.vm.RemoveAllSnapshots_Task())
    finished(carrying.vm.PowerOnVM_Task())
    with pytest.raises(SiteRefused, match="the carrier's VM is not off"):
        site.open_write("replica")
    power_off(carrying.wired, carrying.vm._moId)
    site.open_write("replica").close()


def test_what_it_takes_is_counted(carrying: Carrying) -> None:
    site = carrying.site()
    host, vcenter, unit = site.takes_to_write("replica")
    assert [one.claim.what for one in (host, vcenter, unit)] == ["nbd"] * 3
    assert host.claim.of.startswith("host DC0_")
    assert unit.claim.of.startswith("the carrier's VM of ")
    free = unit.claim.most - unit.taken
    with closing(site.open_write("replica")):
        (_, attached), busy = site.transports[0].carrier._hanging.vm.places(), carrying.site()  # type: ignore
        assert attached == unit.taken + 1 == unit.claim.most - free + 1
        with pytest.raises(ProjectBusy):
            busy.open_write("replica")
    assert [one.taken for one in site.takes_to_write("replica", Rank.FIRST)][:2] == [0, 0]


def test_what_a_process_left_when_it_died_is_taken_off_before_anything_else(carrying: Carrying) -> None:
    def died() -> None:
        place = carrying.site()._place_of("replica", None)
        hanging = carrying.hanging()
        attachment = hanging._attachments.hold(str(place.file))
        attachment.remember()
        hanging.vm.attach(place, writable=True)
        attachment.leave()

    died()
    assert len(carrying.hung()) == 1
    carrying.site().open_write("replica").close()
    assert carrying.hung() == []
    died()
    carrying.site().delete_disk("replica", "r/3")
    assert carrying.hung() == []


def test_what_a_person_hung_there_is_left_alone(carrying: Carrying) -> None:
    """The control: what nobody remembers is not ours."""
    carrying.hanging().vm.attach(carrying.site()._place_of("replica", None), writable=True)
    with pytest.raises(SiteRefused, match="hangs on the carrier's VM already, and not by wherry"):
        carrying.site().open_write("replica")
    with pytest.raises(SiteRefused, match="is a disk of"):
        carrying.site().delete_disk("replica", "r/4")
    assert len(carrying.hung()) == 1


def test_the_settings_name_it_and_the_account_is_asked_for(carrying: Carrying, tmp_path: Path) -> None:
    wired = carrying.wired
    reach = Reach(vddk=Path("/opt/vddk"), carrier=max(wired.machines()))
    site = Reaching(*wired.of())
    site.transports = ways_to(wired.connection, wired.tasks, reach, tmp_path)
    (carrier,) = site.carriers
    assert carrier.id == carrying.vm._moId
    assert Authorised(*wired.of()).lacking_on_carriers(site.carriers) == ()
    wired.peer.rules([{"deny": "VirtualMachine.Config.DiskLease"}])
    (lack,) = Authorised(*wired.of()).lacking_on_carriers(site.carriers)
    assert lack.says.endswith("it is for opening them with VDDK")
    with pytest.raises(NotFound, match="the carrier's VM nobody is not at"):
        ways_to(wired.connection, wired.tasks, Reach(carrier="nobody"), tmp_path)
