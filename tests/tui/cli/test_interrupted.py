"""A run that ends in the middle: killed, interrupted, paused, or overtaken by a newer plan."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from migrate.run.execute import Onlooker, Purpose, carry_out
from planner.store.project import Project
from tests.tui.cli.command import Wherry, refused
from tests.tui.cli.estate import document, write

ENTRY = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))["project"][
    "scripts"
]["wherry"]


class Died(BaseException):
    """Stands for the death of the process at a boundary."""


def die_at(cli: Wherry, wave: str, purpose: Purpose, point: str) -> None:
    """Carry a wave on in this process and end it at a boundary, as a crash would."""

    def boundary(here: str) -> None:
        if here == point:
            raise Died

    with Project.open(cli.root) as project, pytest.raises(Died):
        carry_out(project, wave, purpose, Onlooker(boundary=boundary))


@pytest.fixture(scope="module")
def lab(with_lab: Callable[[], Wherry]) -> Wherry:
    cli = with_lab()
    assert cli.live("replicate", "W02").code == 0
    return cli


def _begun(root: Path, step: str) -> bool:
    with Project.open(root) as project:
        return bool(project.rows("SELECT 1 FROM step_record WHERE step = ? AND kind = 'intent'", step))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_signal_ends_the_process_and_the_same_verb_goes_on(
    with_lab: Callable[[], Wherry], number: signal.Signals, code: int
) -> None:
    cli = with_lab()
    arguments = ["replicate", "W02", "--live", "--confirm", "W02", "--project", str(cli.root)]
    child = subprocess.Popen(
        [sys.executable, "-m", "tui.cli.entry", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 120
    while not _begun(cli.root, "g0/d0/create"):
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.001)
    os.kill(child.pid, number)
    _out, err = child.communicate(timeout=120)
    assert child.returncode == code, err
    if code == 130:
        assert "the same verb goes on from there" in err
        assert "Traceback" not in err
    state = cli.state("W02")
    assert state["state"] == "replicating"
    assert "W02 was interrupted while replicating" in cli("status").out
    assert cli.live("replicate", "W02").code == 0
    assert cli.done("verify", "W02").out.count(" equal ") == 2


def test_replicate_never_goes_on_with_an_interrupted_cutover(lab: Wherry) -> None:
    die_at(lab, "W02", Purpose.CUTOVER, "g0/v1/stop before intent")
    before = lab.stored()
    for ran in (lab("replicate", "W02"), lab.live("replicate", "W02")):
        refused(ran, 3, "W02 is in the middle of its cutover", "wherry cutover W02")
    assert lab.stored() == before
    assert "W02 was interrupted while cutting over" in lab("status").out


def test_a_newer_plan_does_not_lose_a_run_under_way(lab: Wherry) -> None:
    vms = [vm for vm in document()["vms"] if vm["name"] == "solo"]
    lab.done("discover", str(write(lab.root / "fewer.json", vms=vms, dependencies=[])))
    lab.done("plan")
    assert len(lab("plan", "show", "--json").document["plan"]["waves"]) == 1
    dry = lab.done("cutover", "W02", "--json").document
    assert any(step["title"] == "db-1: power on at the target" for step in dry["steps"])
    said = lab.done("status").out
    assert "W02" in said
    assert "W02 was interrupted while cutting over" in said


def test_an_interrupted_cutover_goes_on(lab: Wherry) -> None:
    ran = lab("cutover", "w02", "--live", "--confirm", "W02")
    assert ran.code == 0, ran.text
    assert lab.state("W02")["state"] == "before commit"


def test_an_interrupted_commit_goes_on_and_nothing_else_may(lab: Wherry) -> None:
    die_at(lab, "W02", Purpose.COMMIT, "g0/v0/fence after act")
    assert lab.state("W02")["state"] == "committing"
    assert "wherry commit W02 --live goes on" in lab("status").out
    before = lab.stored()
    for verb in ("replicate", "cutover"):
        refused(lab.live(verb, "W02"), 3, "W02 is being committed", "wherry commit W02")
    refused(lab.live("rollback", "W02"), 3, "W02 is committed")
    refused(lab.live("abort", "W02"), 3)
    assert lab.stored() == before
    assert [step["kind"] for step in lab("commit", "W02", "--json").document["steps"]] == ["fence", "fence"]
    ran = lab.live("commit", "W02")
    assert ran.code == 0, ran.text
    assert ran.out == "W02: committed\n"


def test_an_interrupted_rollback_is_finished_by_rollback_only(with_lab: Callable[[], Wherry]) -> None:
    cli = with_lab()
    assert cli.live("cutover", "W01").code == 0
    die_at(cli, "W01", Purpose.ROLLBACK, "g0/v0/build before undo intent")
    assert cli.state("W01")["state"] == "rolling back"
    for verb in ("replicate", "cutover", "commit", "abort"):
        refused(cli.live(verb, "W01"), 3, "W01 is on its way back", "wherry rollback W01")
    ran = cli.live("rollback", "W01")
    assert ran.code == 0, ran.text
    assert ran.out == "W01: rolled back\n"


def test_a_paused_run_says_so_and_goes_on(with_lab: Callable[[], Wherry]) -> None:
    cli = with_lab()
    refused(cli("pause", "W02"), 3, "no process drives W02")

    def ask(point: str) -> None:
        if point == "g0/d0/seed before intent":
            assert cli("pause", "w02", "--json").document == {"wave": "W02", "asked": "pause"}
            time.sleep(0.3)  # the driver looks four times a second

    with Project.open(cli.root) as project:
        carried = carry_out(project, "W02", Purpose.REPLICATE, Onlooker(boundary=ask))
    assert carried.stopped.paused
    assert "W02 was interrupted while replicating" in cli("status").out
    assert cli.live("replicate", "W02").code == 0


def test_watching_ends_with_an_interrupt_and_is_no_failure(planned: Wherry) -> None:
    watch = ["status", "--watch", "--json", "--project", str(planned.root)]
    child = subprocess.Popen(
        [sys.executable, "-m", "tui.cli.entry", *watch],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert child.stdout
    assert child.stdout.readline().startswith('{"project": "move"'), "one line a change"
    time.sleep(0.1)
    os.kill(child.pid, signal.SIGINT)
    assert child.wait(timeout=120) == 0


def test_a_reader_that_goes_away_is_no_failure(planned: Wherry) -> None:
    piped = subprocess.Popen(
        [sys.executable, "-m", "tui.cli.entry", "settings", "show", "--project", str(planned.root)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert piped.stdout
    assert piped.stderr
    piped.stdout.close()
    assert piped.stderr.read() == b""
    assert piped.wait(timeout=120) == 0


@pytest.mark.parametrize(
    ("verb", "said"),
    [
        ("discover", "nothing was stored"),
        ("flows", "nothing was stored"),
        ("check", "nothing was stored"),
        ("plan", "nothing was stored"),
        ("synth", "nothing was stored"),
        ("anonymise", "nothing was stored"),
        ("export", "what was finished stays"),
        ("replicate", "what was recorded stays, and the same verb goes on from there"),
        ("remedy", "what was recorded stays, and the same verb goes on from there"),
    ],
)
def test_an_interrupted_verb_says_what_it_leaves(verb: str, said: str) -> None:
    done = interrupted_at(f"tui.cli.verbs.{verb}", verb, "--json")
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", f"interrupted; {said}")


def test_an_interruption_while_it_still_loads_is_no_traceback() -> None:
    done = interrupted_at("click", "status")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "interrupted; nothing was stored\n")


def interrupted_at(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command line that is interrupted when it loads a module."""
    code = (
        "import sys\n"
        "class Stop:\n"
        "    def find_spec(name, path=None, target=None):\n"
        f"        if name == {module!r}: raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Stop)\n"
        f"from {ENTRY.partition(':')[0]} import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_console_command_still_runs_verbs_and_hands_on_their_code() -> None:
    for argument, expected in (("--version", 0), ("no-such-verb", 2)):
        code = (
            f"import sys; from {ENTRY.partition(':')[0]} import main; sys.argv[1:] = [{argument!r}]; main()"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.returncode == expected, done.stderr
