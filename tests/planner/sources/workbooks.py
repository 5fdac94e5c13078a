"""Writes small workbooks shaped like RVTools exports, for the tests of the reader."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter

Sheets = dict[str, Sequence[Any]]

INFO: list[object] = [
    "VM",
    "Powerstate",
    "Template",
    "CPUs",
    "Memory",
    "Disks",
    "CBT",
    "VM ID",
    "VI SDK UUID",
]
DISK: list[object] = [
    "VM",
    "Powerstate",
    "Disk",
    "Disk Key",
    "Capacity MiB",
    "Raw",
    "Disk Mode",
    "Sharing mode",
    "Thin",
    "Label",
    "Unit #",
    "Shared Bus",
    "Path",
    "Raw LUN ID",
    "Raw Comp. Mode",
    "VM ID",
    "VI SDK UUID",
]


def info(name: str, number: int, vcenter: object = "vc-1", **more: Any) -> list[object]:
    """Return a vInfo row of a running VM ``vm-<number>``."""
    row: dict[object, object] = dict.fromkeys(INFO)
    row |= {"VM": name, "Powerstate": "poweredOn", "Template": "False", "CPUs": 2, "Memory": 1024, "Disks": 1}
    row |= {"VM ID": f"vm-{number}", "VI SDK UUID": vcenter}
    return list((row | {**more}).values())


def disk(name: str, number: int, vcenter: object = "vc-1", **more: Any) -> list[object]:
    """Return a vDisk row of a 1 GiB VMDK."""
    row: dict[object, object] = dict.fromkeys(DISK)
    row |= {"VM": name, "Powerstate": "poweredOn", "Disk": "Hard disk 1", "Disk Key": "2000"}
    row |= {"Capacity MiB": 1024, "Raw": "False", "Disk Mode": "persistent", "Sharing mode": "sharingNone"}
    row |= {"Thin": "True", "Label": "SCSI controller 0", "Unit #": 0, "Shared Bus": "noSharing"}
    row |= {"Path": f"[ds] {name}/{name}.vmdk", "VM ID": f"vm-{number}", "VI SDK UUID": vcenter}
    return list((row | {**more}).values())


def write(path: Path, sheets: Sheets) -> Path:
    """Write a workbook; strings are never formulas or links."""
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "default_date_format": "yyyy/mm/dd hh:mm:ss",
        "remove_timezone": True,
    }
    with xlsxwriter.Workbook(path, options) as book:
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for at, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if cell is not None:
                        sheet.write(at, column, cell)
    return path


def plain(path: Path, **sheets: Sequence[Any]) -> Path:
    """Write a workbook of two VMs with a disk each; named sheets are added or replaced."""
    body: Sheets = {
        "vInfo": [INFO, info("a", 1), info("b", 2)],
        "vDisk": [DISK, disk("a", 1), disk("b", 2)],
    }
    return write(path, {**body, **sheets})
