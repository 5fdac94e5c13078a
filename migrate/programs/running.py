"""One program, run to its end or its limit: no shell, no input, nothing of our environment.

It has a process group of its own, which is killed when the time is over. What it says is read on and on,
so that it never waits for us; the end of it is kept.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KEPT_BYTES = 64 * 1024
_READ_BYTES = 64 * 1024
_GRACE_S = 2.0  # between asking and killing


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended: ``code`` is None when it was killed or never began, ``why`` says so then.

    ``output`` is the end of what it said, ``dropped_bytes`` what came before that and was thrown away.
    """

    code: int | None
    why: str
    output: str
    dropped_bytes: int
    seconds: float

    @property
    def ok(self) -> bool:
        """True when it ended by itself, with 0."""
        return self.code == 0 and not self.why

    @property
    def last_line(self) -> str:
        """The last thing that it said."""
        return self.output.strip().rpartition("\n")[2].strip()


def run(argv: Sequence[str], *, environment: Mapping[str, str], directory: Path, limit_s: float) -> Ended:
    """Run a program and return how it ended; it is never raised."""
    begun = time.monotonic()
    reading, writing = os.pipe()
    try:
        os.set_blocking(reading, False)
        try:
            child = subprocess.Popen(
                list(argv),
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                cwd=directory,
                env=dict(environment),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or str(error)
            return Ended(None, f"could not be started: {said}", "", 0, 0.0)
        finally:
            os.close(writing)
        kept, dropped, in_time = _attend(child, reading, begun + limit_s)
    finally:
        os.close(reading)
    seconds = round(time.monotonic() - begun, 3)
    said = kept.decode("utf-8", "replace")
    if not in_time:
        return Ended(None, f"was not done within {limit_s:g} s and was killed", said, dropped, seconds)
    if child.returncode < 0:
        return Ended(None, f"was ended by signal {-child.returncode}", said, dropped, seconds)
    why = f"ended with code {child.returncode}" if child.returncode else ""
    return Ended(child.returncode, why, said, dropped, seconds)


def _attend(child: subprocess.Popen[bytes], reading: int, until: float) -> tuple[bytearray, int, bool]:
    """Return the end of what a child said, how much came before, and whether it ended by itself."""
    kept = bytearray()
    dropped = 0
    ending = os.pidfd_open(child.pid)
    fds = [ending, reading]
    try:
        while (left := until - time.monotonic()) > 0:
            ready = select.select(fds, [], [], left)[0]
            ended = ending in ready
            while reading in ready:  # all that is there before its end is believed
                try:
                    came = os.read(reading, _READ_BYTES)
                except BlockingIOError:
                    break
                if not came:
                    fds.remove(reading)
                    break
                kept += came
                if (over := len(kept) - KEPT_BYTES) > 0:
                    del kept[:over]
                    dropped += over
                if not ended or time.monotonic() >= until:
                    break
            if ended:
                child.wait()
                return kept, dropped, True
        _kill(child, ending)
        return kept, dropped, False
    finally:
        os.close(ending)


def _kill(child: subprocess.Popen[bytes], ending: int) -> None:
    """End the whole group, before its leader is reaped: the number may come to be another's after that."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)
        if number is signal.SIGTERM:
            select.select([ending], [], [], _GRACE_S)
    child.wait()
