"""Sheets, headers and cells are those of RVTools, whatever the estate is called."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest

from planner.export.rvtools.csvset import write_csv_set
from planner.export.rvtools.headers_3_10 import HEADERS as HEADERS_3_10
from planner.export.rvtools.headers_4_7 import HEADERS as HEADERS_4_7
from planner.export.rvtools.versions import V3_10, V4_7, Version
from planner.export.rvtools.workbook import write_workbook
from planner.model import Snapshot
from planner.sources.opening import read_source
from tests.planner.sketch import disk
from tests.planner.sketch import estate as sketched
from tests.planner.sketch import vm as sketch

# Sheets and columns of 4.7.1 as counted in an export, without attributes of one site.
_COUNTS = """
vInfo 90 vCPU 29 vMemory 33 vDisk 40 vPartition 22 vNetwork 27 vCD 20 vUSB 25 vSnapshot 21 vTools 29
vSource 14 vRP 49 vCluster 34 vHost 70 vHBA 13 vNIC 14 vSwitch 23 vPort 22 dvSwitch 30 dvPort 41
vSC_VMK 15 vDatastore 30 vMultiPath 35 vLicense 10 vFileInfo 8 vHealth 5 vMetaData 4
"""


def test_4_7_has_27_sheets_with_all_their_columns() -> None:
    words = _COUNTS.split()
    counts = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    assert {sheet: len(headers) for sheet, headers in HEADERS_4_7.items()} == counts
    assert len(counts) == 27


def test_3_10_has_no_columns_that_came_later() -> None:
    every = {header for headers in HEADERS_3_10.values() for header in headers}
    assert not {header for header in every if "MiB" in header or "KiB" in header}
    assert not every & {"SRM Placeholder", "SMBIOS UUID", "Disk Key", "Sharing mode", "Internal Sort Column"}
    assert "Primary IP Address" not in HEADERS_3_10["vInfo"]
    assert not {"vUSB", "vSource", "vFileInfo"} & HEADERS_3_10.keys()


@pytest.mark.parametrize("version", [V4_7, V3_10], ids=lambda one: one.name)
def test_every_header_of_a_fact_is_one_that_some_sheet_has(version: Version) -> None:
    """A fact under a misspelt header would never be written."""
    from planner.export.rvtools import versions

    for sheet, facts in versions._FACTS.items():
        if sheet in HEADERS_4_7:
            written = {header.casefold() for header in HEADERS_4_7[sheet]}
            own = {header for header in facts.facts if header.casefold() not in written}
            # Facts that every VM sheet has, where a sheet leaves some out.
            assert own <= {"SRM Placeholder", "Template", "Folder", "Annotation"}, (sheet, own)
    for sheet, header in version.changed:
        assert header in version.headers[sheet]


HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(A1)",
    "http://evil.example/x",
    'a;b"c',
    "line\nbreak",
    "\x1b[31mred",
    "‮evil",
    "<r></c>&</r>",
)


def test_hostile_names_are_text_and_come_back(tmp_path: Path) -> None:
    vms = [
        sketch(name, disk(path=f"[ds] {number}/{number}.vmdk"), id=f"vm-{number}", moref=f"vm-{number}")
        for number, name in enumerate(HOSTILE, 1)
    ]
    inventory = sketched(*vms)
    write_workbook(inventory, V4_7, tmp_path / "x.xlsx")
    with zipfile.ZipFile(tmp_path / "x.xlsx") as book:
        sheets = b"".join(book.read(name) for name in book.namelist() if "worksheets/sheet" in name)
        assert b"<f>" not in sheets, "a formula"
        assert not [name for name in book.namelist() if "hyperlink" in name.casefold()]
        assert b"hyperlink" not in sheets
    names = [vm.name for vm in read_source(str(tmp_path / "x.xlsx")).vms]
    # Excel has no outer blanks, and the reader takes its escapes back.
    assert len(names) == len(HOSTILE)
    for name, told in zip(names, HOSTILE, strict=True):
        assert name == told or "\x1b" in told, name


def test_csv_keeps_one_row_a_line(tmp_path: Path) -> None:
    inventory = sketched(sketch('a;b\n"c"', snapshots=(Snapshot("two\r\nlines"),)))
    write_csv_set(inventory, V4_7, tmp_path / "csv")
    body = (tmp_path / "csv" / "RVTools_tabvInfo.csv").read_bytes()
    assert body.startswith(b"\xef\xbb\xbf")
    assert body.count(b"\n") == 2
    with (tmp_path / "csv" / "RVTools_tabvInfo.csv").open(encoding="utf-8-sig", newline="") as file:
        head, row = csv.reader(file, delimiter=";")
    assert row[head.index("VM")] == 'a;b "c"'


def test_attributes_stand_behind_the_annotation_in_order(tmp_path: Path) -> None:
    from python_calamine import CalamineWorkbook

    inventory = sketched(
        sketch("a", attributes=(("Zone", "z"), ("Backup", "b"))), sketch("b", attributes=(("Owner", "o"),))
    )
    write_workbook(inventory, V4_7, tmp_path / "x.xlsx")
    with CalamineWorkbook.from_path(str(tmp_path / "x.xlsx")) as book:
        head, first, second = book.get_sheet_by_name("vInfo").to_python()
    at = head.index("Annotation")
    assert head[at + 1 : at + 4] == ["Backup", "Owner", "Zone"]
    assert head[at + 4] == "Datacenter"
    assert first[at + 1 : at + 4] == ["b", "", "z"]
    assert second[at + 1 : at + 4] == ["", "o", ""]
