"""What the settings of a site set up, from a disk of the vCenter to its bytes."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from migrate.claims import Rank
from migrate.sites.ports import NewDisk
from migrate.sites.vsphere.reaching import Reaching
from migrate.sites.vsphere.seats import Form
from migrate.sites.vsphere.transports.ports import Purpose, Way
from migrate.sites.vsphere.transports.slots import Slots
from migrate.sites.vsphere.transports.ways import Reach, ways_to
from migrate.sites.ways import GivesWay
from planner.errors import NotFound
from planner.model import Backing
from planner.settings_sites import Site
from tests.migrate.sites.vsphere.conftest import Wired
from tests.migrate.sites.vsphere.disks import content, power_off, real_disk


def test_each_way_that_is_not_set_up_says_so(wired: Wired, tmp_path: Path) -> None:
    real = real_disk(wired)
    power_off(wired, real.vm)
    site = Reaching(*wired.of(real.vm))
    site.transports = ways_to(wired.connection, wired.tasks, Reach(), tmp_path)
    assert site.reads_by(real.volume).reason == (
        f"datastore-http: the vCenter serves its file; not local: datastore {real.file.datastore} is not "
        "mounted here; not hot-add: no VM of the mover is set up at this vCenter; not nbd: no VDDK is set up"
    )
    with closing(site.open_read(real.volume)) as disk:
        assert content(disk) == real.body


def test_what_a_disk_takes_by_the_way_that_leads_to_it(wired: Wired, tmp_path: Path) -> None:
    real = real_disk(wired)
    power_off(wired, real.vm)
    site = Reaching(*wired.of(real.vm))
    assert site.takes(real.volume, None) == ()
    site.transports = ways_to(wired.connection, wired.tasks, Reach(), tmp_path)
    (http,) = site.takes(real.volume, None)
    assert (http.claim.what, http.claim.most, http.taken) == ("http", 8, 0)
    with closing(site.open_read(real.volume)):
        assert [one.taken for one in site.takes(real.volume, None)] == [1]
    site.transports = ways_to(wired.connection, wired.tasks, Reach(vddk=Path("/opt/vddk")), tmp_path)
    nbd, _ = site.takes(real.volume, None)
    assert (nbd.claim.what, nbd.claim.most) == ("nbd", 16)
    assert nbd.claim.of.startswith("host DC0_")
    site.transports = ways_to(
        wired.connection, wired.tasks, Reach({real.file.datastore: real.mount}), tmp_path
    )
    assert site.takes(real.volume, None) == ()  # a mounted datastore costs the vCenter nothing


def test_a_pass_ahead_takes_what_any_other_takes_and_gives_way_to_a_cutover(
    wired: Wired, tmp_path: Path
) -> None:
    real = real_disk(wired)
    site = Reaching(*wired.of(real.vm))
    site.transports = ways_to(wired.connection, wired.tasks, Reach(), tmp_path)
    assert site.takes(real.volume, None) == (), "control: what runs is read by no way, so it took nothing"
    (http,) = site.takes(real.volume, None, Rank.AHEAD)
    assert (http.claim.what, http.claim.most, http.taken) == ("http", 8, 0)
    with closing(site.open_live(real.volume)) as disk:
        assert content(disk) == real.body
        assert [one.taken for one in site.takes(real.volume, None, Rank.AHEAD)] == [1]
        assert isinstance(disk, GivesWay)
        slots, claim = Slots(tmp_path / "slots"), http.claim
        others = [slots.take(claim.what, claim.of, claim.most) for _ in range(7)]
        assert not disk.is_wanted()
        power_off(wired, real.vm)
        assert not any(one.is_open(0) for one in site.takes(real.volume, None, Rank.FIRST))
        assert disk.is_wanted()
        for release in others:
            release()
    (later,) = site.takes(real.volume, None)
    assert (later.taken, later.is_open(0)) == (0, False)
    assert all(one.is_open(0) for one in site.takes(real.volume, None, Rank.FIRST))


def test_all_of_them_are_set_up(wired: Wired, tmp_path: Path) -> None:
    real = real_disk(wired)
    power_off(wired, real.vm)
    reach = Reach({real.file.datastore: real.mount}, Path("/opt/vddk"), max(wired.machines()))
    site = Reaching(*wired.of(real.vm))
    site.transports = ways_to(wired.connection, wired.tasks, reach, tmp_path)
    assert [one.way for one in site.transports] == [Way.LOCAL, Way.HOT_ADD, Way.NBD, Way.HTTP]
    assert all(one.refusal(real.place(), Purpose.WRITE) == "" for one in site.transports)
    assert site.reads_by(real.volume).way is Way.LOCAL
    assert site.writes_by(NewDisk(real.volume, len(real.body), Backing.VMDK)).way is Way.HOT_ADD


def test_a_mover_that_is_no_vm_of_the_vcenter(wired: Wired, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="the mover's VM nobody is not at"):
        ways_to(wired.connection, wired.tasks, Reach(mover="nobody"), tmp_path)


def test_what_the_settings_say() -> None:
    said = Site(
        url="vcenter://mover@vc", role="source", mounts={"nfs": "/mnt/nfs"}, vddk="/opt/vddk", mover="m-1"
    )
    assert Reach.of(said) == Reach({"nfs": Path("/mnt/nfs")}, Path("/opt/vddk"), "m-1")
    assert Reach.of(Site(url="vcenter://mover@vc", role="source")) == Reach()
    assert [Form.called(word) for word in ("thin", "thick", "eager")] == list(Form)
