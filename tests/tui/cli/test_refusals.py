"""What a live verb refuses before it touches anything: no word, no approval, no site, another run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui.cli.command import Wherry, files, refused

_HOLDER = """
import sys
from pathlib import Path
from migrate.run.store import held
from planner.store.project import Project
with Project.open(Path(sys.argv[1])) as project, held(project, sys.argv[2]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def held(planned: Wherry) -> Iterator[Wherry]:
    """Return a project whose W01 is held by another process."""
    planned.done("plan", "approve")
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(planned.root), "W01"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    yield planned
    holder.communicate()
    assert holder.returncode == 0


@pytest.mark.parametrize("verb", ["replicate", "cutover", "commit", "rollback", "abort"])
def test_live_needs_the_wave_typed(planned: Wherry, verb: str) -> None:
    before = planned.stored()
    refused(planned(verb, "W01", "--live"), 2, "was not confirmed", "--confirm W01")
    refused(planned(verb, "W01", "--live", "--confirm", "W02"), 2, "'W02' is not the wave's name", "W01")
    refused(planned(verb, "W01", "--live", "--confirm", "w01"), 2, "'w01' is not the wave's name")
    assert planned.stored() == before


@pytest.mark.parametrize("verb", ["replicate", "cutover"])
def test_unapproved(planned: Wherry, verb: str) -> None:
    before = planned.stored()
    refused(planned.live(verb, "W01"), 3, "W01 is not approved", "wherry plan approve W01")
    assert planned.stored() == before


@pytest.mark.parametrize("verb", ["commit", "rollback", "abort"])
def test_nothing_under_way(planned: Wherry, verb: str) -> None:
    planned.done("plan", "approve")
    before = planned.stored()
    for ran in (planned(verb, "W01"), planned.live(verb, "W01")):
        refused(ran, 3, "W01 has no run under way")
    assert planned.stored() == before


def test_another_process_runs_the_wave(held: Wherry) -> None:
    before = held.stored()
    for verb in ("replicate", "rollback"):
        refused(held.live(verb, "W01"), 5, "W01 is being run by another process", "wherry status --watch")
    assert held.stored() == before
    assert held("status", "--json").document["running"] == ["W01"]
    refused(held.live("replicate", "W02"), 2, "no source site")  # the other wave is free


@pytest.mark.parametrize(
    ("source", "target", "code", "said"),
    [
        ("", "", 2, "the project has no source site"),
        ("simulated:", "lab:dc2", 3, "is simulated and holds no VMs to move"),
        ("vcenter://admin@vc.example.test", "lab:dc2", 3, "no login is kept of site source"),
        ("lab:dc1", "lab:dc2", 2, "is not a lab site"),
    ],
)
def test_sites(planned: Wherry, source: str, target: str, code: int, said: str) -> None:
    planned.done("plan", "approve")
    for name, url in (("source", source), ("target", target)):
        if url:
            planned.done("site", "add", name, url, "--role", name)
    stored, before = planned.stored(), files(planned.root)
    refused(planned.live("replicate", "W01"), code, said)
    assert planned.stored() == stored, "a run began although no site was there"
    assert all("/run" in path or path.endswith(("-wal", "-shm")) for path in files(planned.root) - before)
    assert planned.state("W01")["state"] == "approved"


def test_a_site_whose_process_cannot_start(planned: Wherry, tmp_path: Path) -> None:
    planned.done("plan", "approve")
    planned.done("lab", "build")
    planned.done("lab", "stop")
    state = planned.root / "lab" / "dc2" / "state"
    state.rename(tmp_path / "aside")
    state.write_text("in the way", "utf-8")
    before = planned.stored()
    try:
        refused(planned.live("replicate", "W01"), 6, "did not start", "lab.log")
        assert planned.stored() == before
        state.unlink()
        (tmp_path / "aside").rename(state)
        planned.done("lab", "start")
        assert planned.live("replicate", "W01").code == 0, "the same command works when the site is back"
    finally:
        planned("lab", "stop")


def test_lab_on_a_folder_that_holds_something(planned: Wherry) -> None:
    (planned.root / "lab" / "dc1").mkdir(parents=True)
    (planned.root / "lab" / "dc1" / "mine").touch()
    before = planned.stored()
    refused(planned("lab", "build"), 2, "is not empty")
    assert planned.stored() == before
    assert (planned.root / "lab" / "dc1" / "mine").exists()
