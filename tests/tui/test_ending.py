"""How the screens end: by a defect that is told in one sentence, by a signal, the terminal restored."""

from __future__ import annotations

import os
import pty
import re
import signal
import sys
import time
from pathlib import Path
from typing import cast

import pytest

from tests.tui import estate
from tests.tui.cli.command import Ran
from tests.tui.cli.terminal import on_terminal
from tests.tui.stage import opened, text, until
from tui.app import WherryApp
from tui.jobs.job import Job
from tui.logs import opened as opened_log

RESTORED = "\x1b[?1049l"  # back on the terminal's own screen
_BROKEN = """
import sys
from pathlib import Path
from typing import cast
from planner.errors import WherryError
from tui import app
from tui.app import WherryApp
from tui.cli.output import complain
from tui.ending import shown

class Broken(WherryApp):
    CSS_PATH = Path(app.__file__).parent / "screens" / "place.tcss"

    def on_mount(self):
        super().on_mount()
        secret = "hunter" + "2"
        {how}

    def stumble(self):
        raise LookupError("no such\\nthing")

try:
    shown(lambda: Broken(Path(sys.argv[1])), Path(sys.argv[1]))
except WherryError as error:
    complain(error, as_json=False)
    sys.exit(error.exit_code)
"""


def plain(drawn: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[hlm]", "", drawn)  # anything painted is left, and fails


def broken(folder: Path, how: str, root: Path) -> Ran:
    script = folder / "broken.py"
    script.write_text(_BROKEN.format(how=how), "utf-8")
    return on_terminal(str(script), str(root), columns=120, PYTHONPATH=str(Path.cwd()))


@pytest.mark.parametrize(
    "how",
    [
        "self.stumble()",
        "self.set_timer(0.1, self.stumble)",
        "self.run_worker(self.stumble, thread=True, exit_on_error=True)",
    ],
)
def test_a_defect_is_one_sentence_and_its_traceback_a_log(tmp_path: Path, how: str) -> None:
    root = estate.build(tmp_path)
    ran = broken(tmp_path, how, root)
    assert ran.code == 1
    said = plain(ran.out.rpartition(RESTORED)[2])
    assert said.startswith("wherry: the terminal application had to end: LookupError: no such thing\n")
    assert "hint: start it again" in said
    assert "Traceback" not in ran.out
    log = (root / "logs" / "ui.log").read_text("utf-8")
    assert "Traceback" in log
    assert "LookupError: no such\nthing" in log
    assert "hunter2" not in ran.out + log


def test_a_defect_is_told_where_no_log_can_be_written(tmp_path: Path) -> None:
    root = estate.build(tmp_path)
    (root / "logs").write_text("in the way", "utf-8")
    ran = broken(tmp_path, "self.stumble()", root)
    assert ran.code == 1
    assert "had to end: LookupError" in plain(ran.out.rpartition(RESTORED)[2])


def test_a_long_log_begins_anew_and_a_link_is_not_followed(tmp_path: Path) -> None:
    with opened_log(tmp_path, "ui.log") as log:
        log.write(b"x" * 1_000_001)
    with opened_log(tmp_path, "ui.log") as log:
        log.write(b"new")
    assert (tmp_path / "logs" / "ui.log").read_bytes() == b"new"
    (tmp_path / "elsewhere").write_text("mine", "utf-8")
    (tmp_path / "logs" / "other.log").symlink_to(tmp_path / "elsewhere")
    with opened_log(tmp_path, "other.log") as log:
        log.write(b"theirs")
    assert (tmp_path / "elsewhere").read_text("utf-8") == "mine"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_application_and_restores_the_terminal(
    tmp_path: Path, number: signal.Signals
) -> None:
    root = estate.build(tmp_path)
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-m", "tui.cli.entry", "ui", "--project", str(root)])
    drawn, told = b"", False
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            drawn += os.read(terminal, 65536)
        except OSError:
            break  # the other end is closed
        if not told and b"1 Overview" in drawn:
            os.kill(child, number)
            told = True
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130
    said = drawn.decode("utf-8").rpartition(RESTORED)[2]
    assert "interrupted; what was finished stays" in said


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q", "q"])
async def test_every_key_that_leaves_asks_first_when_work_would_be_lost(tmp_path: Path, key: str) -> None:
    async with opened(estate.build(tmp_path)) as pilot:
        app = cast(WherryApp, pilot.app)
        app.job = Job(("plan",), "plan")
        app.job.start()
        await pilot.press(key, key)
        await pilot.pause()
        assert "plan is going on and would end without a result" in text(pilot)
        await pilot.press("escape")
        await pilot.pause()
        assert app.is_running
        assert "Leave?" not in text(pilot)
        app.job.close()
        await until(lambda: not app.is_working)
        await pilot.press(key)
        await until(lambda: not app.is_running)
