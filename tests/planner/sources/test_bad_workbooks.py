"""Every file that is no usable workbook: one sentence, one hint, exit code 2, quickly."""

from __future__ import annotations

import random
import struct
import zipfile
from pathlib import Path

import pytest

from planner.errors import BadInput
from planner.sources.books import Limits
from planner.sources.rvtools import read_rvtools
from planner.sources.rvtools.reading import parse_rvtools
from tests.planner.sources.workbooks import DISK, INFO, disk, info, plain, write


def refusal(path: Path, limits: Limits | None = None) -> BadInput:
    with pytest.raises(BadInput) as caught:
        read_rvtools(path, limits)
    error = caught.value
    assert error.hint
    assert "\n" not in error.message
    assert not error.message.endswith(".")
    assert error.exit_code == 2
    return error


def file(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_missing(tmp_path: Path) -> None:
    assert "does not exist" in refusal(tmp_path / "x.xlsx").message


def test_a_directory(tmp_path: Path) -> None:
    assert "holds no csv files" in refusal(tmp_path).message


def test_empty(tmp_path: Path) -> None:
    assert "is empty" in refusal(file(tmp_path / "x.xlsx", b"")).message


@pytest.mark.parametrize("content", [b"VM,Powerstate\na,poweredOn\n", b"PK", b"<html></html>", b"\x00" * 600])
def test_another_kind(tmp_path: Path, content: bytes) -> None:
    assert "is not a workbook" in refusal(file(tmp_path / "x.xlsx", content)).message


def test_truncated_at_many_lengths(tmp_path: Path) -> None:
    whole = plain(tmp_path / "whole.xlsx").read_bytes()
    for length in (4, 30, 200, len(whole) // 2, len(whole) - 30, len(whole) - 1):
        assert "damaged or cut off" in refusal(file(tmp_path / "x.xlsx", whole[:length])).message


def test_flipped_bytes_never_escape_as_other_errors(tmp_path: Path) -> None:
    whole = plain(tmp_path / "whole.xlsx").read_bytes()
    choose = random.Random(7)
    refused = 0
    for _ in range(150):
        body = bytearray(whole)
        body[choose.randrange(4, len(body))] ^= 1 << choose.randrange(8)
        try:
            parse_rvtools(file(tmp_path / "x.xlsx", bytes(body)))
        except BadInput:
            refused += 1
    assert refused > 75


def test_zip_that_is_no_workbook(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "no workbook" in refusal(tmp_path / "x.xlsx").message


def test_password_protected(tmp_path: Path) -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504
    directory = "EncryptedPackage".encode("utf-16-le").ljust(128, b"\0")
    error = refusal(file(tmp_path / "x.xlsx", ole + directory + b"\0" * 384))
    assert "password" in error.message
    assert "password" in error.hint or "without" in error.hint


def test_broken_old_workbook(tmp_path: Path) -> None:
    refusal(file(tmp_path / "x.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000))


def test_not_rvtools(tmp_path: Path) -> None:
    error = refusal(write(tmp_path / "x.xlsx", {"Budget": [["a", "b"]], "2026": [[1, 2]]}))
    assert "is not an RVTools workbook: its sheets are Budget, 2026" in error.message


def test_only_the_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "RVTools_tabvInfo.csv"
    path.write_text("VM\na\n")
    message = refusal(path).message
    assert "has no column Powerstate" in message
    assert "column VM" not in message


def test_a_csv_file_that_is_none(tmp_path: Path) -> None:
    path = tmp_path / "garbage.csv"
    path.write_bytes(bytes(range(256)) * 40)
    assert "garbage.csv is no csv file" in refusal(path).message
    path.write_text("name,size\na,1\n")
    error = refusal(path)
    assert "is not the vInfo file of an RVTools export" in error.message
    assert "RVTools_tabvInfo.csv" in error.hint


def test_no_vinfo_sheet(tmp_path: Path) -> None:
    error = refusal(write(tmp_path / "x.xlsx", {"vDisk": [DISK, disk("a", 1)], "vHost": [["Host"]]}))
    assert "has no vInfo sheet" in error.message


def test_vinfo_of_someone_else(tmp_path: Path) -> None:
    error = refusal(write(tmp_path / "x.xlsx", {"vInfo": [["colour", "size"], ["red", 1]]}))
    assert "no column VM and no Powerstate" in error.message


@pytest.mark.parametrize("rows", [[INFO], [INFO, [None] * len(INFO)]])
def test_no_vms(tmp_path: Path, rows: list[list[object]]) -> None:
    assert "lists no VMs" in refusal(write(tmp_path / "x.xlsx", {"vInfo": rows})).message


def test_empty_vinfo(tmp_path: Path) -> None:
    refusal(write(tmp_path / "x.xlsx", {"vInfo": []}))


def bomb(path: Path, size: int, name: str = "xl/worksheets/sheet1.xml") -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        with archive.open(name, "w", force_zip64=True) as out:
            for _ in range(size // 1024**2):
                out.write(b" " * 1024**2)
    return path


def test_bomb_by_ratio(tmp_path: Path) -> None:
    assert "times its size" in refusal(bomb(tmp_path / "x.xlsx", 40 * 1024**2)).message


def test_bomb_by_size(tmp_path: Path) -> None:
    limits = Limits(unpacked_bytes=8 * 1024**2)
    assert "more than 8 MiB" in refusal(bomb(tmp_path / "x.xlsx", 10 * 1024**2), limits).message


def test_bomb_by_entries(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.xlsx", "w") as archive:
        for at in range(2001):
            archive.writestr(f"{at}", "")
    assert "2001 files" in refusal(tmp_path / "x.xlsx").message


def test_bomb_that_lies_about_its_size(tmp_path: Path) -> None:
    path = bomb(tmp_path / "x.xlsx", 20 * 1024**2)
    body = path.read_bytes()
    # Both directories say 1000 bytes where 20 MiB come out.
    lying = body.replace(struct.pack("<L", 20 * 1024**2), struct.pack("<L", 1000))
    lying = lying.replace(struct.pack("<Q", 20 * 1024**2), struct.pack("<Q", 1000))
    assert lying != body
    assert "unpacks to more than its directory says" in refusal(file(path, lying)).message


def test_hostile_file_name_is_shown_harmless(tmp_path: Path) -> None:
    error = refusal(file(tmp_path / "\x1b[31mred.xlsx", b""))
    assert "\x1b" not in error.message


def test_the_control_is_accepted(tmp_path: Path) -> None:
    path = write(tmp_path / "x.xlsx", {"vInfo": [INFO, info("a", 1)]})
    assert len(read_rvtools(path).vms) == 1


@pytest.mark.parametrize("filling", [b" ", b"<v>1</v>"])
def test_long_runs_around_a_chunk_are_no_damage(tmp_path: Path, filling: bytes) -> None:
    whole = plain(tmp_path / "whole.xlsx").read_bytes()
    for extra in (-259, -258, -2, -1, 0, 1, 2, 100, 257, 258, 259):
        path = file(tmp_path / "x.xlsx", whole)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("docProps/more.xml", (filling * (1024**2 + 512))[: 1024**2 + extra])
        assert len(parse_rvtools(path).vms) == 2
