"""From the start of a process on a terminal to the first row it paints, and what it takes by then.

The terminal is a pseudo-terminal of 120 by 35; the row is there when the name in it has been written.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PATIENCE_S = 180.0
_ENVIRONMENT = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_CONFIG_HOME": "/nonexistent"}


@dataclass(frozen=True, slots=True)
class Started:
    """What passed until the row was there, in seconds, and the memory of the process and its children."""

    wall_s: float
    cpu_s: float
    rss_mib: float
    children_mib: float


def started(arguments: list[str], row: str, settle: Callable[[int], bool] | None = None) -> Started:
    """Start the interpreter with these arguments and wait for ``row``.

    With ``settle`` the memory is that once it says so of the process id, and the largest until then of all
    children together; else it is that at the row.
    """
    begun = time.perf_counter()
    child, terminal = pty.fork()
    if child == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 35, 120, 0, 0))
        os.execve(sys.executable, [sys.executable, *arguments], {**os.environ, **_ENVIRONMENT})
    said, wanted, most = b"", row.encode(), 0.0
    found: tuple[float, float] | None = None
    try:
        while time.perf_counter() - begun < _PATIENCE_S:
            if select.select([terminal], [], [], 0.05)[0]:
                said = said[-200:] + os.read(terminal, 65536)
                if found is None and wanted in said:
                    found = time.perf_counter() - begun, _cpu_s(child)
            if found is None:
                continue
            if settle is not None:
                most = max(most, sum(map(_rss_mib, _children(child))))
            if settle is None or settle(child):
                return Started(*found, _rss_mib(child), most)
        raise TimeoutError(f"{arguments}: {row} was not painted in {_PATIENCE_S:.0f} s: {said[-500:]!r}")
    finally:
        os.kill(child, signal.SIGKILL)
        os.close(terminal)
        os.waitpid(child, 0)


def _cpu_s(process: int) -> float:
    """Return the processor time of a process's threads so far."""
    spent = 0
    for task in Path(f"/proc/{process}/task").iterdir():
        with suppress(OSError):
            spent += int((task / "schedstat").read_text().split()[0])
    return spent / 1e9


def _children(process: int) -> list[int]:
    """Return the processes that a process started and that are still there."""
    found: list[int] = []
    for task in Path(f"/proc/{process}/task").iterdir():
        with suppress(OSError):
            found += map(int, (task / "children").read_text().split())
    return found


def _rss_mib(process: int) -> float:
    """Return the memory that a process holds now, 0 when it has gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0
