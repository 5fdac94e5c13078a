"""Exports as each version wrote them: .xls, folders of csv files, and which version it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import xlwt  # type: ignore[import-untyped]

from planner.errors import BadInput
from planner.model import BusSharing, Controller, DeviceKind, Inventory
from planner.sources.rvtools import read_rvtools
from planner.sources.rvtools.headers import read_sheet
from planner.sources.rvtools.reading import parse_rvtools
from planner.sources.rvtools.versions import release
from tests.planner.sources.workbooks import write

MIB = 1024**2
# The sheets of version 3.10 as two real files have them; 3.7 wrote no ids.
V3_10: dict[str, list[list[Any]]] = {
    "vInfo": [
        ["VM", "Powerstate", "Template", "Config status", "DNS Name", "CPUs", "Latency Sensitivity", "Memory",
         "NICs", "Disks", "EnableUUID", "CBT", "Num Monitors", "Video Ram KB", "Resource pool", "Folder",
         "vApp", "FT State", "Provisioned MB", "In Use MB", "Unshared MB", "Cluster rule(s)",
         "Cluster rule name(s)", "Firmware", "HW version", "Path", "Annotation", "Last Backup", "Datacenter",
         "Cluster", "Host", "OS according to the configuration file", "VM ID", "VM UUID", "VI SDK UUID"],
        ["a", "poweredOn", "False", "green", "a.example.com", 4, 1, 2048, 1, 1, "TRUE", "", 1, 4096, "", "",
         "", "notConfigured", 43107, 43107, 40901, "", "", "efi", 10, "[ds] a/a.vmx", "", "", "dc", "prod",
         "esx1", "Microsoft Windows Server 2012 (64-bit)", "vm-1", "uuid-1", "vc-1"],
    ],
    "vDisk": [
        ["VM", "Powerstate", "Template", "Disk", "Capacity MB", "Raw", "Disk Mode", "Thin", "Eagerly Scrub",
         "Controller", "Label", "SCSI Unit #", "Unit #", "Shared Bus", "Path", "Raw LUN ID", "Raw Comp. Mode",
         "VM ID", "VM UUID", "VI SDK UUID"],
        ["a", "poweredOn", "False", "Hard disk 1", 40901, "False", "persistent", "False", "False",
         "LSI Logic SAS", "SCSI controller 0", 7, 0, 2, "[ds] a/a.vmdk", "", "", "vm-1", "uuid-1", "vc-1"],
    ],
    "vPartition": [
        ["VM", "Powerstate", "Template", "Disk", "Capacity MB", "Consumed MB", "Free MB", "Free % ", "VM ID"],
        ["a", "poweredOn", "False", "C:\\", 40430, 23180, 17250, 42, "vm-1"],
    ],
    "vFloppy": [
        ["VM", "Powerstate", "Template", "Device Node", "Connected", "Starts Connected", "Device Type",
         "VM ID"],
        ["a", "poweredOn", "False", "Floppy drive 1", "True", "False", "Remote", "vm-1"],
    ],
    "vCluster": [["Name", "NumHosts", "DRS enabled", "DRS default VM behavior"], ["prod", 2, "True", 2]],
    "vMetaData": [["RVTools major version", "RVTools version", "xlsx creation datetime", "Server"],
                  ["3.10", "3.10.0.0", "2018/11/05 12:00:00", "vc"]],
}  # fmt: skip


def xls(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    book = xlwt.Workbook()
    for name, rows in sheets.items():
        sheet = book.add_sheet(name)
        for at, row in enumerate(rows):
            for column, cell in enumerate(row):
                sheet.write(at, column, cell)
    book.save(str(path))
    return path


def folder(path: Path, sheets: dict[str, list[list[Any]]]) -> Path:
    path.mkdir()
    for name, rows in sheets.items():
        text = "".join(",".join(f'"{cell}"' for cell in row) + "\r\n" for row in rows)
        (path / f"RVTools_tab{name}.csv").write_text(text, "utf-8")
    return path


def check_3_10(inventory: Inventory) -> None:
    (vm,) = inventory.vms
    (disk,), (floppy,) = vm.disks, vm.devices
    assert (vm.id, vm.vcenter, vm.bios_uuid, vm.instance_uuid) == ("vm-1", "vc-1", "uuid-1", "")
    assert (vm.memory_bytes, vm.used_bytes, vm.hw_version) == (2048 * MIB, 43107 * MIB, 10)
    assert (vm.compute.latency_sensitivity, vm.compute.enable_uuid, vm.cbt) == ("normal", True, None)
    assert (disk.bus_sharing, disk.controller_kind) == (BusSharing.PHYSICAL, Controller.LSI_SAS)
    assert (disk.size_bytes, disk.used_bytes, disk.multi_writer) == (40901 * MIB, 23180 * MIB, None)
    assert (floppy.kind, floppy.connected) == (DeviceKind.FLOPPY, True)
    assert inventory.clusters[0].drs_mode == "fullyAutomated"
    assert inventory.taken_at == "2018-11-05T12:00:00+00:00"
    assert "floppies" not in inventory.gaps
    assert "usb" in inventory.gaps


def test_3_10_as_xlsx(tmp_path: Path) -> None:
    check_3_10(parse_rvtools(write(tmp_path / "x.xlsx", V3_10)))


def test_3_10_as_csv(tmp_path: Path) -> None:
    check_3_10(parse_rvtools(folder(tmp_path / "RVTools_export_all_2018-11-05_12.00.00", V3_10)))


def test_older_ones_are_xls(tmp_path: Path) -> None:
    """Until 3.8 the workbook was .xls with sheets named as the tabs of the program are."""
    sheets = {f"tab{name}": rows for name, rows in V3_10.items()}
    check_3_10(read_rvtools(xls(tmp_path / "x.xls", sheets)))


def test_an_xls_without_ids(tmp_path: Path) -> None:
    sheets = {
        f"tab{name}": [
            [cell for head, cell in zip(rows[0], row, strict=True) if _before_3_8(head)] for row in rows
        ]
        for name, rows in V3_10.items()
        if name != "vMetaData"
    }
    inventory = parse_rvtools(xls(tmp_path / "x.xls", sheets))
    assert [vm.id for vm in inventory.vms] == ["dc/[ds] a/a.vmx"]
    assert len(inventory.vms[0].disks) == 1
    assert any("since 3.8" in note for note in inventory.notes)
    assert any("vDisk has no VM ID or VM UUID" in note for note in inventory.notes)


def _before_3_8(head: str) -> bool:
    return head not in {"VM ID", "VM UUID", "VI SDK UUID", "EnableUUID", "CBT", "Latency Sensitivity"}


@pytest.mark.parametrize("kept", [600, 3000])
def test_a_cut_xls_is_refused(tmp_path: Path, kept: int) -> None:
    body = xls(tmp_path / "whole.xls", V3_10).read_bytes()
    (tmp_path / "x.xls").write_bytes(body[:kept])
    with pytest.raises(BadInput) as caught:
        read_rvtools(tmp_path / "x.xls")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("headers", "with_source", "at_least", "instance"),
    [
        (["VM", "FT Role", "SMBIOS UUID"], False, (4, 4, 1), True),
        (["VM", "Network #5", "In Use MiB"], False, (4, 1, 2), None),
        (["VM", "Network #5"], True, (4, 3, 1), True),
        (["VM", "Creation date", "In Use MB"], False, (3, 11, 6), False),
        (["VM", "CBT", "In Use MB"], False, (3, 10), False),
        (["VM", "VM ID", "In Use MB"], False, (3, 8), False),
        (["VM", "Powerstate"], False, (), None),
        (["VM", "SMBIOS UUID", "In Use MB"], False, (4, 4, 1), None),
    ],
)
def test_a_version_is_told_by_its_columns(
    headers: list[str], with_source: bool, at_least: tuple[int, ...], instance: bool | None
) -> None:
    info, _ = read_sheet("vInfo", [headers, ["a"]])
    found = release(None, info, with_source)
    assert (found.said, found.at_least, found.uuid_of_instance) == ("", at_least, instance)
