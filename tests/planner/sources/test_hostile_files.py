"""Files made to do harm, read as ``wherry discover`` reads them: refused in one sentence, memory bounded."""

from __future__ import annotations

import os
import resource
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from planner.errors import BadInput, WherryError
from planner.model import Inventory
from planner.sources.isolation import Bounds
from planner.sources.rvtools import read_rvtools
from planner.units import MIB
from tests.planner.sources.workbooks import DISK, INFO, disk, info, plain, write

SMALL = Bounds(memory_bytes=400 * MIB, cpu_s=20, file_bytes=64 * MIB)


@pytest.fixture(autouse=True)
def _own_temporary_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))


def rewritten(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """Return a workbook with one part of it changed."""
    plain(path.with_name("whole.xlsx"))
    with (
        zipfile.ZipFile(path.with_name("whole.xlsx")) as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for entry in old.infolist():
            content = old.read(entry)
            new.writestr(entry, change(content) if entry.filename == part else content)
    return path


SHEET = "xl/worksheets/sheet1.xml"
_DATA = b"<sheetData>"


def nested(path: Path) -> Path:
    return rewritten(path, SHEET, lambda body: body.replace(_DATA, _DATA + b"<a>" * 400_000))


def many_rows(path: Path) -> Path:
    return rewritten(
        path, SHEET, lambda body: body.replace(_DATA, _DATA + b'<row r="9"><c r="A9"/></row>' * 300_000)
    )


def far_cell(path: Path) -> Path:
    return rewritten(path, SHEET, lambda body: body.replace(b'r="A1"', b'r="ZZZ1048576"', 1))


def entities(path: Path) -> Path:
    head = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + b"".join(
        b'<!ENTITY a%d "%s">' % (at, b"&a%s;" % (b"%d" % (at - 1) if at else b"") * 10) for at in range(12)
    )
    return rewritten(path, SHEET, lambda body: head + b"]>" + body.replace(_DATA, _DATA + b"<x>&a11;</x>"))


def long_text(path: Path) -> Path:
    # Nine hundred MiB of one cell in a file of less than ten: refused before it is unpacked.
    return rewritten(
        path, "xl/sharedStrings.xml", lambda body: body.replace(b"<si>", b"<si>" + b" " * (64 * MIB), 1)
    )


def lying(path: Path) -> Path:
    plain(path)
    body = bytearray(path.read_bytes())
    at = body.rindex(b"PK\x01\x02")
    body[at + 24 : at + 28] = struct.pack("<L", 10)
    path.write_bytes(bytes(body))
    return path


def endless_line(path: Path) -> Path:
    path = path.with_suffix(".csv")
    with path.open("w") as file:
        file.write("VM,Powerstate\n")
        for _ in range(48):
            file.write("x" * MIB)
    return path


def endless_cell(path: Path) -> Path:
    path = path.with_suffix(".csv")
    path.write_text('VM,Powerstate\n"' + "a,b\n" * MIB)
    return path


def million_columns(path: Path) -> Path:
    path = path.with_suffix(".csv")
    path.write_text("VM,Powerstate" + ",x" * 1_000_000 + "\n")
    return path


def undecodable(path: Path) -> Path:
    path = path.with_suffix(".csv")
    path.write_bytes("VM,Powerstate\r\na,on\r\n".encode("utf-16") + b"\x00")
    return path


HOSTILE = {
    "far cell": far_cell,
    "long text": long_text,
    "lying": lying,
    "endless line": endless_line,
    "endless cell": endless_cell,
    "million columns": million_columns,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_is_refused_and_nothing_is_left(tmp_path: Path, kind: str) -> None:
    path = HOSTILE[kind](tmp_path / "x.xlsx")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(BadInput) as caught:
        read_rvtools(path, bounds=SMALL)
    error = caught.value
    assert error.message.startswith("x.")
    assert "\n" not in error.message
    assert not error.message.endswith(".")
    assert error.hint
    assert error.exit_code == 2
    assert list((tmp_path / "tmp").iterdir()) == []
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 128 * 1024, "the parent took the memory"


@pytest.mark.parametrize(
    "make", [nested, many_rows, entities, undecodable], ids=["nested", "rows", "entities", "half a character"]
)
def test_what_only_looks_bad_is_read_or_refused(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    try:
        found: Inventory | WherryError = read_rvtools(make(tmp_path / "x.xlsx"), bounds=SMALL)
    except BadInput as error:
        found = error
    assert isinstance(found, BadInput) or len(found.vms) <= 2  # type: ignore[union-attr]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_formulas_are_their_values(tmp_path: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "x.xlsx") as book:
        sheet = book.add_worksheet("vInfo")
        sheet.write_row(0, 0, [str(name) for name in INFO])
        sheet.write_row(1, 0, ["a", "poweredOn", "False"])
        sheet.write_formula(1, 3, "=1+1", None, 2)
        sheet.write_formula(1, 4, '=WEBSERVICE("http://127.0.0.1/")', None, 4096)
        sheet.write_string(1, 7, "vm-1")
    (vm,) = read_rvtools(tmp_path / "x.xlsx").vms
    assert (vm.cpus, vm.memory_bytes) == (2, 4096 * MIB)


def test_the_control_is_read_within_the_same_bounds(tmp_path: Path) -> None:
    """Negative control: the bounds refuse what is hostile, not what is large."""
    rows = [INFO, *(info(f"vm{at}", at) for at in range(3000))]
    inventory = read_rvtools(write(tmp_path / "x.xlsx", {"vInfo": rows}), bounds=SMALL)
    assert len(inventory.vms) == 3000


def test_a_pipe_is_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.xlsx")
    with pytest.raises(BadInput, match=r"x\.xlsx is no ordinary file"):
        read_rvtools(tmp_path / "x.xlsx")


def _children() -> set[int]:
    found = set()
    for task in Path("/proc/self/task").iterdir():
        found |= {int(pid) for pid in (task / "children").read_text().split()}
    return found


def test_an_interrupt_ends_the_child_and_removes_its_file(tmp_path: Path) -> None:
    before = _children()

    def interrupted(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read_rvtools(plain(tmp_path / "x.xlsx"), report=interrupted)
    assert _children() <= before
    assert list((tmp_path / "tmp").iterdir()) == []


def test_sizes_that_nothing_has_are_unknown(tmp_path: Path) -> None:
    rows = [INFO, info("a", 1, Memory=1e17, CPUs=1e17), info("b", 2, Memory=-5, CPUs=-5)]
    first, second = read_rvtools(write(tmp_path / "x.xlsx", {"vInfo": rows}), bounds=SMALL).vms
    assert (first.memory_bytes, second.memory_bytes, second.cpus) == (0, 0, 0)


def test_sizes_that_add_up_to_more_than_can_be_counted_are_refused(tmp_path: Path) -> None:
    disks = [
        disk("a", 1, Path=f"[ds] a/{at}.vmdk", **{"Disk Key": at, "Capacity MiB": 2**42}) for at in range(4)
    ]
    with pytest.raises(BadInput, match="more than 8 EiB"):
        read_rvtools(plain(tmp_path / "x.xlsx", vDisk=[DISK, *disks]), bounds=SMALL)
