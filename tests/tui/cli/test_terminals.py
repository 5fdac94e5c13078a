"""Terminals of all kinds: narrow, dumb, colourless, none at all; and a run that was killed on one."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.tui.cli.command import Wherry, refused
from tests.tui.cli.terminal import on_terminal, wherry_on_terminal

_BAR = """
import os, signal
from tui.cli.progress import Bar
with Bar() as bar:
    bar.begin("crm-database-server-01 Hard disk 1: compare every byte")
    bar.report(40 * 1024**2, 64 * 1024**2)
    bar._progress and bar._progress.refresh()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_ui_without_a_terminal_is_refused(planned: Wherry) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "tui.cli.entry", "ui", "--project", str(planned.root)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "wherry ui has no terminal to draw on" in ended.stderr
    assert "hint: use 'wherry status'" in ended.stderr


def test_ui_on_a_dumb_terminal_is_refused(planned: Wherry) -> None:
    ran = wherry_on_terminal("ui", "--project", str(planned.root), TERM="dumb")
    assert ran.code == 2
    assert "cannot be drawn on (TERM=dumb)" in ran.out
    assert "\x1b" not in ran.out


@pytest.mark.parametrize("asked", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colour_when_none_is_wanted(planned: Wherry, asked: dict[str, str]) -> None:
    for arguments in (("plan", "show"), ("plan", "show", "W99")):
        command = (*arguments, "--project", str(planned.root))
        assert "\x1b[" in wherry_on_terminal(*command).out
        assert "\x1b" not in wherry_on_terminal(*command, **asked).out


def test_a_table_that_is_too_wide_puts_its_last_column_below(planned: Wherry) -> None:
    command = ("replicate", "W01", "--project", str(planned.root))
    wide = wherry_on_terminal(*command, columns=200).out
    narrow = wherry_on_terminal(*command, columns=80).out
    row = next(text for text in wide.splitlines() if ": snapshot 0" in text)
    at = narrow.splitlines().index(next(text for text in narrow.splitlines() if ": snapshot 0" in text))
    assert "change ids" in row
    assert narrow.splitlines()[at + 1].startswith("    snapshot ")
    assert "change ids" in narrow.splitlines()[at + 1]
    assert "  WHAT" not in narrow
    assert "WHAT" in planned.done("replicate", "W01").out  # what goes into a pipe is one line a row


def test_a_bar_fits_a_small_terminal_and_a_kill_leaves_its_cursor() -> None:
    ran = on_terminal("-c", _BAR)
    assert ran.code == -9
    last = ran.out.rsplit("\r", 1)[-1]
    assert "40.0 MiB of 64.0 MiB" in last
    assert "MB/s" not in last
    assert "\n" not in last.rstrip()
    assert ran.out.rindex("\x1b[?25h") > ran.out.rindex("\x1b[?25l")


def test_a_dumb_terminal_is_told_in_lines() -> None:
    ran = on_terminal("-c", _BAR.replace("bar.report", "bar._said = 0; bar.report"), TERM="dumb")
    assert "\x1b" not in ran.out
    assert "compare every byte: 40.0 MiB of 64.0 MiB" in ran.out


def test_a_dry_run_without_sites_says_what_is_missing(planned: Wherry) -> None:
    planned.done("plan", "approve")
    ran = planned.done("cutover", "W01")
    assert "it would be refused now: the project has no source and no target site" in ran.err
    assert "lab build" in ran.err
    refused(planned.live("cutover", "W01"), 2, "the project has no source site", "wherry site add")


def test_plan_says_in_words_what_its_numbers_mean(planned: Wherry) -> None:
    assert "at least" in planned.done("plan", "show").out
    assert "every dependency is kept" in planned.done("plan", "show").out
