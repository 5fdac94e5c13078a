"""On a terminal the wave's name is typed; anything else, or nothing, does nothing."""

from __future__ import annotations

import os
import pty
import select
import sys
import time

import pytest

from tests.tui.cli.command import Wherry


def typed(cli: Wherry, answer: bytes, *arguments: str) -> tuple[int, str]:
    """Run a command on a terminal of its own, type ``answer`` when it asks, return how it ended."""
    child, terminal = pty.fork()
    if child == 0:
        command = [sys.executable, "-m", "tui.cli.main", *arguments, "--project", str(cli.root)]
        os.execv(sys.executable, command)
    said = b""
    sent = False
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break  # the other end is closed
        said += part
        if b"to replicate: " in said and not sent:
            time.sleep(0.2)  # until it really reads: a signal in between would be lost
            os.write(terminal, answer)
            sent = True
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), said.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        (b"W02\n", 2, "'W02' is not the wave's name, nothing was done"),
        (b"yes\n", 2, "'yes' is not the wave's name"),
        (b"\x04", 130, "nothing was done"),
        (b"\x03", 130, "nothing was done"),
        (b"W01\n", 2, "the project has no source site"),
    ],
)
def test_typed(planned: Wherry, answer: bytes, code: int, words: str) -> None:
    planned.done("plan", "approve")
    before = planned.stored()
    ended, said = typed(planned, answer, "replicate", "W01", "--live")
    assert "This is live. Type W01 to replicate: " in said
    assert words in said
    assert "Traceback" not in said
    assert ended == code
    assert planned.stored() == before
