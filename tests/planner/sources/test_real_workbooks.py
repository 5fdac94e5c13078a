"""The reader on workbooks people really exported; not in the repository, so often not run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from planner.checks.registry import run_checks
from planner.model import Backing, BusSharing, Controller, Inventory, RuleKind
from planner.sources.document import dump_document, parse_document
from planner.sources.merging import merged, replaced
from planner.sources.rvtools import read_rvtools
from planner.volumes import volumes

_BESIDE = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "rvtools"
DATA = Path(os.environ.get("WHERRY_RVTOOLS_DATA", _BESIDE))


def real(name: str) -> Inventory:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"not run: {name} is not in {DATA} (set WHERRY_RVTOOLS_DATA)")
    return read_rvtools(path)


def test_131_vms_with_a_clustered_pair() -> None:
    inventory = real("nutanix_BillSampleNextRvtoolsFinal.xlsx")
    assert len(inventory.vms) == 131
    assert sum(len(vm.disks) for vm in inventory.vms) == 247
    raw = [(vm.name, disk) for vm in inventory.vms for disk in vm.disks if disk.backing.is_rdm]
    assert len(raw) == 4
    assert {name for name, _ in raw} == {"gtappDB02", "gtappDB03"}
    assert {disk.backing for _, disk in raw} == {Backing.RDM_PHYSICAL}
    assert {disk.bus_sharing for _, disk in raw} == {BusSharing.PHYSICAL}
    assert sum(volume.shared for volume in volumes(inventory)) == 2
    assert any("vPartition has its VM header overwritten" in note for note in inventory.notes)
    assert any(disk.used_bytes for vm in inventory.vms for disk in vm.disks)


def test_131_vms_around_them() -> None:
    inventory = real("nutanix_BillSampleNextRvtoolsFinal.xlsx")
    assert {host.version for host in inventory.hosts} == {"6.5.0", "5.5.0"}
    assert all(host.build and host.cpu_mhz and host.evc_max and host.vmotion for host in inventory.hosts)
    assert {host.evc_mode for host in inventory.hosts} <= {"intel-ivybridge", "intel-sandybridge", None}
    assert {(cluster.name, cluster.ha, cluster.drs_mode) for cluster in inventory.clusters} == {
        ("Avaya Cluster", False, "fullyAutomated"),
        ("Production Cluster", True, "fullyAutomated"),
    }
    rules = {rule.name: rule for cluster in inventory.clusters for rule in cluster.rules or ()}
    assert rules["Separate Domain Controllers"].kind is RuleKind.APART
    assert len(rules["Separate Domain Controllers"].vms or ()) > 1
    partitions = [part for vm in inventory.vms for part in vm.guest.partitions or ()]
    assert len(partitions) == 286
    assert {disk.controller_kind for vm in inventory.vms for disk in vm.disks} >= {
        Controller.LSI_SAS,
        Controller.PVSCSI,
    }
    # 3.10 wrote numbers for words, and its VM UUIDs were taken out of this file.
    assert {vm.compute.latency_sensitivity for vm in inventory.vms} == {"normal", ""}
    assert not any(vm.bios_uuid or vm.instance_uuid for vm in inventory.vms)
    assert {"usb", "devices", "tags", "luns", "licences"} <= set(inventory.gaps)
    assert inventory.vcenters == inventory.luns == inventory.licences == ()


def test_131_vms_readiness() -> None:
    readiness = run_checks(real("nutanix_BillSampleNextRvtoolsFinal.xlsx"))
    physical = [item for item in readiness.findings if item.check == "disks.rdm.physical"]
    assert len(physical) == 4
    independent = {item.subject_name for item in readiness.findings if item.check == "disks.independent"}
    assert independent.isdisjoint({"gtappDB02", "gtappDB03"})
    # 129 move, two are templates; the file has no snapshots sheet.
    assert readiness.unknown["snapshots.old"] == 129


def test_headers_that_are_none() -> None:
    inventory = real("kubev2v_example1.xlsx")
    assert len(inventory.vms) == 9
    assert sum(len(vm.disks) for vm in inventory.vms) == 9
    assert len(inventory.hosts) == 7
    assert {vm.compute.cpu_hot_add for vm in inventory.vms} <= {True, False}
    assert all(vm.moref for vm in inventory.vms if vm.name == "vm-1")
    assert {folder.kind for folder in inventory.folders} == {"vm"}
    assert "tags" in inventory.gaps


def test_headers_of_another_program() -> None:
    inventory = real("neil1taylor_test-rvtools.xlsx")
    assert len(inventory.vms) == 3
    database = next(vm for vm in inventory.vms if vm.name == "db-server-01")
    assert len(database.disks) == 2
    assert database.snapshots[0].created.startswith("2026-01-09")
    assert inventory.hosts[0].memory_bytes == 512 * 1024**3
    assert [(one.id, one.name, one.version) for one in inventory.vcenters] == [
        ("aaaa-bbbb-cccc-dddd", "vcenter.lab.local", "8.0.2")
    ]
    assert {vm.vcenter for vm in inventory.vms} == {"aaaa-bbbb-cccc-dddd"}
    assert database.cdroms[0].starts_connected is True


def test_all_of_them_merged() -> None:
    names = (
        "nutanix_BillSampleNextRvtoolsFinal.xlsx",
        "kubev2v_example1.xlsx",
        "neil1taylor_test-rvtools.xlsx",
    )
    parts = [real(name) for name in names]
    found = merged(parts)
    assert len(found.vms) == 131 + 9 + 3
    assert len({vm.id for vm in found.vms}) == len(found.vms)
    assert len(found.hosts) == 8 + 7 + 2
    assert parse_document(dump_document(found), "merged") == found
    assert replaced(found, parts[2]).vms == found.vms


@pytest.mark.parametrize(
    "name",
    [
        "kubev2v_example1.xlsx",
        "neil1taylor_test-rvtools.xlsx",
        "nutanix_BillSampleNextRvtoolsFinal.xlsx",
    ],
)
def test_document_round_trip(name: str) -> None:
    inventory = real(name)
    assert parse_document(dump_document(inventory), name) == inventory
