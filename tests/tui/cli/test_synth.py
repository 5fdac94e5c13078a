"""wherry synth and wherry anonymise, as typed."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from planner.sources.document import read_document
from tests.planner.anonymise.leaks import content, leaked, secrets_of
from tests.tui.cli.command import refused, wherry

_FILES = {"inventory.json", "flows.csv", "applications.csv", "ground-truth.json"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("made") / "estate"
    ran = wherry("synth", "--vms", "60", "--seed", "3", "--out", str(target))
    assert ran.code == 0, ran.text
    return target


def test_synth_says_what_it_made(tmp_path: Path) -> None:
    target = tmp_path / "new" / "estate"
    ran = wherry("synth", "--vms", "40", "--out", str(target), "--formats", "JSON, csv", "--json")
    assert ran.code == 0, ran.text
    said = ran.document
    assert (said["vms"], said["vcenters"]) == (40, 1)
    assert set(said["files"]) == {item.name for item in target.iterdir()} == {*_FILES, "csv"}


def test_synth_twice_is_the_same_bytes(made: Path, tmp_path: Path) -> None:
    assert wherry("synth", "--vms", "60", "--seed", "3", "--out", str(tmp_path / "again")).code == 0
    assert {item.name for item in made.iterdir()} == _FILES
    for name in _FILES:
        assert (made / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--vms", "3"), "an estate of 3 VMs"),
        (("--vms", "many"), "many"),
        (("--trouble", "-1"), "trouble -1"),
        (("--trouble", "nan"), "trouble nan"),
        (("--formats", "json,pdf"), "'pdf' is none of"),
        (("--formats", ""), "no format"),
    ],
)
def test_synth_refuses(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    refused(wherry("synth", "--out", str(tmp_path / "x"), *arguments), 2, said)
    assert list(tmp_path.iterdir()) == []


def test_synth_and_anonymise_leave_a_full_folder_alone(made: Path) -> None:
    before = {item.name: item.read_bytes() for item in made.iterdir()}
    refused(wherry("synth", "--vms", "40", "--out", str(made)), 2, "not empty")
    refused(wherry("anonymise", str(made / "inventory.json"), "--out", str(made)), 2, "not empty")
    assert {item.name: item.read_bytes() for item in made.iterdir()} == before


def test_anonymise_writes_everything_under_one_key(made: Path, tmp_path: Path) -> None:
    key = tmp_path / "my.key"
    arguments = ("anonymise", str(made / "inventory.json"), "--key", str(key), "--formats", "json,xlsx47,csv")
    sides = ("--flows", str(made / "flows.csv"), "--applications", str(made / "applications.csv"))
    ran = wherry(*arguments, *sides, "--out", str(tmp_path / "a"), "--json")
    assert ran.code == 0, ran.text
    assert ran.document["vms"] == 60
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    names = {item.name for item in (tmp_path / "a").iterdir()}
    assert names == {"inventory.json", "rvtools-4.7.xlsx", "csv", "flows.csv", "applications.csv"}
    assert leaked(secrets_of(read_document(made / "inventory.json")), content(tmp_path / "a")) == set()
    assert wherry(*arguments, *sides, "--out", str(tmp_path / "b")).code == 0
    for name in ("inventory.json", "flows.csv", "applications.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name


def test_anonymise_without_a_key_never_gives_the_same_names(made: Path, tmp_path: Path) -> None:
    bodies = []
    for name in ("a.json", "b.json"):
        ran = wherry("anonymise", str(made / "inventory.json"), "--out", str(tmp_path / name))
        assert ran.code == 0, ran.text
        bodies.append(json.loads((tmp_path / name).read_text("ascii"))["vms"][0]["name"])
    assert bodies[0] != bodies[1]
    assert {item.name for item in tmp_path.iterdir()} == {"a.json", "b.json"}


def test_what_was_masked_can_be_discovered(made: Path, tmp_path: Path) -> None:
    assert wherry("anonymise", str(made), "--out", str(tmp_path / "a")).code == 0
    assert wherry("init", str(tmp_path / "move")).code == 0
    ran = wherry("discover", str(tmp_path / "a"), "--project", str(tmp_path / "move"), "--json")
    assert ran.code == 0, ran.text
    assert ran.document["vms"] == 60


def test_anonymise_refuses(made: Path, tmp_path: Path) -> None:
    source, out = str(made / "inventory.json"), str(tmp_path / "out")
    refused(wherry("anonymise", str(tmp_path / "none"), "--out", out), 2, "does not exist")
    one = str(tmp_path / "one.json")
    refused(wherry("anonymise", source, "--out", one, "--formats", "csv"), 2, "one file")
    refused(
        wherry("anonymise", source, "--out", out, "--flows", str(tmp_path / "no.csv")), 2, "does not exist"
    )
    bad = tmp_path / "bad.key"
    bad.write_text("no key")
    bad.chmod(0o600)
    refused(wherry("anonymise", source, "--out", out, "--key", str(bad)), 2, "holds no key")
    assert {item.name for item in tmp_path.iterdir()} == {"bad.key"}, "something was left behind"
