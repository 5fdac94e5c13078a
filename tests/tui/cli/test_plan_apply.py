"""Many edits from a file: all of them and one plan, or none and every line that cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.tui.cli.command import Wherry, refused
from tests.tui.cli.test_plan_edits import homes


@pytest.fixture
def cli(dated: Path, tmp_path: Path) -> Wherry:
    """A project of its own."""
    return Wherry(shutil.copytree(dated, tmp_path / "move"))


def listed(tmp_path: Path, *lines: str) -> str:
    file = tmp_path / "edits.txt"
    file.write_text("\n".join(lines), "utf-8")
    return str(file)


def test_edits_build_on_each_other_and_lead_to_one_plan(cli: Wherry, tmp_path: Path) -> None:
    before = homes(cli)
    file = listed(tmp_path, "# the first of them is full until this", "", "move solo W04", "lock W04")
    cli.done("plan", "approve", before["solo"])
    said = cli.done("plan", "apply", file, "--json").document
    assert [(row["edit"], row["did"]) for row in said["edits"]] == [(1, "move solo to W04"), (2, "lock W04")]
    assert (said["plan"], said["applied"], said["approvals_void"]) == (2, True, [before["solo"]])
    assert homes(cli) == {**before, "solo": "W04"}
    refused(cli("plan", "move", "solo", before["solo"]), 3, "edit 2 (lock W04")
    acts = [row["act"] for row in cli.done("log", "--json").document["lines"]]
    assert [act for act in acts if act in ("plan move", "plan lock")] == ["plan move", "plan lock"]


def test_they_are_taken_back_one_by_one_and_the_plan_comes_back_with_the_last(
    cli: Wherry, tmp_path: Path
) -> None:
    before = homes(cli)
    cli.done("plan", "apply", listed(tmp_path, "move solo W04", "lock W04"))
    first = cli.done("plan", "undo", "--json").document
    assert (first["edit"], first["plan"]) == (2, None)
    assert homes(cli)["solo"] == "W04"
    last = cli.done("plan", "undo", "--json").document
    assert (last["edit"], last["plan"]) == (1, 3)
    assert homes(cli) == before


def test_nothing_is_applied_until_all_can_be_and_every_line_is_named(cli: Wherry, tmp_path: Path) -> None:
    full = homes(cli)["db-1"]
    before = cli.stored()
    lines = ("move solo W04", "fly solo W03", "move nobody W03", "move solo", "lock W09", "lock W04")
    ran = cli("plan", "apply", listed(tmp_path, *lines))
    refused(ran, 2, "line 2: 'fly solo W03' is no edit", "line 3: nobody is no VM", "line 4:", "line 5: wave")
    assert "line 1" not in ran.err
    assert "line 6" not in ran.err
    refused(
        cli("plan", "apply", listed(tmp_path, "lock W01", f"move solo {full}")), 3, "line 2:", "its cap is 2"
    )
    refused(cli("plan", "apply", listed(tmp_path, "move 'solo W03")), 2, "line 1: no closing quotation")
    refused(cli("plan", "apply", listed(tmp_path, "# nothing")), 2, "there is no edit in it")
    refused(cli("plan", "apply", str(tmp_path / "none")), 2, "cannot be read")
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    refused(cli("plan", "apply", str(tmp_path / "bytes")), 2, "not UTF-8")
    assert cli.stored() == before


def test_checking_changes_nothing(cli: Wherry, tmp_path: Path) -> None:
    before = cli.stored()
    said = cli.done("plan", "apply", "--check", listed(tmp_path, "move solo W04", "move x-4 W04")).out
    assert "move solo to W04" in said
    assert "2 edits can be done" in said
    assert cli.stored() == before


def test_hostile_words_are_harmless(cli: Wherry, tmp_path: Path) -> None:
    ran = cli("plan", "apply", listed(tmp_path, "move '\x1b[2J\u202eevil' W01"))
    refused(ran, 2, "line 1:")
    assert "\x1b" not in ran.err
    assert "\u202e" not in ran.err
