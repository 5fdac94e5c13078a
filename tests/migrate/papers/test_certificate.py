"""Certificates: one form, one signature, and nothing in them or around them may change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrate.disks.flat import FlatDisk
from migrate.keys import authority
from migrate.keys.names import Holder, Role
from migrate.papers import certificate
from migrate.papers.certificate import Signer, check_certificate, keep
from migrate.papers.identities import certified, must_be_of, recorded
from migrate.replication.comparing import Likeness
from migrate.replication.coverage import Coverage, full, part, quick
from migrate.replication.hashing import hash_disk
from migrate.replication.trees import NODE, DiskTree, Root, SampleRoot
from migrate.replication.zeros import GRAIN
from planner.errors import BadInput, Corrupt, WherryError
from planner.identity import Excluded, Identity
from planner.units import MIB
from tests.tui.cli.command import wherry

SENDER = Holder("p1", "dc1", Role.SENDER, ("crm/ü",))
PEER = Holder("p1", "dc2\u202e", Role.RECEIVER)
SIZE = NODE + 3 * GRAIN + 512


@pytest.fixture
def place(tmp_path: Path) -> Path:
    authority.create(tmp_path / "keys", "p1")
    authority.issue(tmp_path / "keys", SENDER, 30, tmp_path / "dc1.pem")
    with (tmp_path / "disk.img").open("wb") as file:
        file.truncate(SIZE)
        file.write(b"data" * 70_000)
        file.seek(SIZE - 100)
        file.write(b"end")
    return tmp_path


def found(place: Path, coverage: Coverage) -> Likeness:
    """Return what a comparison of two such disks finds."""
    tree = DiskTree(FlatDisk(place / "disk.img"), SIZE)
    if coverage.grains:
        sample = SampleRoot(SIZE)
        for grain in coverage.grains:
            sample.add(grain, tree.grains(grain * GRAIN, min(GRAIN, SIZE - grain * GRAIN)))
        digest = sample.hexdigest()
    else:
        root = Root(coverage.area)
        for at in range(coverage.area.offset, coverage.area.end, NODE):
            root.add(tree.node(at))
        digest = root.hexdigest()
    return Likeness(coverage, digest, digest, (), True, True)


def coverages() -> list[Coverage]:
    return [full(SIZE), part(SIZE, 2, 2), quick(SIZE, [(0, MIB), (NODE, SIZE)], "seed", 9)]


def made(place: Path, coverage: Coverage | None = None) -> Identity:
    signer = Signer(place / "dc1.pem")
    return certified(found(place, coverage or full(SIZE)), "db\x1b[2J", signer, PEER, "3F", 64)


def kept(place: Path, identity: Identity) -> Path:
    file = place / f"{len(list(place.glob('*.json')))}.json"
    keep(identity, file)
    return file


def test_an_auditor_can_check_it_with_and_without_the_authority(place: Path) -> None:
    identity = made(place)
    file = kept(place, identity)
    checked = check_certificate(file)
    assert checked.identity == identity
    assert (checked.signer, checked.authority_given) == ("the sender of site dc1, project p1", False)
    given = check_certificate(file, place / "dc1.pem")
    assert given.authority_given
    assert given.fingerprint == checked.fingerprint
    with pytest.raises(BadInput, match="exists already"):
        keep(identity, file)
    assert (identity.source.names, identity.target.names) == (SENDER.uris(), PEER.uris())
    assert (identity.project, identity.size_bytes, identity.repaired_bytes) == ("p1", SIZE, 64)
    assert b"PRIVATE" not in file.read_bytes()
    shown = wherry("verify", "--check", str(file), "--authority", str(place / "dc1.pem"))
    assert (shown.code, "db\u241b[2J" in shown.out, "dc2<U+202E>" in shown.out) == (0, True, True)
    assert "\x1b" not in shown.text


def test_any_changed_byte_of_the_file_is_refused(place: Path) -> None:
    file = kept(place, made(place))
    text = file.read_bytes()
    for at in range(0, len(text), 5):
        for other in (text[at] ^ 1, text[at] ^ 0x20):
            file.write_bytes(text[:at] + bytes([other]) + text[at + 1 :])
            with pytest.raises((BadInput, Corrupt)):
                check_certificate(file)
    for other_text in (text + b"\n", text[:-1], json.dumps(json.loads(text)).encode(), b"", b"[]", b"\xff"):
        file.write_bytes(other_text)
        with pytest.raises(BadInput):
            check_certificate(file)


def test_the_other_form_of_a_signature_is_refused(place: Path) -> None:
    identity = made(place)
    order = certificate._ORDER
    s = order - int(identity.signature[64:], 16)
    twin = identity.model_copy(update={"signature": f"{identity.signature[:64]}{s:064x}"})
    with pytest.raises(Corrupt, match="changed after it was signed"):
        check_certificate(kept(place, twin))


def test_only_the_source_of_the_project_may_sign(place: Path) -> None:
    authority.issue(place / "keys", replace(SENDER, site="dc9"), 30, place / "dc9.pem")
    authority.issue(place / "keys", replace(SENDER, role=Role.RECEIVER), 30, place / "r.pem")
    authority.create(place / "theirs", "p1")
    authority.issue(place / "theirs", SENDER, 30, place / "theirs.pem")
    honest = made(place)

    def forged(keys: str, **changed: object) -> Path:
        signer = Signer(place / keys)
        pems = {
            "signer": certificate.pem(signer.certificate),
            "authority": certificate.pem(signer.authority),
        }
        return kept(place, signer.sign(honest.model_copy(update={**pems, **changed})))

    with pytest.raises(Corrupt, match="which it is not about"):
        check_certificate(forged("dc9.pem"))
    with pytest.raises(Corrupt, match="which it is not about"):
        check_certificate(forged("dc1.pem", project="p2"))
    with pytest.raises(Corrupt, match="not valid then"):
        check_certificate(forged("dc1.pem", at="2020-01-01T00:00:00+00:00"))
    with pytest.raises(Corrupt, match="contradicts itself"):
        check_certificate(forged("dc1.pem", target=honest.target.model_copy(update={"digest": "0" * 64})))
    with pytest.raises(Corrupt, match="contradicts itself"):
        check_certificate(forged("dc1.pem", length=SIZE - 1))
    with pytest.raises(Corrupt, match="of another project"):
        check_certificate(forged("keys/authority.pem", project="p2"))
    with pytest.raises(BadInput, match="keys are those of the receiver"):
        Signer(place / "r.pem")
    stranger = forged("theirs.pem")
    assert not check_certificate(stranger).authority_given
    with pytest.raises(Corrupt, match="another authority"):
        check_certificate(stranger, place / "dc1.pem")
    mixed = honest.model_copy(update={"authority": certificate.pem(Signer(place / "theirs.pem").authority)})
    with pytest.raises(Corrupt, match="does not vouch"):
        check_certificate(kept(place, Signer(place / "dc1.pem").sign(mixed)))


def test_revoked_keys_sign_nothing(place: Path) -> None:
    identity = made(place)
    file = kept(place, identity)
    gone = authority.issue(place / "keys", SENDER, 30, place / "gone.pem")
    authority.revoke(place / "keys", gone.serial)
    assert check_certificate(file, revoked=place / "keys" / "revoked.pem").identity == identity
    authority.revoke(place / "keys", identity.source.serial)
    with pytest.raises(Corrupt, match="were revoked"):
        check_certificate(file, revoked=place / "keys" / "revoked.pem")


@pytest.mark.parametrize("number", range(3), ids=["full", "part", "quick"])
def test_the_disk_is_read_again_and_any_byte_of_it_counts(place: Path, number: int) -> None:
    coverage = coverages()[number]
    identity = made(place, coverage)
    check_certificate(kept(place, identity))
    disk = place / "disk.img"
    must_be_of(identity, FlatDisk(disk), lambda _done, _total: None)
    places = [grain * GRAIN for grain in coverage.grains] or [coverage.area.offset, SIZE - 1]
    for at in places:
        before = disk.read_bytes()
        disk.write_bytes(before[:at] + bytes([before[at] ^ 0x80]) + before[at + 1 :])
        with pytest.raises(Corrupt, match="does not hold what the certificate says"):
            must_be_of(identity, FlatDisk(disk), lambda _done, _total: None)
        disk.write_bytes(before)
    disk.write_bytes(before + b"more")
    with pytest.raises(Corrupt, match="behind what the certificate is of"):
        must_be_of(identity, FlatDisk(disk), lambda _done, _total: None)
    disk.write_bytes(before[:-1])
    with pytest.raises(Corrupt, match="is of one with"):
        must_be_of(identity, FlatDisk(disk), lambda _done, _total: None)


def test_a_record_is_certified_by_the_authority_itself(place: Path) -> None:
    digest = hash_disk(FlatDisk(place / "disk.img")).digest
    signer = Signer(place / "keys" / "authority.pem")
    identity = recorded("p1", "v", SIZE, ("old", "new"), (digest, digest), signer)
    checked = check_certificate(kept(place, identity), place / "keys" / "authority.pem")
    assert checked.signer == "the authority of project p1"
    must_be_of(identity, FlatDisk(place / "disk.img"), lambda _done, _total: None)
    with pytest.raises(Corrupt, match="differs from its record"):
        recorded("p1", "v", SIZE, ("old", "new"), (digest, "0" * 64), signer)


def test_what_differs_is_never_certified(place: Path) -> None:
    same = found(place, full(SIZE))
    for wrong in (
        replace(same, there="0" * 64),
        replace(same, differing=(full(SIZE).area,)),
        replace(same, tail_zero=False),
    ):
        with pytest.raises(WherryError, match="no proof of identity"):
            certified(wrong, "v", Signer(place / "dc1.pem"), PEER, "3F", 0)


def left_out(place: Path, how: str, **more: Any) -> Identity:
    """Return the signed paper of a disk that is sent once or never."""
    digest = hash_disk(FlatDisk(place / "disk.img")).digest if how == "once" else ""
    said = {
        "send": how,
        "why": "swap\u202e",
        "who": "ada",
        "seeded_at": "2026-11-01T00:00:00Z" if digest else "",
    }
    excluded = Excluded.model_validate({**said, **more})
    signer = Signer(place / "keys" / "authority.pem")
    return recorded("p1", "v", SIZE, ("old", "new"), (digest, digest), signer, excluded)


@pytest.mark.parametrize("how", ["once", "never"])
def test_a_disk_that_is_left_out_has_a_paper_that_never_calls_it_equal(place: Path, how: str) -> None:
    identity = left_out(place, how)
    assert identity.schema_ == "wherry.identity/2", "a reader that knows nothing of it refuses it"
    file = kept(place, identity)
    shown = wherry("verify", "--check", str(file), "--authority", str(place / "keys" / "authority.pem"))
    assert shown.code == 0, shown.text
    assert "left out by decision, by ada: swap<U+202E>" in shown.out
    assert "does not say that both sides are alike" in shown.err
    assert "equal" not in shown.text
    assert "identical" not in shown.text
    assert ("what the source wrote since stays there" in shown.out) is (how == "once")
    with_disk = wherry("verify", "--check", str(file), "--disk", str(place / "disk.img"))
    assert with_disk.code == (0 if how == "once" else 3), with_disk.text
    (place / "disk.img").write_bytes(bytes(SIZE))
    assert wherry("verify", "--check", str(file), "--disk", str(place / "disk.img")).code in (1, 3)


@pytest.mark.parametrize(
    ("how", "more"),
    [
        ("never", {"schema_": "wherry.identity/1"}),
        ("never", {"excluded": None}),
        ("never", {"method": "record"}),
        ("never", {"looked_bytes": SIZE}),
        ("never", {"escape_chance": 0.0}),
        ("once", {"schema_": "wherry.identity/1"}),
        ("once", {"excluded": None}),
        ("once", {"method": "full"}),
        ("once", {"excluded": {"send": "never"}}),
        ("once", {"excluded": {"seeded_at": ""}}),
        ("never", {"excluded": {"send": "once", "seeded_at": "2026-11-01T00:00:00Z"}}),
    ],
)
def test_a_paper_that_leaves_out_more_or_less_than_it_says_is_refused(
    place: Path, how: str, more: dict[str, Any]
) -> None:
    identity = left_out(place, how)
    assert identity.excluded is not None
    if more.get("excluded"):
        more = {"excluded": identity.excluded.model_copy(update=more["excluded"])}
    forged = Signer(place / "keys" / "authority.pem").sign(identity.model_copy(update=more))
    with pytest.raises(Corrupt, match="contradicts itself"):
        check_certificate(kept(place, forged))


def test_an_equal_disk_needs_its_digests(place: Path) -> None:
    identity = made(place)
    bare = {side: getattr(identity, side).model_copy(update={"digest": ""}) for side in ("source", "target")}
    forged = Signer(place / "dc1.pem").sign(identity.model_copy(update=bare))
    with pytest.raises(Corrupt, match="contradicts itself"):
        check_certificate(kept(place, forged))
