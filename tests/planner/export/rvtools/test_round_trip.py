"""What is written in the shape of RVTools is read back as the same facts, as far as a version holds them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planner.export.rvtools.csvset import write_csv_set
from planner.export.rvtools.per_vcenter import per_vcenter
from planner.export.rvtools.versions import V3_10, V4_7
from planner.export.rvtools.workbook import write_workbook
from planner.groups import move_groups
from planner.model import VM, Device, DeviceKind, Inventory
from planner.settings import Settings
from planner.sources.opening import read_source
from tests.planner.export.rvtools.facts import Comparison
from tests.planner.synth.estates import estate

# What RVTools has in words of its own.
_OWN_WORDS = frozenset(
    {
        "VM.devices",  # RVTools lists USB devices only, see below
        "Disk.used_bytes",  # RVTools has no figure for a disk: the guest's file systems are taken
        "Nic.subnets",
        "Cluster.rules",  # names and types without members, see below
        "Cluster.groups",
    }
)
_OF_4_7 = {
    "VM": "name vcenter power template guest_os dns_name cpus memory_bytes firmware hw_version host cluster "
    "datacenter folder resource_pool vapp vmx_path bios_uuid instance_uuid moref tools cbt "
    "consolidation_needed ft_state connection_state used_bytes annotation rules attributes",
    "Disk": "key label size_bytes backing path lun thin mode multi_writer controller bus unit bus_sharing "
    "controller_kind uuid iops_limit",
    "Nic": "label network mac adapter connected addresses starts_connected mac_type switch direct_path",
    "Snapshot": "name created size_bytes quiesced",
    "Cdrom": "label connected media starts_connected",
    "Partition": "path capacity_bytes free_bytes disk",
    "Guest": "running_os tools_version heartbeat time_sync",
    "Compute": "cpu_hot_add memory_hot_add cpu_reservation_mhz cpu_limit_mhz memory_reservation_bytes "
    "memory_limit_bytes memory_locked latency_sensitivity evc_mode secure_boot enable_uuid",
    "Host": "id name cluster datacenter version cpus memory_bytes build cpu_model cpu_mhz evc_mode evc_max "
    "maintenance vmotion ntp_servers ntp_running certificate_expires licence vendor model vmkernel_networks",
    "Hba": "device kind wwn model status",
    "Cluster": "id name hosts ha drs drs_mode admission_control",
    "Datastore": "id name kind capacity_bytes free_bytes provisioned_bytes accessible hosts multiple_hosts "
    "version url address extents",
    "Lun": "name uuid vendor model serial hosts datastore",
    "ResourcePool": "id name path cluster cpu_reservation_mhz cpu_limit_mhz memory_reservation_bytes "
    "memory_limit_bytes",
    "Licence": "name key total used expires",
    "VCenter": "id name version build api_version",
}
_LATER_THAN_3_10 = {
    "VM.instance_uuid",
    "Disk.uuid",
    "Disk.key",
    "Disk.multi_writer",
    "Partition.disk",
    "Nic.direct_path",
    "Compute.evc_mode",
    "Compute.secure_boot",
    "Compute.memory_locked",
    "Host.id",
    "Host.maintenance",
    "Host.certificate_expires",
    "Cluster.id",
    "Datastore.id",
    "ResourcePool.id",
    "VCenter.version",
    "VCenter.build",
    "VCenter.api_version",
}


def _inventory() -> Inventory:
    return estate(500).inventory


def _compared(inventory: Inventory, read: Inventory, skip: frozenset[str]) -> Comparison:
    found = Comparison()
    vms = {vm.id: vm for vm in inventory.vms}
    assert {vm.id for vm in read.vms} == vms.keys()
    for vm in read.vms:
        found.compare(vms[vm.id], vm, skip)
    for part in ("hosts", "clusters", "datastores", "resource_pools", "licences", "vcenters", "luns"):
        # By name where a version writes no ids.
        originals: dict[Any, Any] = {_place(item): item for item in getattr(inventory, part)}
        for item in getattr(read, part):
            found.compare(originals[_place(item)], item, skip)
    return found


def _place(item: Any) -> tuple[str, str]:
    return getattr(item, "cluster", ""), item.name


@pytest.fixture(scope="module")
def workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "rvtools-4.7.xlsx"
    write_workbook(_inventory(), V4_7, path)
    return path


@pytest.fixture(scope="module")
def newest(workbook: Path) -> Inventory:
    return read_source(str(workbook))


@pytest.fixture(scope="module")
def old_workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "rvtools-3.10.xlsx"
    write_workbook(_inventory(), V3_10, path)
    return path


@pytest.fixture(scope="module")
def oldest(old_workbook: Path) -> Inventory:
    return read_source(str(old_workbook))


def test_4_7_says_all_it_has_columns_for_and_nothing_else(newest: Inventory) -> None:
    found = _compared(_inventory(), newest, _OWN_WORDS)
    assert found.wrong == {}
    wanted = {f"{noun}.{name}" for noun, names in _OF_4_7.items() for name in names.split()}
    assert {name for name in wanted if not found.right[name]} == set()


def test_csv_says_the_same_as_the_workbook(newest: Inventory, tmp_path: Path) -> None:
    write_csv_set(_inventory(), V4_7, tmp_path / "csv")
    read = read_source(str(tmp_path / "csv"))
    same = replace(read, source=newest.source, taken_at=newest.taken_at, notes=newest.notes)
    assert same == newest


def test_3_10_says_what_it_could_and_no_more(oldest: Inventory) -> None:
    named = frozenset({"Disk.key", "Host.id", "Cluster.id", "Datastore.id", "ResourcePool.id", "Lun.hosts"})
    # The column of placeholders came later: without it False is unknown.
    assert "placeholders" in oldest.gaps
    found = _compared(_inventory(), oldest, _OWN_WORDS | named | {"VM.placeholder"})
    assert found.wrong == {}
    wanted = {f"{noun}.{name}" for noun, names in _OF_4_7.items() for name in names.split()}
    assert {name for name in wanted if not found.right[name]} == (_LATER_THAN_3_10 | named) & wanted


def test_times_and_numbers_of_3_10_are_as_they_were(old_workbook: Path) -> None:
    from python_calamine import CalamineWorkbook

    with CalamineWorkbook.from_path(str(old_workbook)) as book:
        head, *rows = book.get_sheet_by_name("vDisk").to_python()
        buses = {row[head.index("Shared Bus")] for row in rows}
        assert buses >= {0.0, 2.0}
        head, *rows = book.get_sheet_by_name("vSnapshot").to_python()
        assert all(isinstance(row[head.index("Date / time")], str) for row in rows)
        assert "vUSB" not in book.sheet_names


def test_groups_are_the_same_after_the_trip(newest: Inventory) -> None:
    """Shared disks and vApps survive; flows and the files behind a linked clone are no part of an export."""
    vms = tuple(
        replace(vm, disks=tuple(replace(disk, parent=None) for disk in vm.disks)) for vm in _inventory().vms
    )
    bare = replace(_inventory(), vms=vms, dependencies=())
    told, read = ({frozenset(group.vms) for group in move_groups(one, Settings())} for one in (bare, newest))
    assert read == told


def test_usb_comes_back_and_other_devices_are_unknown(newest: Inventory) -> None:
    usb = {DeviceKind.USB, DeviceKind.USB_CONTROLLER}

    def kinds(vm: VM) -> list[Device]:
        return [device for device in vm.devices if device.kind in usb]

    vms = {vm.id: vm for vm in _inventory().vms}
    assert any(vm.devices for vm in newest.vms)
    for vm in newest.vms:
        assert [one.kind for one in vm.devices] == [one.kind for one in kinds(vms[vm.id])]
    assert "devices" in newest.gaps


def test_rules_come_back_by_name_and_type(newest: Inventory) -> None:
    def rules(inventory: Inventory) -> dict[str, str]:
        return {rule.name: rule.kind.value for one in inventory.clusters for rule in one.rules or ()}

    told = rules(_inventory())
    assert told
    assert rules(newest) == told


def test_an_unknown_kind_has_no_sheet(tmp_path: Path) -> None:
    """An empty sheet would say that there are none."""
    inventory = replace(estate(63).inventory, gaps=("snapshots", "cdroms"))
    write_workbook(inventory, V4_7, tmp_path / "thin.xlsx")
    read = read_source(str(tmp_path / "thin.xlsx"))
    assert {"snapshots", "cdroms"} <= set(read.gaps)


def test_unknown_placeholders_are_blank(tmp_path: Path) -> None:
    inventory = replace(estate(63).inventory, gaps=("placeholders",))
    write_workbook(inventory, V4_7, tmp_path / "thin.xlsx")
    read = read_source(str(tmp_path / "thin.xlsx"))
    assert {vm.placeholder for vm in read.vms if "placeholders" not in vm.gaps} <= {True}
    assert any("placeholders" in vm.gaps for vm in read.vms)


def test_a_damaged_cell_is_noticed(newest: Inventory) -> None:
    """Negative control."""
    damaged = replace(newest, vms=(replace(newest.vms[0], cpus=newest.vms[0].cpus + 1), *newest.vms[1:]))
    assert "VM.cpus" in _compared(_inventory(), damaged, _OWN_WORDS).wrong


def test_several_vcenters_are_several_files_and_one_estate(tmp_path: Path) -> None:
    inventory = estate(1600).inventory
    parts = per_vcenter(inventory)
    assert len(parts) == 2
    assert sum(len(part.vms) for part in parts) == len(inventory.vms)
    for part in parts:
        assert {vm.vcenter for vm in part.vms} == {part.vcenters[0].id}
    path = tmp_path / "second.xlsx"
    write_workbook(parts[1], V4_7, path)
    read = read_source(str(path))
    assert {vm.moref for vm in read.vms} == {vm.moref for vm in parts[1].vms}
    assert {vm.id for vm in read.vms} == {vm.moref for vm in parts[1].vms}, (
        "one vCenter alone needs no prefix"
    )


def test_the_same_inventory_is_the_same_bytes(tmp_path: Path) -> None:
    for name in ("once", "again"):
        write_workbook(estate(63).inventory, V4_7, tmp_path / name)
    assert (tmp_path / "again").read_bytes() == (tmp_path / "once").read_bytes()
