"""What is seen of a vCenter: VMs with their disks as volumes of the plan, networks, room."""

from __future__ import annotations

from pathlib import Path

import pytest

from migrate.sites.ports import Capability, DiskState, Powers, Quiescer, Snapshots, Tracker
from migrate.sites.vsphere.ids import Held, Ids, stamps
from migrate.sites.vsphere.site import VsphereSite
from planner.errors import BadInput, Unreachable
from planner.model import Backing, BusSharing, Power
from planner.sources.vcenter.reading import read_vcenter
from planner.volumes import volumes
from tests.migrate.sites.vsphere.conftest import Wire, Wired
from tests.migrate.sites.vsphere.plant import MIB, Plant
from tests.planner.sources.vcenter.logins import login_of
from tests.vcenter.estate import written
from tests.vcenter.fixtures import StartVCenter


@pytest.fixture
def plant(wired: Wired) -> Plant:
    return Plant(wired)


def test_a_site_is_what_the_steps_ask_for(plant: Plant) -> None:
    assert plant.site.identity == plant.peer.instance_uuid
    for part in (Powers, Quiescer, Snapshots, Tracker):
        assert isinstance(plant.site, part)
    assert Capability.GROUP_SNAPSHOT not in plant.site.capabilities


def test_a_vm_and_its_disks(plant: Plant) -> None:
    plant.track(0)
    plant.configure(0, annotation="do not touch\u202e")
    state = plant.site.observe(plant.vms[0])
    assert state is not None
    (disk,) = plant.disks()
    assert state.disks == (
        DiskState(str(disk.key), plant.volume(), 4 * MIB, Backing.VMDK, unit=disk.unitNumber),
    )
    assert (state.id, state.name, state.power) == (plant.vms[0], "DC0_C0_RP0_VM0", Power.ON)
    assert (state.op, state.note) == ("", "do not touch\u202e")


@pytest.mark.parametrize("plugged", [True, False])
def test_whether_nics_are_plugged(plant: Plant, plugged: bool) -> None:
    plant.plug(0, plugged)
    state = plant.site.observe(plant.vms[0])
    assert state is not None
    assert state.connected is plugged


def test_disks_are_volumes_of_the_plan_everywhere(vcenter: StartVCenter, wire: Wire, tmp_path: Path) -> None:
    """Sharers see one volume, raw devices are named by their LUN, and sizes are those that were planned."""
    wired = wire(vcenter("-estate", str(written(tmp_path))))
    inventory = read_vcenter(login_of(wired.peer))
    found = volumes(inventory)
    places = {volume.id: disk.lun or disk.path for volume in found for disk in [volume.attachments[0].disk]}
    ids = Ids(wired.connection, {vm.id: vm.moref for vm in inventory.vms}, places)
    site = VsphereSite("west", wired.connection, wired.tasks, ids)
    planned = {
        (attachment.vm.id, attachment.disk.key): (volume.id, attachment.disk.size_bytes)
        for volume in found
        for attachment in volume.attachments
    }
    seen, shared, raw = {}, 0, 0
    for vm in inventory.vms:
        try:
            state = site.observe(vm.id)
        except (BadInput, Unreachable):
            assert vm.connection_state != "connected" or not vm.disks
            continue
        assert state is not None
        assert state.power is vm.power
        for disk in state.disks:
            seen[vm.id, disk.key] = disk.volume, disk.size_bytes
            shared += disk.multi_writer or disk.bus_sharing is not BusSharing.NONE
            raw += disk.backing.is_rdm
    assert seen == {key: value for key, value in planned.items() if key in seen}
    assert len(seen) > len(planned) // 2
    assert shared > 1
    assert raw > 1
    uplinks = {network.name for network in inventory.networks if network.uplink}
    assert uplinks
    assert site.networks() == frozenset(network.name for network in inventory.networks) - uplinks


def test_a_vm_that_wherry_made_tells_its_volumes(plant: Plant) -> None:
    held = Held(plant.volume(), "vm-7/2000", "2000")
    told = {key.replace(".", "__"): value for key, value in stamps("vm-7", "1/do1", [held]).items()}
    plant.set(0, **told)
    site = VsphereSite("east", *plant.elsewhere())
    state = site.observe("vm-7")
    assert state is not None
    assert (state.id, state.op) == ("vm-7", "1/do1")
    assert [(disk.key, disk.volume) for disk in state.disks] == [("2000", "vm-7/2000")]
    assert site.observe(plant.vms[0]) is None  # a moref of another vCenter


def test_what_is_not_shown_is_not_made_up(plant: Plant) -> None:
    plant.peer.rules([{"object": plant.vms[0], "missing": ["config.hardware"]}])
    with pytest.raises(BadInput, match="does not show the devices"):
        plant.site.observe(plant.vms[0])


@pytest.mark.parametrize("state", ["disconnected", "inaccessible", "orphaned", "invalid"])
def test_a_vm_whose_host_is_away_is_unknown(plant: Plant, state: str) -> None:
    plant.set(0, SET__runtime__connectionState=state)
    with pytest.raises(Unreachable, match=f"is {state} at"):
        plant.site.observe(plant.vms[0])


def test_networks_and_room(plant: Plant) -> None:
    networks = plant.site.networks()
    assert networks is not None
    assert {"VM Network", "DC0_DVPG0"} <= networks
    assert plant.site.free_bytes() > 0
    plant.peer.rules([{"kind": "Datastore", "hide": True}])
    assert plant.site.free_bytes() == 0
