"""wherry site login: a login that was tried is kept where only its owner can read it, and nowhere else."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from migrate.sites.vsphere.folder import VCenterFolder
from planner.errors import BadInput, Blocked
from planner.settings_sites import Site
from planner.store import settings
from planner.store.project import Project
from tests.tui.cli.command import Ran, Wherry, descriptor, refused, wherry
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer


@pytest.fixture
def project(tmp_path: Path) -> Wherry:
    assert wherry("init", str(tmp_path / "move")).code == 0
    return Wherry(tmp_path / "move")


def log_in(project: Wherry, peer: VCenterPeer, *more: str, password: str = "") -> Ran:
    project.done("site", "add", "dc1", f"vcenter://{peer.user}@{peer.host}:{peer.port}", "--role", "source")
    with descriptor(f"{password or peer.password}\n") as number:
        return project("site", "login", "dc1", "--password-fd", number, *more)


def holders(root: Path, secret: str) -> list[str]:
    """Return the files below ``root`` that hold the secret."""
    return [path.name for path in root.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_a_login_is_kept_in_one_private_file(project: Wherry, vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    ran = log_in(project, peer, "--ca-file", str(peer.certificate), "--json")
    assert ran.code == 0, ran.text
    assert ran.document["vcenter"] == peer.instance_uuid
    assert ran.document["password"] == "file"
    assert peer.password not in ran.text
    folder = VCenterFolder.of(project.root, "dc1")
    assert holders(project.root, peer.password) == ["password"]
    assert stat.S_IMODE(folder.password.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.root.stat().st_mode) == 0o700
    login = folder.login()
    assert (login.password, login.address.port) == (peer.password, peer.port)
    assert peer.password not in repr(login)


def test_what_did_not_work_is_not_kept(project: Wherry, vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    ran = log_in(project, peer, "--ca-file", str(peer.certificate), password="wrong-secret")
    refused(ran, 2, "refuses the login of admin")
    refused(log_in(project, peer), 2, "shows a certificate that is not trusted")
    with pytest.raises(Blocked):
        VCenterFolder.of(project.root, "dc1").login()
    assert holders(project.root, "wrong-secret") == holders(project.root, peer.password) == []


def test_a_pin_is_kept_with_the_login(project: Wherry, vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    thumbprint = log_in(project, peer).err.partition("SHA-256 is ")[2].split()[0]
    assert log_in(project, peer, "--trust", thumbprint).code == 0
    login = VCenterFolder.of(project.root, "dc1").login()
    assert (login.trust, login.ca_file) == (thumbprint, None)


def test_a_login_that_others_can_read_is_refused(project: Wherry, vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    assert log_in(project, peer, "--ca-file", str(peer.certificate)).code == 0
    folder = VCenterFolder.of(project.root, "dc1")
    folder.password.chmod(0o640)
    with pytest.raises(BadInput, match="is not private"):
        folder.login()


def test_a_logout_leaves_nothing(project: Wherry, vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    assert log_in(project, peer, "--ca-file", str(peer.certificate)).code == 0
    assert project.done("site", "logout", "dc1", "--json").document["removed"] is True
    assert project.done("site", "logout", "dc1", "--json").document["removed"] is False
    assert holders(project.root, peer.password) == []


def test_a_site_that_is_no_vcenter_has_no_login(project: Wherry) -> None:
    project.done("site", "add", "dc1", "lab:lab/dc1", "--role", "source")
    refused(project("site", "login", "dc1"), 2, "is no vCenter")
    refused(project("site", "login", "nowhere"), 2, "has no site nowhere")


def test_another_address_keeps_how_disks_are_reached(project: Wherry) -> None:
    def site() -> Site:
        with Project.open(project.root) as opened:
            return settings.load(opened).sites["dc2"]

    project("site", "add", "dc2", "vcenter://old@vc2", "--role", "target")
    with Project.open(project.root) as opened:
        body = settings.load(opened).model_dump(mode="json")
        body["sites"]["dc2"]["mounts"] = {"ds1": "/mnt/ds1"}
        settings.save(opened, settings.validate(body, "the test"), "somebody")
    project("site", "add", "dc2", "vcenter://new@vc2", "--role", "target")
    assert (site().url, site().mounts) == ("vcenter://new@vc2", {"ds1": "/mnt/ds1"})
    project("site", "add", "dc2", "lab:lab/dc2", "--role", "target")
    assert (site().url, site().mounts) == ("lab:lab/dc2", {})
