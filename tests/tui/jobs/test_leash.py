"""No job outlives the application: the parent is killed with -9, and the verb is gone soon after."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from tests.tui.cli.command import Wherry

PARENT = """
import sys, time
from pathlib import Path
from tui.jobs import orders
from tui.jobs.jobs import Jobs
jobs = Jobs(Path(sys.argv[1]))
job = jobs.start(orders.plan("thorough"))
while not job.state.best:
    assert job.state.running, job.state
    time.sleep(0.01)
print(job.pid, flush=True)
time.sleep(600)
"""


def ends(handle: int, timeout_s: float) -> bool:
    return bool(select.select([handle], [], [], timeout_s)[0])


def test_kill_9_of_the_parent_leaves_no_child_and_no_plan(read: Wherry) -> None:
    before = read.stored()
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(read.root)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout
    child = os.pidfd_open(int(parent.stdout.readline()))
    assert not ends(child, 0.0)
    parent.kill()
    assert parent.wait(120) == -signal.SIGKILL
    parent.stdout.close()
    assert ends(child, 30), "the verb outlived its application"
    os.close(child)
    assert read.stored() == before


def leashed(*argv: str, deaf: bool = False) -> subprocess.Popen[bytes]:
    code = "import runpy, signal, tui.jobs.leashed as leash\n"
    if deaf:  # a verb stuck in a library that never comes back to Python
        code += (
            "import tui.cli.entry\n"
            "def stuck():\n"
            "    signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
            "    print('stuck', flush=True)\n"
            "    import time; time.sleep(600)\n"
            "tui.cli.entry.main = stuck\n"
        )
    code += "leash.main()\n"
    return subprocess.Popen(
        [sys.executable, "-c", code, *argv],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_one_that_does_not_hear_is_killed_with_its_group(tmp_path: Path) -> None:
    child = leashed(deaf=True)
    assert child.stdin
    assert child.stdout
    assert child.stdout.readline() == b"stuck\n"
    assert os.getpgid(child.pid) == child.pid, "what is killed must be its own group"
    child.stdin.close()
    assert child.wait(120) == -signal.SIGKILL


def test_the_verb_is_the_verb_and_reads_nothing_of_the_leash(tmp_path: Path) -> None:
    root = tmp_path / "made"
    child = leashed("init", str(root))
    assert child.stdout
    child.stdout.read()
    assert child.wait(60) == 0
    assert (root / "project.db").is_file()


def test_it_can_be_interrupted_where_its_starter_ignores_that(read: Wherry) -> None:
    code = f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{PARENT}".replace(
        "time.sleep(600)", "job.stop(); print(job.wait(60), job.state.exit_code, flush=True)"
    )
    parent = subprocess.run(
        [sys.executable, "-c", code, str(read.root)], capture_output=True, text=True, timeout=120, check=True
    )
    assert parent.stdout.splitlines()[1] == "True 0"
