"""A mounted datastore: its flat files are disks, if it really is that datastore."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from migrate.sites.vsphere.datastore_path import DatastorePath
from migrate.sites.vsphere.transports.local import LocalFiles
from migrate.sites.vsphere.transports.ports import Purpose
from planner.errors import BadInput, SiteRefused, Unreachable
from planner.model import Backing
from tests.migrate.sites.vsphere.conftest import Wired
from tests.migrate.sites.vsphere.disks import MIB, RealDisk, content, real_disk


def _mounted(real: RealDisk) -> LocalFiles:
    return LocalFiles({real.file.datastore: real.mount})


def test_a_disk_is_read_and_written_at_its_mount(wired: Wired) -> None:
    real = real_disk(wired)
    way = _mounted(real)
    with closing(way.open_read(real.place())) as disk:
        assert content(disk) == real.body
    with closing(way.open_write(real.place())) as disk:
        disk.write(b"x" * 512, 512)
        disk.flush()
    assert real.flat.read_bytes() == real.body[:512] + b"x" * 512 + real.body[1024:]


def test_a_datastore_that_is_not_mounted(wired: Wired) -> None:
    real = real_disk(wired)
    assert "is not mounted here" in LocalFiles({}).refusal(real.place(), Purpose.READ)
    way = _mounted(real)
    assert way.refusal(real.place(), Purpose.READ) == ""
    assert "runs holds it" in way.refusal(real.place(running=True), Purpose.WRITE)
    assert "no snapshot holds it still" in way.refusal(real.place(running=True), Purpose.READ)
    assert way.refusal(real.place(running=True, live=True), Purpose.READ) == ""
    assert "mapping" in way.refusal(real.place(backing=Backing.RDM_VIRTUAL), Purpose.READ)


def test_a_mount_of_another_datastore_with_the_same_names_is_refused(wired: Wired, tmp_path: Path) -> None:
    """As after the fail-over of an array: folder, file and size are the same, the disk is another."""
    real = real_disk(wired)
    copy = tmp_path / real.file.path
    copy.parent.mkdir()
    told = (real.mount / real.file.path).read_text()
    digit = real.uuid[0]
    copy.write_text(told.replace(f'ddb.uuid = "{digit}', f'ddb.uuid = "{"1" if digit != "1" else "2"}'))
    (tmp_path / real.file.flat.path).write_bytes(bytes(MIB))
    with pytest.raises(SiteRefused, match="another uuid"):
        LocalFiles({real.file.datastore: tmp_path}).open_write(real.place())
    copy.write_text(told)  # control: with its own descriptor it would be taken
    LocalFiles({real.file.datastore: tmp_path}).open_write(real.place()).close()


def test_a_stale_mount_is_refused(wired: Wired) -> None:
    real = real_disk(wired)
    way = _mounted(real)
    os.truncate(real.flat, MIB // 2)
    with pytest.raises(SiteRefused, match="has 512 KiB at its mount"):
        way.open_read(real.place())
    (real.mount / real.file.path).write_text("")
    with pytest.raises(SiteRefused, match="at its mount"):
        way.open_read(real.place())
    real.flat.unlink()
    (real.mount / real.file.path).unlink()
    with pytest.raises(Unreachable, match="cannot be opened at its mount"):
        way.open_read(real.place())


def test_a_link_never_leads_out_of_the_mount(wired: Wired, tmp_path: Path) -> None:
    real = real_disk(wired)
    (tmp_path / real.file.folder).symlink_to(real.flat.parent)
    with pytest.raises(Unreachable, match="symbolic link"):
        LocalFiles({real.file.datastore: tmp_path}).open_read(real.place())
    (tmp_path / real.file.folder).unlink()
    (tmp_path / real.file.folder).mkdir()
    (tmp_path / real.file.path).write_text((real.mount / real.file.path).read_text())
    (tmp_path / real.file.flat.path).symlink_to(real.flat)
    with pytest.raises(Unreachable):
        LocalFiles({real.file.datastore: tmp_path}).open_read(real.place())


@pytest.mark.parametrize(
    "text",
    ["[ds] ../x.vmdk", "[ds] a/../../x.vmdk", "[ds] /x.vmdk", "[ds] a//x.vmdk", "[ds] ", "x.vmdk", "[] x"],
)
def test_a_path_that_climbs_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        DatastorePath.parse(text)


def test_a_path_in_parts() -> None:
    path = DatastorePath.parse("[Daten 1] web/web-000002.vmdk")
    assert (path.datastore, path.folder, path.name) == ("Daten 1", "web", "web-000002.vmdk")
    assert path.is_delta
    assert str(path.base) == "[Daten 1] web/web.vmdk"
    assert path.base.flat.path == "web/web-flat.vmdk"
