"""Disks through nbdkit: the curl and file plugins stand in for VDDK, with the same process around them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from migrate.sites.vsphere.transports.nbd import Nbd, Vddk, sha1_of
from migrate.sites.vsphere.transports.nbdkit import serve
from migrate.sites.vsphere.transports.ports import Place, Purpose
from migrate.sites.vsphere.transports.slots import Limits, Slots, nbd_places
from planner.errors import ProjectBusy, SiteRefused
from planner.model import Backing
from planner.sources.vcenter.address import Address, Login
from tests.migrate.disks.nbd.servers import tool
from tests.migrate.sites.vsphere.conftest import Wired
from tests.migrate.sites.vsphere.disks import MIB, RealDisk, content, real_disk
from tests.planner.sources.vcenter.logins import login_of


@pytest.fixture(autouse=True)
def _nbdkit() -> None:
    tool("nbdkit")


@dataclass(frozen=True)
class _Curl:
    """nbdkit's curl plugin on a vCenter's files, with the password by descriptor as VDDK's has it."""

    wired: Wired
    real: RealDisk
    password: str

    def words(self, place: Place, purpose: Purpose) -> Sequence[str]:
        peer, file = self.wired.peer, place.file.flat
        url = f"{peer.url}/folder/{file.path}?dcPath={place.datacenter}&dsName={file.datastore}"
        return ("curl", f"url={url}", f"cainfo={peer.certificate}", f"user={peer.user}")

    def secrets(self) -> Mapping[str, str]:
        return {"password": self.password}


@dataclass(frozen=True)
class _File:
    path: Path

    def words(self, place: Place, purpose: Purpose) -> Sequence[str]:
        return ("file", str(self.path))

    def secrets(self) -> Mapping[str, str]:
        return {}


def _children() -> list[int]:
    said = subprocess.run(
        ["ps", "--ppid", str(os.getpid()), "-o", "pid=,comm="], capture_output=True, text=True, check=False
    )
    return [int(line.split()[0]) for line in said.stdout.splitlines() if "nbdkit" in line]


def test_a_disk_is_read_through_nbdkit_with_a_secret_password(wired: Wired) -> None:
    real = real_disk(wired)
    wired.peer.rules([], folder_login=True)
    way = Nbd(lambda: _Curl(wired, real, wired.peer.password))
    with closing(way.open_read(real.place())) as disk:
        assert content(disk) == real.body
        (child,) = _children()
        said = Path(f"/proc/{child}/cmdline").read_bytes() + Path(f"/proc/{child}/environ").read_bytes()
        assert wired.peer.password.encode() not in said
        assert wired.peer.user.encode() in said  # control: it would be seen
    assert _children() == []
    with pytest.raises(SiteRefused, match="nbdkit"):
        Nbd(lambda: _Curl(wired, real, "wrong")).open_read(real.place())
    assert _children() == []


def test_a_disk_is_written_through_nbdkit(wired: Wired) -> None:
    real = real_disk(wired)
    with closing(Nbd(lambda: _File(real.flat)).open_write(real.place())) as disk:
        disk.write(b"y" * 4096, 8192)
        disk.flush()
    assert real.flat.read_bytes() == real.body[:8192] + b"y" * 4096 + real.body[12288:]


def test_what_is_read_cannot_be_written(wired: Wired) -> None:
    real = real_disk(wired)
    with closing(Nbd(lambda: _File(real.flat)).open_read(real.place())) as disk, pytest.raises(OSError):
        disk.write(b"y", 0)  # type: ignore[attr-defined]
    assert real.flat.read_bytes() == real.body


def test_a_killed_server_is_an_error_and_leaves_nothing(wired: Wired) -> None:
    real = real_disk(wired)
    disk = Nbd(lambda: _File(real.flat)).open_read(real.place())
    (child,) = _children()
    os.kill(child, signal.SIGKILL)
    with pytest.raises(OSError):
        content(disk)
    disk.close()
    disk.close()
    assert _children() == []


def test_a_server_that_does_not_begin_says_why(tmp_path: Path) -> None:
    with pytest.raises(SiteRefused, match="No such file"):
        serve(("file", str(tmp_path / "missing")), {}, what="a disk", writable=False)
    with pytest.raises(SiteRefused, match="vddk"):
        serve(("vddk", "libdir=/nowhere"), {"password": "x"}, what="a disk", writable=False)
    assert _children() == []


def test_a_disk_of_another_size_is_refused(wired: Wired) -> None:
    real = real_disk(wired)
    os.truncate(real.flat, MIB // 2)
    with pytest.raises(SiteRefused, match="over NBD"):
        Nbd(lambda: _File(real.flat)).open_read(real.place())
    assert _children() == []


def test_the_server_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    image = tmp_path / "disk"
    image.write_bytes(bytes(MIB))
    program = (
        "import os, sys\n"
        "from migrate.sites.vsphere.transports.nbdkit import serve\n"
        "disk = serve(('file', sys.argv[1]), {}, what='x', writable=False)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    room = tmp_path / "room"
    room.mkdir()
    # What it started holds this pipe open: the reading ends when all of them have.
    done = subprocess.run(
        [sys.executable, "-c", program, str(image)],
        stdout=subprocess.PIPE,
        timeout=60,
        check=False,
        env={**os.environ, "TMPDIR": str(room)},
    )
    assert done.returncode == -signal.SIGKILL
    assert list(room.iterdir()) == []


def test_which_disks_vddk_reaches() -> None:
    from migrate.sites.vsphere.datastore_path import DatastorePath

    way = Nbd(lambda: _File(Path("unused")))
    place = Place(DatastorePath("a", "b/c.vmdk"), MIB, vm="vm-1")
    assert way.refusal(place, Purpose.READ) == ""
    assert "no VDDK" in Nbd(None).refusal(place, Purpose.READ)
    unheld = Place(DatastorePath("a", "b/c.vmdk"), MIB)
    assert "no VM holds it" in way.refusal(unheld, Purpose.WRITE)
    physical = Place(DatastorePath("a", "b/c.vmdk"), MIB, Backing.RDM_PHYSICAL, vm="vm-1")
    assert "physical" in way.refusal(physical, Purpose.READ)
    running = Place(DatastorePath("a", "b/c.vmdk"), MIB, vm="vm-1", running=True, snapshot="snapshot-2")
    assert way.refusal(running, Purpose.READ) == ""
    assert "runs holds it" in way.refusal(running, Purpose.WRITE)
    live = Place(DatastorePath("a", "b/c.vmdk"), MIB, vm="vm-1", running=True, live=True)
    assert "from its snapshots only" in way.refusal(live, Purpose.READ)


def test_what_vddk_is_told() -> None:
    from migrate.sites.vsphere.datastore_path import DatastorePath

    login = Login(Address("mover@vsphere.local", "vc.example.com", 8443), "s3cret")
    vddk = Vddk(Path("/opt/vddk"), login, "AA:BB")
    place = Place(DatastorePath("Daten 1", "b/c-000001.vmdk"), MIB, vm="vm-1", snapshot="snapshot-2")
    words = vddk.words(place, Purpose.READ)
    assert words == (
        "vddk",
        "libdir=/opt/vddk",
        "server=vc.example.com",
        "port=8443",
        "user=mover@vsphere.local",
        "thumbprint=AA:BB",
        "vm=moref=vm-1",
        "snapshot=snapshot-2",
        "transports=nbdssl:nbd",
        "file=[Daten 1] b/c-000001.vmdk",
    )
    assert not any("s3cret" in word for word in words)
    assert vddk.secrets() == {"password": "s3cret"}


def test_the_thumbprint_is_of_the_certificate_that_was_verified(wired: Wired) -> None:
    said = subprocess.run(
        [tool("openssl"), "x509", "-in", wired.peer.served.leaf, "-noout", "-fingerprint", "-sha1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert sha1_of(login_of(wired.peer)) == said.stdout.strip().partition("=")[2]


def test_a_host_serves_so_many_disks_and_no_more(wired: Wired, tmp_path: Path) -> None:
    real = real_disk(wired)
    slots = Slots(tmp_path, patience_s=0.0)
    way = Nbd(lambda: _File(real.flat), nbd_places(slots, Limits(nbd_per_host=1), "vc"))
    with closing(way.open_read(real.place())):
        with pytest.raises(ProjectBusy, match="all 1 places of nbd at host-"):
            way.open_read(real.place())
        way.open_read(real.place(host="another")).close()
    way.open_read(real.place()).close()  # it was given back
    os.truncate(real.flat, 512)
    for _ in range(2):  # and so it is when opening fails
        with pytest.raises(SiteRefused):
            way.open_read(real.place())
