"""The authority, its bundles and its list: what counts, what is refused, what stays private."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from migrate.keys import authority
from migrate.keys.bundle import read_bundle
from migrate.keys.names import Holder, Role, holder_of, must_be
from migrate.keys.revoked import read_revoked
from planner.errors import BadInput, NotFound, SiteRefused

SENDER = Holder("p1", "dc 1/ü\u202e", Role.SENDER, ("crm/a", "erp"))


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    authority.create(tmp_path / "keys", "p1")
    return tmp_path / "keys"


def test_a_bundle_says_whose_it_is_and_is_private(keys: Path, tmp_path: Path) -> None:
    given = authority.issue(keys, SENDER, 30, tmp_path / "b.pem")
    found = read_bundle(tmp_path / "b.pem")
    assert (found.holder, found.serial) == (SENDER, given.serial)
    assert "PRIVATE" not in repr(found)
    for path in (tmp_path / "b.pem", keys / "authority.pem", *(keys / "issued").iterdir()):
        assert path.stat().st_mode & 0o777 == 0o600
    assert keys.stat().st_mode & 0o777 == 0o700
    assert all(b"PRIVATE" not in path.read_bytes() for path in (keys / "issued").iterdir())


def test_nothing_is_overwritten(keys: Path, tmp_path: Path) -> None:
    before = (keys / "authority.pem").read_bytes()
    with pytest.raises(BadInput, match="exists already"):
        authority.create(keys, "p1")
    (tmp_path / "b.pem").write_bytes(b"mine")
    with pytest.raises(BadInput, match="exists already"):
        authority.issue(keys, SENDER, 30, tmp_path / "b.pem")
    assert (tmp_path / "b.pem").read_bytes() == b"mine"
    assert (keys / "authority.pem").read_bytes() == before
    assert authority.issued(keys) == []


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_keys_that_others_can_read_are_refused(keys: Path, tmp_path: Path, mode: int) -> None:
    authority.issue(keys, SENDER, 30, tmp_path / "b.pem")
    (tmp_path / "b.pem").chmod(mode)
    with pytest.raises(BadInput, match="not private"):
        read_bundle(tmp_path / "b.pem")
    (keys / "authority.pem").chmod(mode)
    with pytest.raises(BadInput, match="not private"):
        authority.issue(keys, SENDER, 30, tmp_path / "c.pem")
    assert not (tmp_path / "c.pem").exists()


def test_links_garbage_and_mixed_bundles_are_refused_without_quoting_them(keys: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "1.pem", tmp_path / "2.pem"
    authority.issue(keys, SENDER, 30, one)
    authority.issue(keys, SENDER, 30, two)
    (tmp_path / "link").symlink_to(one)
    key = one.read_text("ascii").partition("-----BEGIN CERT")[0]
    rest = two.read_text("ascii").removeprefix(two.read_text("ascii").partition("-----BEGIN CERT")[0])
    for name, text in {"mixed": key + rest, "cut": key, "junk": "x" * 100_000, "none": ""}.items():
        (tmp_path / name).write_text(text, "ascii")
        (tmp_path / name).chmod(0o600)
    for name in ("link", "mixed", "cut", "junk", "none"):
        with pytest.raises(BadInput) as refused:
            read_bundle(tmp_path / name)
        assert key.splitlines()[1] not in str(refused.value) + repr(refused.value.__context__)
    with pytest.raises(NotFound):
        read_bundle(tmp_path / "absent")


def test_a_bundle_ends(keys: Path, tmp_path: Path) -> None:
    authority.issue(keys, SENDER, 1, tmp_path / "b.pem")
    now = datetime.now(UTC)
    read_bundle(tmp_path / "b.pem", now + timedelta(hours=23))
    for at in (now + timedelta(hours=25), now - timedelta(hours=1)):
        with pytest.raises(BadInput, match="valid from"):
            read_bundle(tmp_path / "b.pem", at)


def test_revoked_is_kept_and_only_our_list_counts(keys: Path, tmp_path: Path) -> None:
    one, two = (authority.issue(keys, SENDER, 30, tmp_path / f"{n}.pem") for n in (1, 2))
    authority.revoke(keys, one.serial)
    assert [item.serial for item in authority.issued(keys) if item.revoked_at] == [one.serial]
    authority.revoke(keys, two.serial.lower())
    root = read_bundle(tmp_path / "1.pem").authority
    assert set(read_revoked(keys / "revoked.pem", root).at) == {one.serial, two.serial}
    with pytest.raises(BadInput, match="already"):
        authority.revoke(keys, one.serial)
    with pytest.raises(NotFound):
        authority.revoke(keys, "BEEF")
    authority.create(tmp_path / "other", "p1")
    stranger = authority.issue(tmp_path / "other", SENDER, 30, tmp_path / "3.pem")
    authority.revoke(tmp_path / "other", stranger.serial)
    with pytest.raises(BadInput, match="not signed by this project"):
        read_revoked(tmp_path / "other" / "revoked.pem", root)
    (keys / "revoked.pem").write_bytes(b"")
    with pytest.raises(BadInput):
        read_revoked(keys / "revoked.pem", root)


def test_who_a_peer_has_to_be() -> None:
    must_be(SENDER, project="p1", role=Role.SENDER)
    must_be(SENDER, project="p1", role=Role.SENDER, site=SENDER.site)
    for project, role, site in (
        ("p2", Role.SENDER, None),
        ("p1", Role.RECEIVER, None),
        ("p1", Role.SENDER, "dc2"),
    ):
        with pytest.raises(SiteRefused) as refused:
            must_be(SENDER, project=project, role=role, site=site)
        assert "\u202e" not in refused.value.message


@pytest.mark.parametrize(
    "uris",
    [
        (),
        ("wherry://p1/site/a/role/admin",),
        ("wherry://p1/site/a/role/sender", "wherry://p1/site/b/role/sender"),
        ("wherry://p1/site/a/role/sender", "wherry://p2/group/g"),
        ("wherry://p1/site/a/role/sender", "wherry://p1/volumes/g"),
        ("wherry://p1/site/a/role/sender/x",),
    ],
)
def test_names_that_are_not_understood_are_refused(uris: tuple[str, ...]) -> None:
    with pytest.raises(BadInput):
        holder_of(uris)


def test_names_come_back_as_they_were() -> None:
    assert holder_of(SENDER.uris()) == SENDER
