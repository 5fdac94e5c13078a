"""wherry disks: one disk in words and as a document, and refusals of what is none."""

from __future__ import annotations

import os
from pathlib import Path

from migrate.disks.layout import Holds, Layout, Span, write_layout
from tests.migrate.disks.nbd.servers import KIB, MIB, nbdkit
from tests.tui.cli.command import refused, wherry


def test_a_vmdk_is_shown_with_its_extents(tmp_path: Path) -> None:
    name = "x\u202e-f001.vmdk"
    (tmp_path / name).touch()
    os.truncate(tmp_path / name, MIB)
    with (tmp_path / name).open("r+b") as file:
        file.write(b"x" * 64 * KIB)
    spans = (Span(MIB, Holds.FLAT, name), Span(3 * MIB, Holds.ZERO))
    disk = tmp_path / "x.vmdk"
    disk.write_text(write_layout(Layout("twoGbMaxExtentFlat", spans)), "utf-8")
    told = wherry("disks", "show", str(disk), "--json").document
    assert (told["format"], told["size_bytes"], told["sector_bytes"]) == (
        "VMDK twoGbMaxExtentFlat",
        4 * MIB,
        512,
    )
    assert told["data_bytes"] + told["hole_bytes"] + told["zero_bytes"] == 4 * MIB
    assert told["data_bytes"] >= 64 * KIB
    assert told["dirty_bytes"] is None
    assert [extent["holds"] for extent in told["extents"]] == ["FLAT", "ZERO"]
    ran = wherry("disks", "show", str(disk))
    assert ran.code == 0
    assert "4.0 MiB (4,194,304 bytes)" in ran.out
    assert "1.0 MiB FLAT x<U+202E>-f001.vmdk" in ran.out
    assert "\u202e" not in ran.text


def test_an_export_is_shown(tmp_path: Path) -> None:
    with nbdkit(tmp_path, "--no-sr", "memory", "1M") as uri:
        ran = wherry("disks", "show", uri)
    assert ran.code == 0
    assert "NBD export" in ran.out
    assert "does not tell holes" in ran.err


def test_what_is_no_disk_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken\x1b[2J.vmdk"
    broken.write_text("version=1\n", "utf-8")
    assert "\x1b" not in wherry("disks", "show", str(broken)).text
    refused(wherry("disks", "show", str(broken)), 2, "not a usable VMDK")
    refused(wherry("disks", "show", str(tmp_path / "none")), 2, "does not exist")
    refused(wherry("disks", "show", "nbd://"), 2, "wants a host")
    refused(wherry("disks", "show", f"nbd+unix:///?socket={tmp_path}/none"), 6, "No such file")
