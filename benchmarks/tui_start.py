"""Processes on a pseudo-terminal of 120 by 35: when a text is painted, and what they take by then.

Wall clock and the processor time of the process; memory as Linux counts it, of the process and of the
processes that it started.
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
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_PATIENCE_S = 900.0
_QUIET_S = 4.0  # without a child, after which an application has settled
_ENVIRONMENT = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "XDG_CONFIG_HOME": "/nonexistent"}


@dataclass(frozen=True, slots=True)
class Started:
    """What passed until a text was painted, in seconds."""

    wall_s: float
    cpu_s: float


@dataclass(frozen=True, slots=True)
class Memory:
    """What an application holds once it has settled, and the most that its children held until then."""

    own_mib: float
    children_mib: float


class Terminal:
    """A process on a terminal. ``read`` has to be called for it to go on."""

    def __init__(self, arguments: list[str]) -> None:
        self.begun = time.perf_counter()
        self.process, self._terminal = pty.fork()
        if self.process == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 35, 120, 0, 0))
            os.execve(sys.executable, [sys.executable, *arguments], {**os.environ, **_ENVIRONMENT})

    def read(self, wait_s: float = 0.05) -> bytes | None:
        """Return what was drawn meanwhile, None once the process has closed its end."""
        if not select.select([self._terminal], [], [], wait_s)[0]:
            return b""
        try:
            return os.read(self._terminal, 65536)
        except OSError:
            return None

    def until(self, text: str) -> Started:
        """Read until a text was drawn; raises TimeoutError."""
        said, wanted = b"", text.encode()
        while time.perf_counter() - self.begun < _PATIENCE_S:
            part = self.read()
            if part is None:
                break
            said = said[-200:] + part
            if wanted in said:
                return Started(time.perf_counter() - self.begun, _cpu_s(self.process))
        raise TimeoutError(f"{text} was not drawn, but: {said[-2000:].decode(errors='replace')}")

    def close(self) -> None:
        """End the process, unless it has ended."""
        with suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        os.close(self._terminal)
        os.waitpid(self.process, 0)


@contextmanager
def on_terminal(arguments: list[str]) -> Iterator[Terminal]:
    """Yield an interpreter with these arguments on a terminal; it is ended afterwards."""
    terminal = Terminal(arguments)
    try:
        yield terminal
    finally:
        terminal.close()


def started(arguments: list[str], text: str) -> Started:
    """Return what passes from the start of a process until a text is drawn."""
    with on_terminal(arguments) as terminal:
        return terminal.until(text)


def settled(arguments: list[str], text: str) -> Memory:
    """Return what an application holds once the text is there and its children have done their work."""
    with on_terminal(arguments) as terminal:
        terminal.until(text)
        most, quiet_since = 0.0, time.perf_counter()
        while time.perf_counter() - quiet_since < _QUIET_S:
            terminal.read(0.1)
            if held := sum(map(rss_mib, _children(terminal.process))):  # those that ended hold nothing
                most, quiet_since = max(most, held), time.perf_counter()
        return Memory(rss_mib(terminal.process), most)


def finished(arguments: list[str]) -> None:
    """Run a process on a terminal to its end."""
    with on_terminal(arguments) as terminal:
        while terminal.read(1.0) is not None:
            pass


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


def children_cpu_s() -> float:
    """Return the processor time of the processes that this one started and that are still there."""
    return sum(_cpu_s(child) for child in _children(os.getpid()) if rss_mib(child))


def rss_mib(process: int) -> float:
    """Return the memory that a process holds now, 0 when it has gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0
