"""A rehearsal is written down with what it said, and read back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from migrate import audit
from planner.effects import Effect
from planner.errors import BadInput, NotFound
from planner.store.project import Project
from tests.migrate.test_measured import carried, read_day
from tests.tui.cli.command import Wherry
from tui.acts.rehearsing import rehearse, rehearsed


@pytest.fixture
def cli(dated: Path, tmp_path: Path) -> Wherry:
    return Wherry(shutil.copytree(dated, tmp_path / "move"))


def test_what_it_said_is_written_down_and_read_back(cli: Wherry) -> None:
    said = cli.done("rehearse", "W01", "--runs", "5", "--json").document
    cli.done("rehearse", "W02", "--runs", "3", "--fault", "power_on")
    with Project.open(cli.root) as project:
        second, first = rehearsed(project)
        assert audit.broken_at(project) is None
    assert (first.wave, first.runs, first.fault, first.fingerprint) == ("W01", 5, "", said["fingerprint"])
    assert first.cutover == (said["cutover"]["p50"], said["cutover"]["p95"])
    assert first.down == (said["down"]["p50"], said["down"]["p95"])
    assert first.clean is (said["fits"] in (None, 1.0))
    assert (second.wave, second.fault, second.clean) == ("W02", "power_on", False)
    assert second.back is not None
    assert said["course"]["steps"][0]["title"]
    assert len(said["took"]) == 5
    assert json.dumps(said)


def test_one_of_an_older_wherry_says_what_is_not_known(cli: Wherry) -> None:
    with Project.open(cli.root) as project:
        audit.note(project, Effect.DRY_RUN, "rehearse", "W01", {"runs": 9, "seed": 1, "fault": ""})
        (found,) = rehearsed(project)
    assert (found.runs, found.clean, found.cutover, found.fits) == (9, None, None, None)


def test_what_is_wrong_is_written_down_nowhere(cli: Wherry) -> None:
    with Project.open(cli.root) as project:
        with pytest.raises(BadInput):
            rehearse(project, "W01", runs=3, seed=1, fault="gravity")
        with pytest.raises(NotFound):
            rehearse(project, "W77", runs=3, seed=1)
        assert rehearsed(project) == ()


def test_a_rehearsal_runs_at_the_rates_that_runs_measured(cli: Wherry) -> None:
    with Project.open(cli.root) as project:
        carried(project)
        said = rehearse(project, "W01", runs=3, seed=1)
        assert said.measured == (f"W01 of {read_day(project)}",)
        assert json.loads(project.rows("SELECT detail FROM audit ORDER BY seq DESC LIMIT 1")[0]["detail"])[
            "measured"
        ] == list(said.measured)
    told = cli.done("rehearse", "W01", "--runs", "3")
    assert f"rates are as runs measured them ({said.measured[0]})" in told.err
