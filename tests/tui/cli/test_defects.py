"""A defect of wherry itself: one sentence, exit code 1, the traceback where it does not get in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

_BROKEN = """
import sys
from tui.cli import main
from tui.cli.entry import main as entry

def breaks():
    raise LookupError("no such\\x1b[2J\\nthing")

main.main = breaks
sys.argv = ["wherry", "status", *sys.argv[1:]]
entry()
"""


def broken(folder: Path, *more: str, debug: bool = False) -> subprocess.CompletedProcess[str]:
    usual = {name: value for name, value in os.environ.items() if name != "WHERRY_DEBUG"}
    return subprocess.run(
        [sys.executable, "-c", _BROKEN, *more],
        capture_output=True,
        text=True,
        timeout=60,
        env={**usual, "XDG_STATE_HOME": str(folder), **({"WHERRY_DEBUG": "1"} if debug else {})},
    )


@pytest.mark.parametrize("debug", [False, True])
def test_a_defect_is_one_sentence_and_its_traceback_is_kept(tmp_path: Path, debug: bool) -> None:
    ran = broken(tmp_path, debug=debug)
    log = tmp_path / "wherry" / "logs" / "wherry.log"
    assert ran.returncode == 1
    assert ran.stdout == ""
    assert ("Traceback" in ran.stderr) is debug
    said = ran.stderr.splitlines()[-2:]
    assert said[0].startswith("wherry: wherry broke: LookupError: no such")
    assert "\x1b" not in said[0]
    assert str(log) in said[1]
    assert "in breaks" in log.read_text("utf-8")
    assert log.stat().st_mode & 0o077 == 0


def test_a_log_that_cannot_be_kept_is_not_promised(tmp_path: Path) -> None:
    (tmp_path / "wherry").write_text("in the way", "utf-8")
    ran = broken(tmp_path)
    assert ran.returncode == 1
    assert "wherry broke" in ran.stderr
    assert "set WHERRY_DEBUG=1" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_json_has_it_as_an_object(tmp_path: Path) -> None:
    ran = broken(tmp_path, "--json")
    assert ran.returncode == 1
    assert '"wherry broke: LookupError' in ran.stdout
