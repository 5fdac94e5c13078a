"""Volumes: shared on evidence, never by chance."""

from __future__ import annotations

from dataclasses import replace

from planner.model import Backing
from planner.units import GIB
from planner.volumes import base_path, volumes
from tests.planner.sketch import disk, estate, rdm, vm


def test_a_vmdk_of_two_vms_is_one_volume_across_snapshot_files() -> None:
    found = volumes(
        estate(
            vm("a", disk("0", path="[ds] a/q.vmdk")),
            vm("b", disk("7", path="[ds] a/q-000003.vmdk", size_bytes=12 * GIB)),
        )
    )
    assert [(v.id, v.size_bytes, v.shared) for v in found] == [("id-a/0", 12 * GIB, True)]


def test_case_of_a_path_counts_and_empty_paths_never_match() -> None:
    found = volumes(estate(vm("a", disk(path="[ds] q.vmdk"), disk("1")), vm("b", disk(path="[DS] q.vmdk"))))
    assert len(found) == 3
    assert not any(volume.shared for volume in found)


def test_the_same_path_in_another_datacenter_is_another_disk() -> None:
    found = volumes(
        estate(
            vm("a", disk(path="[local] q.vmdk"), datacenter="one"),
            vm("b", disk(path="[local] q.vmdk"), datacenter="two"),
        )
    )
    assert len(found) == 2


def test_luns_match_in_either_case_and_empty_luns_never() -> None:
    found = volumes(estate(vm("a", rdm("naa.60AB"), rdm("", "9")), vm("b", rdm("naa.60ab"), rdm("", "9"))))
    assert [volume.shared for volume in found] == [True, False, False]


def test_one_physical_mapping_makes_the_volume_physical() -> None:
    virtual = replace(rdm("naa.1"), backing=Backing.RDM_VIRTUAL)
    (volume,) = volumes(estate(vm("a", virtual), vm("b", rdm("naa.1"))))
    assert volume.backing is Backing.RDM_PHYSICAL


def test_one_vm_with_the_same_disk_twice_shares_with_nobody() -> None:
    (volume,) = volumes(estate(vm("a", rdm("naa.1", "1"), rdm("naa.1", "2"))))
    assert len(volume.attachments) == 2
    assert not volume.shared


def test_base_path_strips_the_snapshot_number_only() -> None:
    assert base_path("[d] x/x-000012.vmdk") == "[d] x/x.vmdk"
    assert base_path("[d] x/x-12.vmdk") == "[d] x/x-12.vmdk"
