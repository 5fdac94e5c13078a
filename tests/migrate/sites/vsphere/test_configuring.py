"""What remedies change at a vCenter: read back, sent once, refused with the reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrate.sites.configuration import Configuration, Drive
from migrate.sites.ports import Configures
from migrate.sites.vsphere.configuring import Configuring
from planner.errors import NotFound, SiteRefused, Unreachable
from planner.model import VM, Power, Snapshot
from tests.migrate.sites.vsphere.conftest import Wire, Wired
from tests.migrate.sites.vsphere.estates import ODD, document
from tests.vcenter.fixtures import StartVCenter

Start = Callable[..., Wired]
OP = "1/g0/v0/fix/do1"
RECONFIGURE = "ReconfigVM_Task"


@pytest.fixture
def start(vcenter: StartVCenter, wire: Wire, tmp_path: Path) -> Start:
    """Start a vCenter that holds these VMs."""
    return lambda *vms: wire(vcenter("-estate", str(document(tmp_path, *vms))))


def part(wired: Wired) -> Configuring:
    return Configuring(*wired.of("vm-7"))


def found(site: Configuring) -> Configuration:
    read = site.configuration("vm-7")
    assert read is not None
    return read


def test_it_reads_what_remedies_look_at(start: Start) -> None:
    site: Configures = part(start(ODD))
    assert site.configuration("vm-7") == Configuration(
        hw_version=13,
        cbt=False,
        tracking=False,
        modes=(("2000", "independent_persistent"), ("2001", "persistent")),
        drives=(
            Drive("3000", "CD/DVD drive 1", True, True, "[ds] iso/tools.iso"),
            Drive("8000", "Floppy 1", True, True, "a.flp"),
        ),
        consolidation_needed=True,
    )
    assert site.configuration("vm-8") is None


Change = Callable[[Configuring], None]
CHANGES: dict[str, tuple[Change, Callable[[Configuration], bool], str]] = {
    "tracking": (
        lambda site: site.set_change_tracking("vm-7", True, OP),
        lambda now: now.cbt,
        RECONFIGURE,
    ),
    "hardware": (
        lambda site: site.set_hardware_version("vm-7", 17, OP),
        lambda now: now.hw_version == 17,
        "UpgradeVM_Task",
    ),
    "modes": (
        lambda site: site.set_disk_modes("vm-7", (("2000", "persistent"), ("2001", "persistent")), OP),
        lambda now: now.modes == (("2000", "persistent"), ("2001", "persistent")),
        RECONFIGURE,
    ),
    "drives": (
        lambda site: site.set_drives("vm-7", (("3000", False, False), ("8000", False, False)), OP),
        lambda now: not any(drive.connected or drive.starts_connected for drive in now.drives),
        RECONFIGURE,
    ),
    "deltas": (
        lambda site: site.consolidate("vm-7", OP),
        lambda now: not now.consolidation_needed,
        "ConsolidateVMDisks_Task",
    ),
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_made_once_and_read_back(start: Start, what: str) -> None:
    change, is_so, method = CHANGES[what]
    wired = start(ODD)
    site, other = part(wired), found(part(wired))
    assert not is_so(other)
    change(site)
    change(site)
    assert is_so(found(site))
    assert wired.tasks.log.methods == {method: 1}


@pytest.mark.parametrize("what", CHANGES)
@pytest.mark.parametrize(("effect", "sent"), [("drop", 2), ("dropAfter", 1), ("expire", 1)])
def test_a_lost_answer_is_asked_for(start: Start, what: str, effect: str, sent: int) -> None:
    change, is_so, method = CHANGES[what]
    wired = start(ODD)
    wired.peer.rules([{"method": method, "count": 1, effect: True}])
    change(part(wired))
    assert is_so(found(part(wired)))
    assert wired.peer.fired() == [1]
    assert wired.tasks.log.methods == {method: sent}


@pytest.mark.parametrize("what", CHANGES)
def test_a_refusal_changes_nothing(start: Start, what: str) -> None:
    change, is_so, method = CHANGES[what]
    wired = start(ODD)
    wired.peer.rules([{"method": method, "taskFault": "NoPermission"}])
    with pytest.raises(SiteRefused, match="NoPermission"):
        change(part(wired))
    assert not is_so(found(part(wired)))


def test_what_only_seemed_to_work_is_no_success(start: Start) -> None:
    """The negative control of reading back: a task that does nothing and ends well."""
    wired = start(ODD)
    site = part(wired)

    class Idle(Configuring):
        def act(self, call: str, subject: str, op: str) -> Any:
            class Nothing:
                def run(self, *_: object, **__: object) -> None:
                    return

            return Nothing()

    with pytest.raises(SiteRefused, match="it is as before"):
        Idle(site.connection, site.tasks, site.ids).set_change_tracking("vm-7", True, OP)


def test_tracking_takes_effect_with_a_snapshot(start: Start) -> None:
    dependent = tuple(replace(disk, mode="persistent") for disk in ODD.disks)
    wired = start(replace(ODD, disks=dependent))
    site = part(wired)
    site.set_change_tracking("vm-7", True, OP)
    assert found(site).tracking is False
    machine = wired.machines()["odd"][""]
    machine.CreateSnapshot_Task("stun", "", False, False)
    assert found(site).tracking is True


OLD = replace(ODD, hw_version=4)
ON = replace(ODD, power=Power.ON)
SNAPPED = replace(ODD, snapshots=(Snapshot("one"), Snapshot("two")))


@pytest.mark.parametrize(
    ("vm", "change", "why"),
    [
        (OLD, lambda site: site.set_change_tracking("vm-7", True, OP), "hardware 4 .* knows no change"),
        (SNAPPED, lambda site: site.set_change_tracking("vm-7", True, OP), "has 2 snapshots"),
        (ON, lambda site: site.set_hardware_version("vm-7", 17, OP), "powered on"),
        (ODD, lambda site: site.set_hardware_version("vm-7", 11, OP), "cannot be lowered to 11"),
        (ODD, lambda site: site.set_hardware_version("vm-7", 21, OP), "runs virtual hardware 17 at most"),
        (ON, lambda site: site.set_disk_modes("vm-7", (("2000", "persistent"),), OP), "powered on"),
        (ODD, lambda site: site.set_disk_modes("vm-7", (("9", "persistent"),), OP), "no disk 9"),
        (ODD, lambda site: site.set_drives("vm-7", (("9", True, True),), OP), "no drive 9"),
    ],
)
def test_what_cannot_be_is_refused_before_it_is_sent(start: Start, vm: VM, change: Change, why: str) -> None:
    wired = start(vm)
    with pytest.raises(SiteRefused, match=why):
        change(part(wired))
    assert wired.tasks.log.methods == {}


def test_a_drive_of_a_running_vm_is_unplugged_at_once(start: Start) -> None:
    wired = start(ON)
    site = part(wired)
    site.set_drives("vm-7", (("3000", False, True),), OP)
    assert [(one.connected, one.starts_connected) for one in found(site).drives] == [
        *((False, True), (True, True)),
    ]


def test_a_drive_that_a_guest_holds_is_not_waited_for_all_night(start: Start) -> None:
    wired = start(ON)
    site = part(wired)
    site.drives_within_s = 0.2
    wired.peer.rules([{"method": RECONFIGURE, "taskMs": 2000}])
    with pytest.raises(Unreachable, match="still runs after"):
        site.set_drives("vm-7", (("3000", False, False),), OP)


def test_a_vm_that_is_gone_is_not_found(start: Start) -> None:
    wired = start(ODD)
    site = Configuring(*wired.of("vm-9"))
    assert site.configuration("vm-9") is None
    with pytest.raises(NotFound):
        site.set_change_tracking("vm-9", True, OP)
