"""Whether a project's engine runs, and how it is started and stopped by whoever needs it.

``run/engine.pid`` is locked as long as it lives; ``run/engine.ready`` names the process that takes orders;
``run/engine.stopped`` says that a person stopped it, so that nobody who follows starts it again.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

from migrate.daemons.lock import is_running
from planner.errors import Paused

NAME = "engine"
_READY = "engine.ready"
_STOPPED = "engine.stopped"
_STOP_S = 60.0
_DEAD_S = 0.5
_STARTS = 3


def running(run_dir: Path) -> int | None:
    """Return the process id of the engine that takes orders now, None when there is none."""
    pid = is_running(run_dir, NAME)
    return pid if pid is not None and _ready(run_dir) == pid else None


def may_run(run_dir: Path) -> bool:
    """Return whether an engine takes orders; also where this login may not look, and so cannot deny it."""
    try:
        return running(run_dir) is not None
    except PermissionError:
        return True


def ensure(root: Path, run_dir: Path) -> int:
    """Return the engine's process id, started if none runs; raises Unreachable when it does not start."""
    if (pid := running(run_dir)) is not None:
        return pid
    from migrate.daemons.spawn import start

    return start(
        "migrate.engine.process",
        [str(root.resolve())],
        directory=run_dir,
        name=NAME,
        answers=lambda: running(run_dir) is not None,
        timeout_s=60.0,
    )


def halt(run_dir: Path) -> bool:
    """Have the engine stop at the next edges; False when it still runs after a minute."""
    from migrate.daemons.spawn import stop_server

    (run_dir / _STOPPED).touch()
    return stop_server(run_dir, NAME, _STOP_S)


def was_stopped(run_dir: Path) -> bool:
    """Return whether a person stopped the engine, and none has taken orders since."""
    return (run_dir / _STOPPED).exists()


def announce(run_dir: Path) -> None:
    """Say that this process takes orders."""
    with contextlib.suppress(FileNotFoundError):
        (run_dir / _STOPPED).unlink()
    (run_dir / _READY).write_text(f"{os.getpid()}\n", "ascii")


class Minder:
    """Looks after an engine for one who follows it: started again when it died, left alone when stopped."""

    def __init__(self, root: Path, run_dir: Path, tell: Callable[[str], None]) -> None:
        self._root = root
        self._run_dir = run_dir
        self._tell = tell
        self._looked_at = time.monotonic()
        self._deaths = 0

    def __call__(self) -> None:
        """Look, at most twice a second; raises Paused when a person stopped it or it dies again and again."""
        if time.monotonic() - self._looked_at < _DEAD_S:
            return
        self._looked_at = time.monotonic()
        if running(self._run_dir) is not None or is_running(self._run_dir, NAME) is not None:
            return
        if was_stopped(self._run_dir):
            raise Paused("the engine was stopped in the middle of this", "'wherry engine start' goes on")
        if self._deaths == _STARTS:
            raise Paused(
                f"the engine died {_STARTS + 1} times in the middle of this",
                "read run/engine.log, then give the verb again; nothing done is repeated",
            )
        self._deaths += 1
        self._tell("the engine died; another one is started and goes on from the record")
        ensure(self._root, self._run_dir)


def _ready(run_dir: Path) -> int | None:
    try:
        return int((run_dir / _READY).read_text("ascii"))
    except (OSError, ValueError):
        return None
