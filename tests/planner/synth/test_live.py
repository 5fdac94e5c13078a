"""A synthetic estate as a running vCenter, read live, is the same estate."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from planner.groups import move_groups
from planner.model import Inventory
from planner.settings import Settings
from planner.sources.vcenter.reading import read_vcenter
from planner.synth.files import write_estate
from planner.synth.recipe import Recipe
from planner.volumes import volumes
from tests.planner.sources.vcenter.logins import login_of
from tests.planner.synth.estates import estate


def _groups(inventory: Inventory) -> set[frozenset[str]]:
    bare = replace(inventory, dependencies=())
    return {frozenset(group.vms) for group in move_groups(bare, Settings())}


def _shared(inventory: Inventory) -> set[tuple[int, frozenset[str]]]:
    return {
        (volume.size_bytes, frozenset(item.vm.id for item in volume.attachments))
        for volume in volumes(inventory)
        if volume.shared
    }


def test_discovered_live_it_has_the_same_machines_disks_and_groups(vcenter: Any, tmp_path: Path) -> None:
    write_estate(estate(200), Recipe(200), tmp_path / "e", ("json",), lambda what, done, total: None)
    peer = vcenter("-estate", str(tmp_path / "e" / "inventory.json"), "-files=false")
    told, found = estate(200).inventory, read_vcenter(login_of(peer))
    assert found.vcenters[0].id == told.vcenters[0].id
    read = {vm.id: vm for vm in found.vms}
    assert read.keys() == {vm.id for vm in told.vms}
    for vm in told.vms:
        live = read[vm.id]
        assert (live.name, live.power, live.cpus, live.memory_bytes) == (
            vm.name,
            vm.power,
            vm.cpus,
            vm.memory_bytes,
        )
        assert (live.host, live.cluster, live.folder) == (vm.host, vm.cluster, vm.folder)
        assert [disk.size_bytes for disk in live.disks] == [disk.size_bytes for disk in vm.disks], vm.name
        for disk, image in zip(vm.disks, live.disks, strict=True):
            # A raw device whose LUN nobody knows was planted; a vCenter knows them all.
            assert image.lun == disk.lun or (disk.backing.is_rdm and not disk.lun), vm.name
    vlans = {one.name: one.vlan for one in told.networks if one.kind != "opaque"}
    assert any(vlan.startswith("pvlan") for vlan in vlans.values())
    assert {one.name: one.vlan for one in found.networks if one.name in vlans} == vlans
    assert _shared(told)
    assert _shared(found) == _shared(told)
    assert _groups(found) == _groups(told)
