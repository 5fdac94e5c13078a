"""Hooks: commands around a checkpoint, with a time limit and an end that nothing of them outlives.

A hook is a list of arguments, never a shell's line. It has a process group of its own and knows by its
environment for what it runs. What it says is kept up to a bound, the rest is read and thrown away. A hook
that ends may leave a process behind on purpose (a session that holds a lock): that one is found by the
same environment when it is time to let go.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from migrate.protection.stopping import Stop, await_any
from planner.names import visible
from planner.own_code import foreign_environment
from planner.units import show_duration

_KEPT_BYTES = 4096
_READ_BYTES = 64 * 1024
_REAP_S = 1.0
_GLANCES = 50  # at those who were born meanwhile
_ROUNDS = 20  # of looking for what goes on making new processes


@dataclass(frozen=True, slots=True)
class Purpose:
    """For what a hook runs: ``checkpoint`` is a word that no other attempt ever has."""

    group: str
    member: str
    checkpoint: str

    def environment(self) -> dict[str, str]:
        """Return what a hook finds in its environment besides ours."""
        return {
            "WHERRY_GROUP": self.group,
            "WHERRY_MEMBER": self.member,
            "WHERRY_CHECKPOINT": self.checkpoint,
        }


@dataclass(frozen=True, slots=True)
class HookEnd:
    """How a hook ended: ``why`` it failed, empty when it did not, and the last of what it said."""

    why: str
    output: str

    def sentence(self, hook: str) -> str:
        """Return what went wrong in one line, harmless to print; empty when nothing did."""
        if not self.why:
            return ""
        last = self.output.strip().rpartition("\n")[2].strip()
        return f"its {hook} hook {self.why}" + (f": {visible(last, 200)}" if last else "")


def run_hook(command: Sequence[str], purpose: Purpose, limit_s: float, stop: Stop) -> HookEnd:
    """Run a hook to its end, to its limit, or until it is stopped; then nothing of it is left running.

    Only one that succeeded may leave processes behind.
    """
    until = time.monotonic() + limit_s
    reading, writing = os.pipe()
    try:
        os.set_blocking(reading, False)
        try:
            child = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                cwd="/",
                env={**foreign_environment(), **purpose.environment()},
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return HookEnd(f"could not be started ({getattr(error, 'strerror', None) or error})", "")
        os.close(writing)
        writing = -1
        said, ended = _await(child, reading, until, stop)
    finally:
        os.close(reading)
        if writing >= 0:
            os.close(writing)
    if ended and _succeeded(child.pid):
        child.wait()
        return HookEnd("", said)
    # before it is reaped: its group may come to be another one after that
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    # one in the kernel's hands (on a file system that it froze itself) dies when that is thawed
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(_REAP_S)
    end_leftovers(purpose)
    if not ended:
        why = "was stopped" if stop.said else f"was not done within {show_duration(limit_s)}"
    elif child.returncode < 0:
        why = f"was ended by signal {-child.returncode}"
    else:
        why = f"ended with code {child.returncode}"
    return HookEnd(why, said)


def end_leftovers(purpose: Purpose) -> int:
    """Kill every process that was started for this purpose, in whatever session, and return how many.

    One that is about to run another program shows no environment for a moment: nothing found counts twice.
    """
    killed: set[int] = set()
    quiet = 0
    for _ in range(_ROUNDS):
        found = set()
        for number, handle in _marked(purpose):
            with contextlib.suppress(OSError):
                signal.pidfd_send_signal(handle, signal.SIGKILL)
            os.close(handle)
            found.add(number)
        quiet = 0 if found else quiet + 1
        if quiet == 2:
            break
        killed |= found
        time.sleep(0.005)
    return len(killed)


class Sessions:
    """What a hook left running on purpose, so that it holds as long as that lives; ``close`` it."""

    def __init__(self, purpose: Purpose) -> None:
        self._handles = [handle for _, handle in _marked(purpose)]

    @property
    def live(self) -> bool:
        """Whether none of them has ended."""
        return not await_any(self._handles, 0.0)

    def close(self) -> None:
        """Let go of the handles, not of the processes."""
        for handle in self._handles:
            os.close(handle)
        self._handles = []


def _await(child: subprocess.Popen[bytes], reading: int, until: float, stop: Stop) -> tuple[str, bool]:
    """Return the last of what a child said, and whether it ended by itself."""
    said = bytearray()
    ending = os.pidfd_open(child.pid)
    fds = [ending, reading]
    try:
        while True:
            ready = stop.wait(until, *fds)
            if reading in ready and not _take(reading, said):
                fds.remove(reading)
            if ending in ready:
                _take(reading, said)
                return said.decode("utf-8", "replace"), True
            # a hook that never stops talking makes every wait end at once
            if not ready or time.monotonic() >= until:
                return said.decode("utf-8", "replace"), False
    finally:
        os.close(ending)


def _succeeded(pid: int) -> bool:
    end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    return end is not None and end.si_code == os.CLD_EXITED and end.si_status == 0


def _take(reading: int, said: bytearray) -> bool:
    """Add what can be read now and keep the end of it; False when there will be no more."""
    try:
        came = os.read(reading, _READ_BYTES)
    except BlockingIOError:
        return True
    said += came
    del said[:-_KEPT_BYTES]
    return bool(came)


def _marked(purpose: Purpose) -> Iterator[tuple[int, int]]:
    """Yield the number and a handle of every process of a purpose; whoever takes a handle closes it.

    Where there are many processes some are born while others are looked at: so it goes on until nobody is
    there who was not looked at, the youngest first.
    """
    marks = {f"{word}={value}".encode() for word, value in purpose.environment().items()}
    seen: set[str] = set()
    for _ in range(_GLANCES):
        there = [process for process in Path("/proc").iterdir() if process.name.isdecimal()]
        new = [process for process in there if process.name not in seen]
        if not new:
            return
        for process in reversed(new):
            with contextlib.suppress(OSError):
                handle = os.pidfd_open(int(process.name))
                # looked at after it is held: the number may have come to mean another process
                shown = _environment(process)
                if shown is not None:
                    seen.add(process.name)
                if shown is not None and marks <= shown:
                    yield int(process.name), handle
                else:
                    os.close(handle)


def _environment(process: Path) -> set[bytes] | None:
    """Return what a process was started with; None where it is between two programs and shows nothing yet."""
    try:
        shown = (process / "environ").read_bytes()
        if not shown and (process / "exe").readlink():  # the kernel's own threads have no program
            return None
    except OSError:
        return set()
    return set(shown.split(b"\0"))
