"""Bad input: one sentence, one hint, the documented exit code, and a project that is as it was."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from tests.planner.sources.workbooks import DISK, disk, plain, write
from tests.tui.cli.command import Wherry, files, refused, wherry
from tests.tui.cli.estate import document


def _missing(path: Path) -> None:
    pass


def _empty(path: Path) -> None:
    path.touch()


def _truncated(path: Path) -> None:
    whole = plain(path).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])


def _protected(path: Path) -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 504
    path.write_bytes(ole + "EncryptedPackage".encode("utf-16-le").ljust(512, b"\0"))


def _of_another_tool(path: Path) -> None:
    write(path, {"Budget": [["Item", "Sum"], ["tea", 3]]})


def _without_vinfo(path: Path) -> None:
    write(path, {"vDisk": [DISK, disk("a", 1)]})


def _zip(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")


WORKBOOKS = {
    "missing": (_missing, "does not exist"),
    "empty": (_empty, "is empty"),
    "truncated": (_truncated, "damaged or cut off"),
    "password-protected": (_protected, "password"),
    "not of RVTools": (_of_another_tool, "not an RVTools workbook"),
    "no vInfo": (_without_vinfo, "vInfo"),
    "a zip": (_zip, "no workbook"),
}


@pytest.mark.parametrize("case", WORKBOOKS)
def test_workbook(planned: Wherry, tmp_path: Path, case: str) -> None:
    make, said = WORKBOOKS[case]
    book = tmp_path / "estate.xlsx"
    make(book)
    _unchanged(planned, ("discover", str(book)), said)


DOCUMENTS = {
    "empty": ("", "inventory"),
    "no JSON": ("{", "JSON"),
    "another schema": (json.dumps(document(schema="other/1")), "schema"),
    "duplicate ids": (json.dumps({**document(), "vms": document()["vms"][:1] * 2}), "vm-1"),
    "a wrong type": (json.dumps({**document(), "vms": [{**document()["vms"][0], "cpus": "many"}]}), "cpus"),
    "an unknown end": (
        json.dumps(document(dependencies=[{"source": "x", "target": "y", "tie": "hard", "reason": ""}])),
        "x",
    ),
    "deep": ("[" * 100_000, "nested deeper"),
}


@pytest.mark.parametrize("case", DOCUMENTS)
def test_document(planned: Wherry, tmp_path: Path, case: str) -> None:
    text, said = DOCUMENTS[case]
    path = tmp_path / "estate.json"
    path.write_text(text, "utf-8")
    _unchanged(planned, ("discover", str(path)), said)


SETTINGS = {
    "no TOML": ("[caps", "not valid TOML"),
    "unknown name": ("[caps]\nvmz = 3\n", "caps.vmz"),
    "unknown section": ("[capz]\nvms = 3\n", "capz"),
    "wrong type": ('[caps]\nvms = "many"\n', "caps.vms"),
    "out of range": ("[link]\nshare = 1.5\n", "link.share"),
    "bad zone": ('[[windows]]\nstart = 2027-01-09T20:00:00\nzone = "Mars/Base"\n', "Mars/Base"),
    "freeze backwards": (
        "[[freezes]]\nstart = 2027-02-01T00:00:00\nend = 2027-01-01T00:00:00\n",
        "ends before it starts",
    ),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_file(planned: Wherry, tmp_path: Path, case: str) -> None:
    text, said = SETTINGS[case]
    path = tmp_path / "settings.toml"
    path.write_text(text, "utf-8")
    _unchanged(planned, ("settings", "import", str(path)), said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("settings", "set", "policies.delta_cycle", "1"), "did you mean policies.delta_cycles?"),
        (("settings", "set", "nothing.like.this", "1"), "does not exist"),
        (("settings", "set", "link.rate_mbit", "fast"), "link.rate_mbit"),
        (("settings", "set", "caps.vms", "0"), "caps.vms"),
        (("settings", "import", "/does/not/exist.toml"), "cannot be read"),
        (("settings", "export", "/does/not/exist.toml"), "cannot be written"),
        (("settings", "edit"), "no terminal"),
        (("site", "add", "dc1", "ftp://x", "--role", "source"), "lab:, simulated:, vcenter://"),
        (("site", "add", "dc1", "lab:x", "--role", "middle"), "middle"),
        (("inventory", "disk>>5"), "disk>>5"),
        (("check", "--explain", "nothing"), "nothing"),
        (("deps", "db-9"), "did you mean db-1?"),
        (("plan", "show", "W99"), "W01, W02"),
        (("plan", "approve", "W99"), "W01, W02"),
        (("plan", "import", "/does/not/exist.json"), "cannot be read"),
        (("export", "docx"), "xlsx, markdown, json, csv"),
        (("export", "--to", "/dev/null/x"), "/dev/null"),
        (("log", "--since", "yesterday"), "2027-01-09"),
        (("rehearse", "W99"), "W01, W02"),
        (("rehearse", "W01", "--fault", "gravity"), "power_on"),
        (("rehearse", "W01", "--runs", "0"), "--runs"),
        (("lab", "start"), "lab build"),
        (("lab", "stop"), "lab build"),
        (("lab", "status"), "lab build"),
        (("discover", "lab", "--cap", "much"), "not a size"),
        (("verify", "W99"), "W01, W02"),
        *(((verb, "W99"), "W01, W02") for verb in ("replicate", "cutover", "commit", "rollback", "abort")),
        (("pause", "W99"), "W01, W02"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_argument(planned: Wherry, arguments: tuple[str, ...], said: str) -> None:
    _unchanged(planned, arguments, said)


@pytest.mark.parametrize(
    "arguments",
    [("status",), ("discover", "lab"), ("plan",), ("replicate", "W01", "--live"), ("log",), ("lab", "build")],
    ids=" ".join,
)
def test_no_project(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    refused(wherry(*arguments, "--project", str(tmp_path)), 2, str(tmp_path), "wherry init")
    assert files(tmp_path) == set()


def test_no_inventory_and_no_plan_yet(tmp_path: Path) -> None:
    cli = Wherry(tmp_path / "new")
    assert wherry("init", str(cli.root)).code == 0
    for verb in (("check",), ("inventory",), ("deps",), ("plan",), ("lab", "build")):
        _unchanged(cli, verb, "wherry discover")
    for verb in (
        ("plan", "show"),
        ("plan", "approve"),
        ("export",),
        ("replicate", "W01"),
        ("rehearse", "W01"),
    ):
        _unchanged(cli, verb, "wherry plan")


def test_init_twice(planned: Wherry) -> None:
    before = planned.stored()
    refused(wherry("init", str(planned.root)), 2, str(planned.root), "is a project already")
    assert planned.stored() == before


def test_init_where_nothing_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused(wherry("init", str(tmp_path / "file" / "x")), 2)
    assert files(tmp_path) == {str(tmp_path / "file")}


def test_a_store_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "project.db").write_bytes(b"no database" * 100)
    refused(wherry("status", "--project", str(tmp_path)), 2, "cannot be used as a project")


def test_site_of_a_role_that_is_taken(planned: Wherry) -> None:
    planned.done("site", "add", "dc1", "lab:lab/dc1", "--role", "source")
    _unchanged(
        planned, ("site", "add", "dc9", "lab:lab/dc9", "--role", "source"), "site dc1 is the source already"
    )


def test_error_is_one_document_when_asked_for(planned: Wherry) -> None:
    ran = planned("replicate", "W99", "--json")
    assert ran.code == 2
    assert ran.document["error"] == "not-found"
    assert ran.document["hint"]
    assert ran.err == ""


def _unchanged(cli: Wherry, arguments: tuple[str, ...], said: str) -> None:
    stored, before = cli.stored(), files(cli.root.parent)
    refused(cli(*arguments), 2, said)
    assert cli.stored() == stored
    left = {path for path in files(cli.root.parent) - before if not path.endswith(("-wal", "-shm"))}
    assert left <= {str(cli.root / "run")}, left
