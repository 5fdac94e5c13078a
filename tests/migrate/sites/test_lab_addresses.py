"""Addresses of lab guests: on their disks, asked for while off, applied when they start, answered at."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from migrate.disks.flat import FlatDisk
from migrate.sites.lab.addressed import read_networking, write_networking
from migrate.sites.lab.client import LabSite
from migrate.sites.lab.folder import SiteFolder
from migrate.sites.networking import GuestNic
from planner.errors import SiteRefused
from planner.model import VM, Disk, Inventory, Nic
from tests.migrate.sites.estate import HOSTILE, MIB, build, running

NIC = Nic("Network adapter 1", "prod", addresses=("127.61.0.7", "fe80::1"), subnets=("127.61.0.0/16",))
SHARED = Disk("2001", "Shared", 2 * MIB, path="[ds] one/s.vmdk", multi_writer=True, bus=1)
ONE = VM("one", HOSTILE, disks=(SHARED,), nics=(NIC, Nic("Network adapter 2", "lan")))
TWO = VM("two", "two", disks=(SHARED,), nics=(replace(NIC, addresses=("127.61.0.8",)),))
BARE = VM("bare", "bare", nics=(NIC,))
NEW = GuestNic(
    NIC.label, ("127.62.0.7/24", "2001:db8::7/64"), ("127.62.0.1",), ("127.0.0.53",), ("a.example",)
)
OP = "1-1-1/g0/v0/readdress/do1"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def answer(address: str, port: int) -> str:
    try:
        with socket.create_connection((address, port), 5.0) as peer:
            return peer.recv(4096).decode().strip()
    except ConnectionRefusedError:
        return ""


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture
def site(tmp_path: Path, port: int) -> Iterator[LabSite]:
    build(tmp_path / "lab", inventory=Inventory("test", "2026-01-01T00:00:00Z", (ONE, TWO, BARE)))
    folder = SiteFolder(tmp_path / "lab" / "source")
    folder.write_settings(replace(folder.settings(), answer_port=port))
    with running(folder.root) as found:
        yield found


def test_who_holds_which_address_is_told_and_silence_is_not_none(site: LabSite) -> None:
    held = {one.vm: one for one in site.address_holders()}
    assert {one.ips for one in held.values()} == {()}, "what is off holds none"
    site.power_on("one", OP)
    site.power_on("bare", OP)
    held = {one.vm: one for one in site.address_holders()}
    assert held["one"].name == HOSTILE
    assert held["one"].ips == ("127.61.0.7",)
    assert held["one"].macs == ()
    assert held["two"].ips == ()
    assert held["bare"].ips is None, "it runs, and no disk says what it has"


def test_a_guest_starts_with_what_its_site_was_asked_for_and_answers_there(site: LabSite, port: int) -> None:
    before = GuestNic(NIC.label, ("127.61.0.7/16",))
    assert site.networking("one") == (before,)
    site.power_on("one", "a/b/c")
    site.power_on("two", "a/b/d")
    assert answer("127.61.0.8", port) == "two"
    assert answer("127.61.0.7", port) == HOSTILE.strip()
    with pytest.raises(SiteRefused, match="powered on"):
        site.customise("one", (NEW,), OP)
    assert site.shut_down("one", "a/b/e", 30.0)
    assert answer("127.61.0.7", port) == ""
    site.customise("one", (NEW,), OP)
    site.customise("one", (NEW,), OP)
    assert site.networking("one") == (NEW,)
    with FlatDiskOf(site, "one") as disk:
        assert read_networking(disk, owner("one")) == (before,)  # it is asked for, and not done yet
    site.power_on("one", "a/b/f")
    assert answer("127.62.0.7", port) == HOSTILE.strip()
    assert answer("127.61.0.7", port) == ""
    assert answer("127.61.0.8", port) == "two"
    assert site.shut_down("one", "a/b/g", 30.0)
    with FlatDiskOf(site, "one") as disk:
        assert read_networking(disk, owner("one")) == (NEW,)
    assert site.networking("two") == (GuestNic(NIC.label, ("127.61.0.8/16",)),)


def test_what_was_asked_for_outlives_the_site(site: LabSite) -> None:
    site.customise("one", (NEW,), OP)
    directory = site.directory
    assert site.stop()
    again = LabSite.connect(directory)
    assert again.networking("one") == (NEW,)


def test_what_cannot_be_set_is_refused(site: LabSite) -> None:
    assert site.networking("bare") is None
    with pytest.raises(SiteRefused, match="no disk"):
        site.customise("bare", (NEW,), OP)
    with pytest.raises(SiteRefused, match="no adapter"):
        site.customise("one", (replace(NEW, label="other"),), OP + "x")
    assert site.networking("one") == (GuestNic(NIC.label, ("127.61.0.7/16",)),)


def test_the_write_is_in_the_change_map(site: LabSite) -> None:
    volume = volume_of(site, "one")
    before = site.change_id(volume)
    assert before is not None
    site.customise("one", (NEW,), OP)
    assert site.changed_areas(volume, before) == ()
    site.power_on("one", "a/b/c")
    assert site.shut_down("one", "a/b/d", 30.0)
    changed = site.changed_areas(volume, before)
    assert changed
    assert changed[0].offset <= 4096 < changed[0].end


def test_a_page_that_is_damaged_or_does_not_fit_is_none(tmp_path: Path) -> None:
    path = tmp_path / "disk"
    path.write_bytes(bytes(MIB))
    disk = FlatDisk(path, writable=True)
    write_networking(disk, disk.write, "me", (NEW,))
    write_networking(disk, disk.write, "you", ())
    assert (read_networking(disk, "me"), read_networking(disk, "you")) == ((NEW,), ())
    disk.write(b"x", 4096 + 30)
    assert read_networking(disk, "me") is None
    with pytest.raises(SiteRefused, match="no room"):
        write_networking(disk, disk.write, "me", [replace(NEW, search=("a" * 200,) * 30)])
    disk.close()


def owner(vm: str) -> str:
    from planner.names import content_id

    return content_id(vm)


def volume_of(site: LabSite, vm: str) -> str:
    state = site.observe(vm)
    assert state is not None
    return state.disks[0].volume


class FlatDiskOf:
    def __init__(self, site: LabSite, vm: str) -> None:
        self.disk = site.open_read(volume_of(site, vm))

    def __enter__(self) -> FlatDisk:
        assert isinstance(self.disk, FlatDisk)
        return self.disk

    def __exit__(self, *_: object) -> None:
        self.disk.close()
