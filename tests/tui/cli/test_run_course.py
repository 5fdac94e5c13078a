"""wherry run course: what the page of a group tells of its past, for readers and scripts."""

from __future__ import annotations

from pathlib import Path

from migrate.run.history import Event
from migrate.run.runbook import COMMIT, GO
from tests.migrate.gates.standing import planned, stored
from tests.tui.cli.command import Wherry


def test_it_tells_what_the_runs_did_and_where_the_group_runs(tmp_path: Path) -> None:
    root = tmp_path / "move"
    with stored(root, planned()) as run:
        group = f"{run.wave.name}/{run.wave.groups[0].name}"
        run.go_to(GO)
        run.append(GO, Event.APPROVED, who="[red]\x1b[2Jada")
        run.go_to(COMMIT)
    said = Wherry(root)("run", "course", group)
    assert said.code == 0
    assert "told to stop" in said.out
    assert "at the target since" in said.out
    assert "\x1b" not in said.out
    document = Wherry(root)("run", "course", group, "--json").document
    assert [one["where"] for one in document["stays"]] == ["source", "down", "target"]
    assert {one["phase"] for one in document["stretches"]} >= {"seed", "cutover"}
    assert document["happened"][0]["what"] == "run 1 begins"


def test_a_group_that_there_is_not_is_said(tmp_path: Path) -> None:
    root = tmp_path / "move"
    with stored(root, planned()) as run:
        name = run.wave.name
    assert Wherry(root)("run", "course", f"{name}/nobody").code == 2
