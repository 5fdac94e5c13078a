"""The estate with hostile names goes all the way: no name acts on a terminal, a workbook or a path."""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.cli.command import Ran, Wherry, files, wherry

_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

COMMANDS = [
    ("discover", "hostile-names"),
    ("inventory",),
    ("check",),
    ("deps",),
    ("deps", "'); DROP TABLE vm;--"),
    ("plan",),
    ("plan", "show"),
    ("plan", "show", "W01"),
    ("plan", "approve"),
    ("lab", "build"),
    ("lab", "status"),
    ("replicate", "W01"),
    ("replicate", "W01", "--live", "--confirm", "W01"),
    ("verify", "W01"),
    ("rehearse", "W01", "--runs", "2"),
    ("cutover", "W01", "--live", "--confirm", "W01"),
    ("status",),
    ("commit", "W01", "--live", "--confirm", "W01"),
    ("lab", "status"),
    ("export", "xlsx", "markdown", "json", "csv"),
    ("log",),
    ("log", "--verify"),
    ("doctor",),
]


@pytest.fixture(scope="module")
def moved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Wherry, dict[tuple[str, ...], Ran]]]:
    """Move the whole estate from a directory that must stay as it is; keep what each command said."""
    base = tmp_path_factory.mktemp("hostile")
    cli = Wherry(base / "move")
    here = Path.cwd()
    os.chdir(base)
    try:
        assert wherry("init", str(cli.root)).code == 0
        settings = base / "settings.toml"
        settings.write_text("[policies]\ndelta_cycles = 1\n", "utf-8")
        cli.done("settings", "import", str(settings))
        yield cli, {command: cli(*command) for command in COMMANDS}
    finally:
        os.chdir(here)
        if (cli.root / "lab").is_dir():
            assert cli("lab", "stop").code == 0


Moved = tuple[Wherry, dict[tuple[str, ...], Ran]]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command[:2]))
def test_every_command_works_and_prints_nothing_that_acts(moved: Moved, command: tuple[str, ...]) -> None:
    ran = moved[1][command]
    assert ran.code == 0, ran.text
    assert not _CONTROL.search(ran.text)


def test_names_can_still_be_recognised(moved: Moved) -> None:
    listed = moved[1]["inventory",].out
    for shown in ("[bold red]x[/]", "../../etc/passwd", "␛[31mred<U+009B>1m", "invoice<U+202E>gpj.exe", "␊"):
        assert shown in listed


def test_names_stay_what_they_were_in_the_store(moved: Moved) -> None:
    names = {vm["name"] for vm in moved[0].done("inventory", "--json").document}
    assert "line one\nline two\r\ttabbed" in names
    assert "'); DROP TABLE vm;--" in names
    assert len(moved[0].done("inventory", "--json").document) == 13


def test_nothing_was_made_outside_the_project(moved: Moved) -> None:
    base = moved[0].root.parent
    assert {path.name for path in base.iterdir()} == {"move", "settings.toml"}
    plain = re.compile(r"[A-Za-z0-9._-]+")
    for path in files(moved[0].root):
        assert plain.fullmatch(Path(path).name), path


def test_no_cell_of_a_workbook_is_a_formula_or_a_link(moved: Moved) -> None:
    books = list((moved[0].root / "exports").glob("*.xlsx"))
    assert len(books) == 2
    for path in books:
        with zipfile.ZipFile(path) as book:
            for name in book.namelist():
                if name.startswith("xl/worksheets/"):
                    sheet = book.read(name)
                    assert b"<f>" not in sheet
                    assert b"<f " not in sheet
                    assert b"hyperlink" not in sheet.lower()


def test_papers_hold_no_control_character(moved: Moved) -> None:
    papers = [path for path in (moved[0].root / "exports").iterdir() if path.suffix in (".md", ".csv")]
    assert len(papers) == 7
    for path in papers:
        assert not _CONTROL.search(path.read_text("utf-8").replace("\r\n", "\n")), path


def test_every_disk_arrived(moved: Moved) -> None:
    report = json.loads((moved[0].root / "exports" / "report-W01.json").read_text("utf-8"))
    assert report["state"] == "committed"
    assert len(report["disks"]) == 14
    assert all(disk["equal"] for disk in report["disks"])
