"""Runs Python in a process of its own on a terminal of a given size, and keeps what it drew."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time

from tests.tui.cli.command import Ran


def on_terminal(*arguments: str, columns: int = 80, **environment: str) -> Ran:
    """Run the interpreter with these arguments on a terminal of 24 lines; ``out`` holds all it drew."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    known = {
        name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")
    }
    child = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=known | {"TERM": "xterm-256color"} | environment,
    )
    os.close(theirs)
    drawn = bytearray()
    try:
        while part := os.read(ours, 65536):
            drawn += part
    except OSError:
        pass  # the terminal's other end was closed: all has been read
    finally:
        os.close(ours)
    return Ran(child.wait(timeout=60), drawn.decode("utf-8").replace("\r\n", "\n"), "")


def wherry_on_terminal(*arguments: str, columns: int = 80, **environment: str) -> Ran:
    """Run one command line on a terminal."""
    return on_terminal("-m", "tui.cli.entry", *arguments, columns=columns, **environment)


def typing(answers: list[tuple[bytes, bytes]], *arguments: str) -> tuple[int, str]:
    """Run a command line on a terminal of its own and type each answer when its prompt is seen.

    Returns the exit code and all that was drawn.
    """
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-m", "tui.cli.entry", *arguments])
    said, seen, waiting = b"", 0, list(answers)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 0.2)[0]:
            continue
        try:
            said += os.read(terminal, 65536)
        except OSError:
            break  # the other end is closed
        if waiting and waiting[0][0] in said[seen:]:
            time.sleep(0.2)  # until it really reads: a signal in between would be lost
            seen = len(said)
            os.write(terminal, waiting.pop(0)[1])
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), said.decode("utf-8", "replace")
