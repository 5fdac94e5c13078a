"""Start and stop long-lived processes that outlive whoever starts them.

A process started here has its own session, no input, and an error log in its directory. Starting
returns when it answers; if it dies first, the end of its log says why.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from migrate.daemons.lock import is_running
from migrate.daemons.sockets import private_directory
from planner.errors import Unreachable
from planner.names import visible
from planner.own_code import child_environment


def start(
    module: str,
    arguments: Sequence[str],
    *,
    directory: Path,
    name: str,
    answers: Callable[[], bool],
    timeout_s: float = 20.0,
) -> int:
    """Run ``python -m module arguments`` detached and return its process id once it answers.

    ``directory`` is private and gets ``NAME.log``; the module takes ``ServerLock(directory, name)``.
    ``answers`` is asked until it is true. A server that runs already is used. Raises Unreachable.
    """
    private_directory(directory)
    deadline = time.monotonic() + timeout_s
    if (running := _await_running(directory, name, answers, deadline)) is not None:
        return running
    alive, held = os.pipe()  # the read end says end-of-file when the process is gone
    log = os.open(
        directory / f"{name}.log",
        os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC,
        0o600,
    )
    try:
        child = subprocess.Popen(
            [sys.executable, "-m", "migrate.daemons.detached", module, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            pass_fds=(held,),
            env=child_environment(),
        )
        child.wait()
        os.close(held)
        held = -1
        return _await_answer(directory, name, answers, deadline, alive)
    finally:
        for fd in (log, alive, held):
            if fd >= 0:
                os.close(fd)


def _await_running(directory: Path, name: str, answers: Callable[[], bool], deadline: float) -> int | None:
    """Return the process id of a server that runs already; None when none does, or it died meanwhile."""
    while (pid := is_running(directory, name)) is not None:
        with contextlib.suppress(Unreachable):
            if answers():
                return pid
        if time.monotonic() > deadline:
            raise _did_not_start(directory, name)
        time.sleep(0.01)
    return None


def _await_answer(
    directory: Path, name: str, answers: Callable[[], bool], deadline: float, alive: int
) -> int:
    while time.monotonic() < deadline:
        gone = bool(select.select([alive], [], [], 0.0)[0])
        with contextlib.suppress(Unreachable):
            pid = is_running(directory, name)  # also a server that someone else started meanwhile
            if pid is not None and answers():
                return pid
        if gone and is_running(directory, name) is None:
            break
        time.sleep(0.01)
    raise _did_not_start(directory, name)


def _did_not_start(directory: Path, name: str) -> Unreachable:
    log = directory / f"{name}.log"
    return Unreachable(
        f"the {name} process for {visible(str(directory))} did not start: {_last_words(log)}",
        f"read {visible(str(log))}",
    )


def _last_words(log: Path) -> str:
    with contextlib.suppress(OSError):
        lines = log.read_bytes()[-4096:].decode("utf-8", "replace").splitlines()
        if lines:
            return visible(lines[-1].strip(), 200)
    return "it left no message"


def stop(pid: int, timeout_s: float = 10.0) -> bool:
    """Ask a process to end with SIGTERM and wait; False when it still runs after the time."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(handle, signal.SIGTERM)
        return bool(select.select([handle], [], [], timeout_s)[0])
    finally:
        os.close(handle)


def stop_server(directory: Path, name: str, timeout_s: float = 10.0) -> bool:
    """Stop the server ``name`` of ``directory`` if one runs; False when it still runs after the time."""
    pid = is_running(directory, name)
    return pid is None or stop(pid, timeout_s)
