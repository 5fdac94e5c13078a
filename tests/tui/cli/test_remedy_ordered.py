"""wherry remedy as an order: the engine does it, the verb follows; levers of a run know remedies too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate.engine.presence import halt, running
from migrate.run import orders
from migrate.run import store as runs
from migrate.run.remedy_orders import Wished
from migrate.run.store import RunKind
from tests.faults.killlab import WAVE
from tests.faults.labrun import Lab, kill_at
from tests.faults.remedylab import apply, make_template, undo
from tests.tui.cli.command import Wherry, refused


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_template(tmp_path_factory.mktemp("ordered") / "template")


@pytest.fixture
def lab(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    """Give a lab whose verbs order what they do from an engine."""
    monkeypatch.delenv("WHERRY_IN_PROCESS")
    with Lab.copy(template, tmp_path / "lab") as lab:
        yield lab
        with lab.project() as project:
            halt(project.run_dir)


def test_the_engine_does_it_and_the_verb_tells(lab: Lab) -> None:
    cli = Wherry(lab.root)
    ran = cli.live("remedy", WAVE, "--with-outage", "--json")
    assert ran.code == 4, ran.text
    assert ran.document["state"] == "9 of 10 remedies are done", "one guest does not listen"
    assert "1 drive disconnected" in ran.err
    with lab.project() as project:
        assert running(project.run_dir) is not None
        run = runs.latest(project, WAVE, RunKind.REMEDY)
        assert run is not None
        assert ran.document["runs"] == [run.id]
    back = cli.live("remedy", WAVE, "--undo", "--with-outage")
    assert back.code == 0, back.text
    assert back.out.startswith(f"{WAVE}: its remedies are taken back\n")


def test_with_nothing_to_do_nothing_is_ordered(lab: Lab) -> None:
    lab.drive(apply)
    ran = Wherry(lab.root).live("remedy", WAVE)
    assert "nothing is left for wherry to do itself" in ran.out
    refused(Wherry(lab.root).live("remedy", WAVE, "--undo"), 3, "needs an outage")
    with lab.project() as project:
        assert orders.waiting(project) == []
        assert running(project.run_dir) is None


def test_another_wish_than_the_one_under_way_is_refused(lab: Lab) -> None:
    cli = Wherry(lab.root)
    with lab.project() as project:
        wish = Wished(only="enable-cbt")
        orders.place(project, WAVE, wish.purpose, {**wish.options, "uid": 0}, "ann")
    for arguments in (("--with-outage",), (), ("--only", "disk-mode", "--with-outage")):
        refused(cli.live("remedy", WAVE, *arguments), 5, f"at work on {WAVE}: remedy, ordered by ann")
    same = cli.live("remedy", WAVE, "--only", "enable-cbt")
    assert same.code == 0, same.text
    assert f"{WAVE} is under way already, ordered by ann" in same.err
    assert "3 remedies are done" in same.out


def test_levers_know_remedies_that_are_half_done(lab: Lab) -> None:
    assert lab.drive(apply, kill_at("v0/disconnect-media after act")).killed
    cli = Wherry(lab.root)
    rows = cli.done("run", "show", WAVE, "--json").document
    assert rows[0]["id"] == "v0/disconnect-media"
    refused(cli("run", "resume", WAVE), 3, "are its remedies", f"wherry remedy {WAVE} --live")
    refused(cli("run", "retry", WAVE), 3, "no step of W01 failed")
    refused(cli("pause", WAVE), 3, "no process drives")
    lab.drive(undo)
    refused(cli("run", "show", WAVE), 3, "no run under way")
