"""wherry discover on live vCenters: passwords, certificates, several at once, refreshes, faults, watching."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.tui.cli.command import Ran, Wherry, descriptor, refused, wherry
from tests.tui.cli.terminal import typing
from tests.vcenter.certificates import Authority, Certificate
from tests.vcenter.fixtures import StartVCenter
from tests.vcenter.peer import VCenterPeer


@pytest.fixture
def project(tmp_path: Path) -> Wherry:
    assert wherry("init", str(tmp_path / "move")).code == 0
    return Wherry(tmp_path / "move")


def spec(peer: VCenterPeer) -> str:
    return f"vcenter://{peer.user}@{peer.host}:{peer.port}"


def discover(project: Wherry, peer: VCenterPeer, *more: str, password: str = "") -> Ran:
    with descriptor(f"{password or peer.password}\n") as number:
        return project("discover", spec(peer), "--password-fd", number, *more)


def trusted(project: Wherry, peer: VCenterPeer, *more: str) -> Ran:
    ran = discover(project, peer, "--ca-file", str(peer.certificate), *more)
    assert ran.code == 0, ran.text
    return ran


def names(project: Wherry) -> dict[str, str]:
    return {vm["id"]: vm["name"] for vm in project.done("inventory", "--json").document}


def everything(project: Wherry) -> bytes:
    """Return every byte the project holds, the log of the database included."""
    return b"".join(path.read_bytes() for path in sorted(project.root.rglob("*")) if path.is_file())


def test_a_vcenter_becomes_a_snapshot(project: Wherry, vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "3")
    said = trusted(project, peer, "--json").document
    assert said["vms"] == 6  # three in each of two pools
    assert said["vcenters"] == [peer.instance_uuid]
    assert said["source"] == f"vcenter:admin@127.0.0.1:{peer.port}"
    assert len(names(project)) == 6
    assert peer.password.encode() not in everything(project)


def test_a_wrong_password_is_one_sentence(project: Wherry, vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    ran = discover(project, peer, "--ca-file", str(peer.certificate), password="wrong-secret")
    refused(ran, 2, "refuses the login of admin")
    assert "wrong-secret" not in ran.text
    assert project.done("inventory", "snapshots", "--json").document == []


def test_a_certificate_nobody_vouches_for_is_refused_then_pinned(
    project: Wherry, vcenter: StartVCenter, vcenter_authority: Authority
) -> None:
    peer = vcenter("-vm", "1")
    ran = discover(project, peer)
    refused(ran, 2, "shows a certificate that is not trusted", "--trust SHA256")
    thumbprint = ran.err.partition("SHA-256 is ")[2].split()[0]
    assert discover(project, peer, "--trust", thumbprint.lower().replace(":", "")).code == 0
    assert discover(project, peer).code == 0, "the project remembers what was trusted"
    peer.restart(vcenter_authority.issue())
    refused(discover(project, peer), 2, "it is not the pinned one")


def test_a_wrong_thumbprint_is_not_remembered(project: Wherry, vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    refused(discover(project, peer, "--trust", "ab" * 32), 2, "it is not the pinned one")
    with sqlite3.connect(project.root / "project.db") as db:
        assert db.execute("SELECT count(*) FROM trusted_certificate").fetchone() == (0,)


def test_two_vcenters_in_one_project(project: Wherry, vcenter: StartVCenter) -> None:
    one, two = vcenter("-vm", "1"), vcenter("-vm", "2")
    trusted(project, one)
    first = names(project)
    said = trusted(project, two, "--add", "--json").document
    assert set(said["vcenters"]) == {one.instance_uuid, two.instance_uuid}
    both = names(project)
    assert len(both) == 2 + 4
    assert first.items() <= both.items(), "the first vCenter keeps its ids"
    trusted(project, one, "--add")
    assert names(project).keys() == both.keys(), "and all keep them when it is read again"
    trusted(project, two)
    assert len(names(project)) == 4, "without --add only what was read counts"


def test_the_target_is_kept_apart(project: Wherry, vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    project.done("discover", "lab")
    said = trusted(project, peer, "--target", "--json").document
    assert said["role"] == "target"
    assert len(names(project)) == 12, "the estate that leaves is still the one that counts"
    assert project.done("status", "--json").document["vms"] == 12


@pytest.mark.parametrize("effect", ["drop", "half"])
def test_a_vcenter_that_goes_away_leaves_nothing_half_stored(
    project: Wherry, vcenter: StartVCenter, effect: str
) -> None:
    peer = vcenter("-vm", "2")
    project.done("discover", "lab")
    before = project.stored()
    peer.rules([{"method": "RetrievePropertiesEx", "skip": 1, effect: True}])
    ran = discover(project, peer, "--ca-file", str(peer.certificate))
    assert ran.code == 6, ran.text
    assert "hint:" in ran.err
    assert project.stored() == before


def test_nobody_answers(project: Wherry) -> None:
    with descriptor("x") as number:
        ran = project("discover", "vcenter://a@127.0.0.1:9", "--password-fd", number)
    refused(ran, 6, "127.0.0.1:9 cannot be reached")


def test_a_password_on_the_command_line_is_refused_and_not_repeated(project: Wherry) -> None:
    ran = project("discover", "vcenter://admin:hunter2@vc1")
    refused(ran, 2, "leave the password out")
    assert "hunter2" not in ran.text


def test_a_watch_stores_changes_and_rates(project: Wherry, vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    ran = trusted(project, peer, "--watch", "--every", "1s", "--for", "2s")
    assert "first look" in ran.err
    assert "no change" in ran.err
    heads = project.done("inventory", "snapshots", "--json").document
    assert 1 <= len(heads) <= 2, "a look without news is no snapshot"
    known = [vm["churn_bytes_day"] for vm in project.done("inventory", "power:on", "--json").document]
    assert known
    assert all(rate is not None for rate in known)


def test_a_watch_without_a_pause_is_refused(project: Wherry) -> None:
    ran = project("discover", "vcenter://a@127.0.0.1:9", "--watch", "--every", "0s")
    refused(ran, 2, "--every 0s would ask the vCenter without a pause")


def test_one_descriptor_is_no_password_of_two_vcenters(project: Wherry) -> None:
    with descriptor("x") as number:
        ran = project("discover", "vcenter://a@vc1", "vcenter://a@vc2", "--password-fd", number)
    refused(ran, 2, "--password-fd gives the password of one vCenter")


def test_access_is_checked_without_reading(project: Wherry, vcenter: StartVCenter) -> None:
    peer = vcenter("-vm", "1")
    said = trusted(project, peer, "--check", "--json").document[0]
    assert said["readable"] is True
    assert said["vcenter"] == peer.instance_uuid
    assert said["lacking"] == []
    assert "may read everything" in trusted(project, peer, "--check").out
    peer.rules([{"method": "HasPrivilegeOnEntity", "fault": "NoPermission"}])
    assert "does not say which privileges" in trusted(project, peer, "--check").out
    assert project.done("inventory", "snapshots", "--json").document == []
    refused(project("discover", "lab", "--check"), 2, "--check is for live vCenters")


def test_only_a_vcenter_can_be_watched(project: Wherry) -> None:
    refused(project("discover", "lab", "--watch"), 2, "--watch takes one live vCenter")


def test_no_certificate_is_trusted_by_itself(
    project: Wherry, vcenter: StartVCenter, stranger: Certificate
) -> None:
    """The authority we know does not vouch for a stranger."""
    peer = vcenter("-vm", "1", certificate=stranger)
    wrong = vcenter("-vm", "1")
    refused(discover(project, peer, "--ca-file", str(wrong.certificate)), 2, "is not trusted")


@pytest.mark.parametrize(("word", "code"), [(b"yes\n", 0), (b"no\n", 2), (b"\n", 2), (b"y\n", 2)])
def test_on_a_terminal_the_word_is_asked_for(
    project: Wherry, vcenter: StartVCenter, word: bytes, code: int
) -> None:
    peer = vcenter("-vm", "1")
    answers = [(b"Password of", f"{peer.password}\n".encode()), (b"Type yes", word)]
    ended, said = typing(answers, "discover", spec(peer), "--project", str(project.root))
    assert ended == code, said
    assert "SHA-256 is " in said
    assert peer.password not in said
    assert "Traceback" not in said
    assert len(project.done("inventory", "snapshots", "--json").document) == (code == 0)
    with sqlite3.connect(project.root / "project.db") as db:
        assert db.execute("SELECT count(*) FROM trusted_certificate").fetchone() == (int(code == 0),)
