"""``wherry log --all``: what 8 Journal shows, on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.gates import words
from migrate.gates.words import Verdict
from tests.migrate.gates.standing import Standing, planned, stored
from tests.tui.cli.command import Wherry, refused


@pytest.fixture
def ran(tmp_path: Path) -> Iterator[Standing]:
    with stored(tmp_path / "move", planned()) as run:
        run.go_to("go")
        words.say(run.project, run.run, "go", Verdict.HOLD, reason="[red]\x1b[2Jbackup")
        yield run


def test_all_that_is_on_record_is_filtered_and_printed(ran: Standing) -> None:
    cli = Wherry(ran.project.root)
    acts = cli.done("log", "--all", "--json").document["acts"]
    lines = cli.done("log", "--json").document["lines"]
    assert len(acts) == len(ran.history.entries) + len(lines)
    assert (acts[-1]["act"], acts[-1]["kind"]) == ("hold", "gate")
    done = cli.done("log", "--all", "--filter", "act:done wave:W01", "--json").document["acts"]
    assert len(done) == len(ran.history.entries) // 2
    assert "gate hold go: W01: go for cutover" in cli.done("log", "--all", "--filter", "kind:gate").out
    assert cli.done("log", "--all", "--since", "2999-01-01", "--json").document["acts"] == []


def test_what_cannot_be_asked_is_refused(ran: Standing) -> None:
    cli = Wherry(ran.project.root)
    refused(cli("log", "--filter", "kind:gate"), 2, "add --all")
    refused(cli("log", "--all", "--verify"), 2, "leave out --all")
    refused(cli("log", "--all", "--filter", "nonsense:1"), 2, "nonsense")
