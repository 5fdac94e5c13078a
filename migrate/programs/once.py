"""At most once: a program that a step runs, and what is known of it after a crash.

    begun (with a lock) ─▶ started ─▶ ended       each a file, on the disk before what comes next

The lock belongs to the keeper, a process that outlives the run. Held: it still runs. Free, never started:
it certainly did not run. Free, started and not ended: nobody knows, and a person decides.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from migrate.programs.keeper import put
from migrate.programs.running import Ended
from planner.errors import StepFailed
from planner.names import content_id
from planner.own_code import child_environment

_LOOK_S = 0.05
_PATIENCE_S = 30.0  # beyond the limit of the program itself


@dataclass(frozen=True, slots=True)
class Once:
    """Programs started from one project; ``directory`` is where they work, ``marks`` where files lie."""

    directory: Path
    marks: Path

    def run(self, op: str, argv: Sequence[str], environment: Mapping[str, str], limit_s: float) -> Ended:
        """Run a program under a key that was never used, and wait for its end; raises StepFailed."""
        if (known := self.look(op, limit_s)) is not None:
            return known
        self.marks.mkdir(mode=0o770, exist_ok=True)  # of everybody who works on the project
        number = content_id(op)
        begun = self.marks / f"{number}.begun"
        put(begun, op.encode())
        with begun.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            order = {
                "argv": list(argv),
                "environment": dict(environment),
                "directory": str(self.directory),
                "limit_s": limit_s,
            }
            keeper = subprocess.Popen(
                [sys.executable, "-m", "migrate.programs.keeper", str(self.marks), number],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=child_environment(),
                start_new_session=True,
                pass_fds=(lock.fileno(),),
            )
            keeper.communicate(json.dumps(order).encode())
        ended = self.look(op, limit_s)
        if ended is None:
            raise StepFailed(
                "the process that starts programs died first", "look at this machine, then retry"
            )
        return ended

    def look(self, op: str, limit_s: float, sleep: Callable[[float], None] = time.sleep) -> Ended | None:
        """Return how the program of a key ended, None when it certainly never ran; waits while it runs.

        Raises StepFailed when nobody knows.
        """
        number = content_id(op)
        begun, started, ended = (self.marks / f"{number}.{word}" for word in ("begun", "started", "ended"))
        until = time.monotonic() + limit_s + _PATIENCE_S
        while _held(begun):
            if time.monotonic() > until:
                raise StepFailed("it still runs after its limit", "look at its processes on this machine")
            sleep(_LOOK_S)
        if ended.exists():
            return Ended(**json.loads(ended.read_bytes()))
        if started.exists():
            raise StepFailed(
                "it was started, and nobody knows how it ended",
                "look whether it did its work; then have it run again, or pass it over",
            )
        return None


def _held(begun: Path) -> bool:
    try:
        file = os.open(begun, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
