"""The lab carried out by an engine, and what ends its processes on the way."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from migrate.daemons import receiver
from migrate.engine.presence import ensure, halt, running
from migrate.run import orders
from migrate.run.execute import Purpose
from planner.errors import Unreachable
from planner.store.project import Project
from tests.faults.killlab import WAVE
from tests.faults.labrun import Lab

PATIENCE_S = 240.0


def movers_of(engine: int) -> list[int]:
    """Return the process ids of an engine's children, whichever of its threads began them."""
    with contextlib.suppress(OSError):
        return [
            int(word)
            for task in Path(f"/proc/{engine}/task").iterdir()
            for word in (task / "children").read_text().split()
        ]
    return []


def kill_engine(lab: Lab) -> bool:
    """End the engine with SIGKILL; False when none takes orders."""
    with lab.project() as project:
        pid = running(project.run_dir)
    if pid is None:
        return False
    os.kill(pid, signal.SIGKILL)
    return True


def kill_mover(lab: Lab) -> bool:
    """End a mover with SIGKILL; False when there is none."""
    with lab.project() as project:
        pid = running(project.run_dir)
    for mover in movers_of(pid) if pid else ():
        with contextlib.suppress(ProcessLookupError):
            os.kill(mover, signal.SIGKILL)
            return True
    return False


def kill_receiver(lab: Lab) -> bool:
    """End the target's receiver with SIGKILL; False when it does not run. Whoever needs it starts it."""
    return lab.kill_process("dc2", receiver.NAME)


@contextlib.contextmanager
def engine_of(lab: Lab) -> Iterator[Project]:
    """Give the project for the block; the engine is stopped after it."""
    with lab.project() as project:
        try:
            yield project
        finally:
            halt(project.run_dir)


def order(project: Project, purpose: Purpose) -> int:
    """Place an order and return its number."""
    return orders.place(project, WAVE, purpose.value, {"uid": os.getuid()}).id


def reopen(project: Project, number: int) -> None:
    """Leave an order as an engine does that dies between the last entry of its run and its end."""
    with project.write() as db:
        db.execute("UPDATE work_order SET ended_at = NULL, result = NULL WHERE id = ?", (number,))


def look_after(project: Project) -> None:
    """Start an engine where there is none, as everybody who follows does."""
    if running(project.run_dir) is None:
        with contextlib.suppress(Unreachable):
            ensure(project.root, project.run_dir)


def await_result(project: Project, number: int) -> dict[str, Any]:
    """Return what came of an order, with an engine that is started again whenever it is gone."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        look_after(project)
        if (found := orders.find(project, number)).result is not None:
            return found.result
        time.sleep(0.02)
    raise AssertionError(f"order {number} did not end")
