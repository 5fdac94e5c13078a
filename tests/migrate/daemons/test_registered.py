"""Registered disks: only they are opened, and only as they were registered."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.daemons.address import parse_address
from migrate.daemons.registered import Register, read_volumes
from planner.errors import BadInput, NotFound, SiteRefused


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    (tmp_path / "d.img").write_bytes(b"keep" * 1024)
    return tmp_path / "d.img"


def test_a_disk_is_opened_by_its_id_alone(disk: Path) -> None:
    register = Register([("v", disk, "crm")])
    opened = register.open_write("v")
    assert opened.size_bytes == 4096
    opened.close()
    assert register.groups() == {"v": "crm"}
    for volume in (str(disk), "../d.img", "w\u202e", ""):
        with pytest.raises(NotFound) as refused:
            register.open_write(volume)
        assert "\u202e" not in refused.value.message


@pytest.mark.parametrize("change", ["resized", "replaced", "a link"])
def test_a_disk_that_changed_under_it_is_refused(disk: Path, tmp_path: Path, change: str) -> None:
    register = Register([("v", disk, "")])
    (tmp_path / "other").write_bytes(b"keep" * 1024)
    if change == "resized":
        os.truncate(disk, 8192)
    elif change == "replaced":
        (tmp_path / "other").replace(disk)
    else:
        disk.unlink()
        disk.symlink_to(tmp_path / "other")
    with pytest.raises((SiteRefused, OSError)):
        register.open_write("v")
    assert disk.read_bytes().startswith(b"keep" * 1024)


def test_what_is_no_free_disk_cannot_be_registered(disk: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(disk)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "link", tmp_path / "pipe", tmp_path / "absent", Path("/dev/null")):
        with pytest.raises(BadInput, match="cannot be served"):
            Register([("v", path, "")])
    os.link(disk, tmp_path / "same")
    with pytest.raises(BadInput, match="twice"):
        Register([("v", disk, ""), ("w", tmp_path / "same", "")])
    with disk.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_SH)
        with pytest.raises(BadInput, match="somebody else holds it"):
            Register([("v", disk, "")])


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"volumes": [1]}', '{"volumes": [{"id": "v"}]}', "[" * 100_000,
             '{"volumes": [{"id": "v", "path": "/x", "grup": "g"}]}',
             '{"volumes": [{"id": "v", "path": "/x\\u0000", "group": "g"}]}'],
)  # fmt: skip
def test_a_list_that_is_not_understood_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "v.json").write_text(text, "utf-8")
    with pytest.raises(BadInput):
        read_volumes(tmp_path / "v.json")


def test_a_list_is_read(tmp_path: Path) -> None:
    (tmp_path / "v.json").write_text('{"volumes": [{"id": "v", "path": "/x", "group": "g"}]}', "utf-8")
    assert read_volumes(tmp_path / "v.json") == [("v", Path("/x"), "g")]


def test_addresses() -> None:
    assert parse_address("[::1]:0") == ("::1", 0)
    assert parse_address("dc2.example:7643") == ("dc2.example", 7643)
    for text in ("7643", ":7643", "a:", "::1:5", "a:99999", "a:-1", "a:٣"):
        with pytest.raises(BadInput):
            parse_address(text)


def losetup(*arguments: str) -> str:
    return subprocess.run(["losetup", *arguments], check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def attached(disk: Path) -> Iterator[Path]:
    """Attach the disk to a loop device, where that is permitted."""
    os.truncate(disk, 1024 * 1024)
    try:
        device = losetup("--find", "--show", str(disk))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not run: no loop device can be made here")
    yield Path(device)
    losetup("--detach", device)


def test_a_file_behind_a_loop_device_is_refused(disk: Path, attached: Path) -> None:
    with pytest.raises(BadInput, match="attached as a device"):
        Register([("v", disk, "")])
    assert Register([("v", attached, "")]).disks[0].size_bytes == 1024 * 1024


def test_a_file_that_is_attached_after_registration_is_refused(disk: Path, tmp_path: Path) -> None:
    os.truncate(disk, 1024 * 1024)
    register = Register([("v", disk, "")])
    try:
        device = losetup("--find", "--show", str(disk))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not run: no loop device can be made here")
    try:
        with pytest.raises(OSError, match="attached as a device"):
            register.open_write("v")
    finally:
        losetup("--detach", device)
    register.open_write("v").close()


def test_a_mounted_device_is_refused(attached: Path, tmp_path: Path) -> None:
    (tmp_path / "mount").mkdir()
    try:
        subprocess.run(["mkfs.ext4", "-q", str(attached)], check=True, capture_output=True)
        subprocess.run(["mount", str(attached), str(tmp_path / "mount")], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not run: nothing can be mounted here")
    try:
        with pytest.raises(BadInput, match="cannot be served"):
            Register([("v", attached, "")])
    finally:
        subprocess.run(["umount", str(tmp_path / "mount")], check=True)
    assert Register([("v", attached, "")]).disks
