"""What of a lab VM can be reconfigured: as the inventory says, durable, refused as vSphere refuses."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.daemons.lock import is_running
from migrate.sites.configuration import Configuration, Drive
from migrate.sites.lab.client import LabSite
from migrate.sites.lab.folder import NAME
from migrate.sites.lab.hardware import Hardware, hardware_of, read_hardware, write_hardware
from migrate.sites.lab.oplog import read_ops
from migrate.sites.ports import NewAttachment
from planner.errors import NotFound, SiteRefused
from planner.model import VM, Cdrom, Device, DeviceKind, Disk, Inventory, Power, Snapshot
from planner.names import content_id
from tests.migrate.sites.estate import HOSTILE, MIB, build, running, wait_for

DISKS = (
    Disk("2000", "Hard disk 1", MIB, path="[ds] odd/0.vmdk", mode="independent_persistent"),
    Disk("2001", "Hard disk 2", MIB, path="[ds] odd/1.vmdk", mode="persistent"),
)
ODD = VM(
    "odd",
    "odd",
    power=Power.ON,
    hw_version=10,
    cbt=False,
    consolidation_needed=True,
    disks=DISKS,
    cdroms=(Cdrom("CD/DVD drive 1", True, f"[iso] {HOSTILE}"), Cdrom("CD/DVD drive 2", False, "", True)),
    devices=(Device(DeviceKind.FLOPPY, "Floppy 1", True, "[iso] a.flp"), Device(DeviceKind.USB, "USB 1")),
)
OLD = replace(ODD, id="old", name="old", disks=(), snapshots=(Snapshot(HOSTILE), Snapshot("two")))
PLAIN = VM("plain", "plain", power=Power.ON, disks=(Disk("2000", "d", MIB, path="[ds] plain/0.vmdk"),))


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    estate = Inventory("test", "2026-01-01T00:00:00Z", (ODD, OLD, PLAIN))
    build(tmp_path / "lab", inventory=estate)
    return tmp_path / "lab" / "source"


@pytest.fixture
def site(lab: Path) -> Iterator[LabSite]:
    with running(lab) as source:
        yield source


def configuration(site: LabSite, vm: str = "odd") -> Configuration:
    found = site.configuration(vm)
    assert found is not None
    return found


def changed(site: LabSite) -> list[str]:
    """Return what the site's log says was asked of it and done."""
    return [
        str(line["call"])
        for line in read_ops(site.directory / "state" / "ops.log")
        if line.get("done") and not line.get("repeated")
    ]


def test_the_lab_is_as_odd_as_the_inventory(site: LabSite) -> None:
    found = configuration(site)
    assert (found.hw_version, found.cbt, found.tracking, found.consolidation_needed) == (
        10,
        False,
        False,
        True,
    )
    assert found.modes == (("2000", "independent_persistent"), ("2001", "persistent"))
    assert found.drives == (
        Drive("sata0:0", "CD/DVD drive 1", True, True, f"[iso] {HOSTILE}"),
        Drive("sata0:1", "CD/DVD drive 2", False, True, ""),
        Drive("floppy0", "Floppy 1", True, True, "[iso] a.flp"),
    )
    assert (found.snapshots, configuration(site, "old").snapshots) == (0, 2)
    assert configuration(site, "plain") == Configuration(modes=(("2000", "persistent"),))
    assert site.configuration("nobody") is None


def test_the_vmx_says_it_in_vmwares_words(lab: Path) -> None:
    stem = content_id("odd")
    text = (lab / "vms" / stem / f"{stem}.vmx").read_text()
    for line in (
        'virtualHW.version = "10"',
        'ctkEnabled = "FALSE"',
        'scsi0:0.mode = "independent-persistent"',
        'sata0:0.deviceType = "cdrom-image"',
        'sata0:0.startConnected = "TRUE"',
        'floppy0.fileName = "[iso] a.flp"',
    ):
        assert line in text.splitlines()


def test_hardware_survives_its_keys_whatever_it_holds() -> None:
    disks = (NewAttachment("2000", "v"), NewAttachment("2001", "w", 0, 1))
    for vm in (ODD, OLD, PLAIN, replace(ODD, hw_version=None, cbt=None)):
        hardware = hardware_of(vm)
        assert read_hardware(write_hardware(hardware, disks), disks) == hardware
    assert read_hardware({}, disks) == Hardware()
    with pytest.raises(ValueError, match="invalid literal"):
        read_hardware({"virtualHW.version": "x"}, disks)


def test_changes_outlive_a_kill_of_the_site_at_once(lab: Path, site: LabSite) -> None:
    site.set_hardware_version("odd", 15, "op-1")
    site.set_disk_modes("odd", (("2000", "persistent"),), "op-2")
    site.set_drives("odd", (("sata0:0", False, False), ("floppy0", False, True)), "op-3")
    site.consolidate("odd", "op-4")
    site.set_change_tracking("odd", True, "op-5")
    wanted = configuration(site)
    assert wanted.drives[1] == Drive("sata0:1", "CD/DVD drive 2", False, True, "")
    assert (wanted.hw_version, wanted.cbt, wanted.tracking) == (15, True, False)
    pid = is_running(lab / "run", NAME)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: is_running(lab / "run", NAME) != pid)
    site.close()
    again = LabSite.connect(lab)
    assert configuration(again) == wanted
    again.set_hardware_version("odd", 10, "op-1")
    assert configuration(again).hw_version == 15, "what was done under an op is not done again"
    again.set_hardware_version("odd", 10, "op-6")
    assert configuration(again).hw_version == 10, "a lab can take it back"


def test_what_vsphere_refuses_is_refused_and_nothing_is_changed(site: LabSite) -> None:
    site.power_on("odd", "on")
    before = configuration(site)
    for change in (
        lambda: site.set_hardware_version("odd", 15, "a"),
        lambda: site.set_disk_modes("odd", (("2000", "persistent"),), "b"),
    ):
        with pytest.raises(SiteRefused, match="powered on"):
            change()
    site.set_drives("odd", (("sata0:0", False, False),), "c")
    site.set_drives("odd", (("sata0:0", True, True),), "d")
    with pytest.raises(SiteRefused, match="no drive"):
        site.set_drives("odd", (("sata0:0", False, False), ("ide9", False, False)), "e")
    site.power_off("odd", "off")
    for change in (
        lambda: site.set_hardware_version("odd", 99, "f"),
        lambda: site.set_disk_modes("odd", (("2000", "persistent"), ("9", "persistent")), "g"),
        lambda: site.set_disk_modes("odd", (("2000", "undefined"),), "h"),
    ):
        with pytest.raises(SiteRefused):
            change()
    site.set_hardware_version("odd", 4, "i")
    with pytest.raises(SiteRefused, match="no change tracking"):
        site.set_change_tracking("odd", True, "j")
    site.set_hardware_version("odd", 10, "k")
    assert configuration(site) == replace(before, tracking=False)
    for unknown in (
        lambda: site.consolidate("nobody", "l"),
        lambda: site.set_change_tracking("nobody", True, "m"),
    ):
        with pytest.raises(NotFound):
            unknown()


def test_change_tracking_takes_effect_at_a_snapshot_and_then_is_believed(site: LabSite) -> None:
    site.power_on("odd", "on")
    assert site.change_id("odd/2000") is None
    first = site.take_snapshot(("odd",), "one")
    site.drop_snapshot(first.id, "one")
    assert site.changed_areas("odd/2000", first.changes["odd/2000"]) is None, "not tracked, not trusted"
    site.set_change_tracking("odd", True, "ask")
    assert not configuration(site).tracking
    assert site.change_id("odd/2000") is None
    stun = site.take_snapshot(("odd",), "stun")
    assert configuration(site).snapshots == 1
    site.drop_snapshot(stun.id, "stun")
    assert (configuration(site).tracking, configuration(site).snapshots) == (True, 0)
    assert site.changed_areas("odd/2000", first.changes["odd/2000"]) is None, "from before it was on"
    wait_for(lambda: bool(site.changed_areas("odd/2000", stun.changes["odd/2000"])))
    assert site.probe("odd").ok
    site.set_change_tracking("odd", False, "no")
    site.power_off("odd", "off")
    site.power_on("odd", "on again")
    assert not configuration(site).tracking
    assert site.change_id("odd/2000") is None
    assert site.probe("odd").ok


def test_another_vm_is_tracked_all_the_time(site: LabSite) -> None:
    site.power_on("plain", "on")
    mark = site.change_id("plain/2000")
    assert mark is not None
    wait_for(lambda: bool(site.changed_areas("plain/2000", mark)))
    assert changed(site) == ["power_on"]
