"""``wherry status --watch --plain``: lines are appended as the project changes, no cursor is moved."""

from __future__ import annotations

import signal
import subprocess
import sys

from planner.own_code import child_environment
from tests.tui.cli.command import Wherry


def test_what_changes_is_appended_without_moving_a_cursor(planned: Wherry) -> None:
    verb = ("status", "--watch", "--plain", f"--project={planned.root}")
    environment = {**child_environment(), "TERM": "xterm"}
    argv = [sys.executable, "-m", "tui.cli.entry", *verb]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, env=environment) as watching:
        assert watching.stdout is not None
        shown = [watching.stdout.readline()]
        assert shown[0].startswith("move: ")
        planned.done("plan", "approve")
        while not (line := watching.stdout.readline()).startswith("move: "):
            assert line, "it ended by itself"
            shown.append(line)
        assert any("W01" in line and "planned" in line for line in shown)
        while "W02" not in (line := watching.stdout.readline()):
            assert line, "it ended by itself"
        assert "approved" in line
        watching.send_signal(signal.SIGINT)
        rest = watching.stdout.read()
        assert watching.wait(60) == 0
    assert "\x1b" not in "".join(shown) + rest
