"""Movers at hand: child processes that are started when needed and used again, one task each at a time.

A mover dies with the pipe to it: when this process ends, however it ends, they stop at a block edge.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from migrate.movers.task import Task, dump_task, line, load_error, load_moving
from migrate.transfers.ports import Moving
from planner.errors import Unreachable
from planner.own_code import child_environment

_LOOK_S = 0.25
_DIES_S = 5.0  # from the end of what a mover says to its own


class Child:
    """One mover process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "migrate.movers.process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=child_environment(),
            start_new_session=True,  # Ctrl-C is for whoever drives
        )
        self._told: float | None = None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def do(
        self,
        task: Task,
        share: Callable[[], float | None],
        stop: Callable[[], bool],
        report: Callable[[Moving], None],
    ) -> dict[str, Any]:
        """Have the task done; raises what it failed with, Unreachable when the mover died."""
        self._told = share()
        self._say({"task": dump_task(task), "share_bytes_s": self._told})
        done = threading.Event()
        watch = threading.Thread(target=self._watch, args=(share, stop, done), daemon=True)
        watch.start()
        assert self._process.stdout is not None
        try:
            for raw in self._process.stdout:
                message = json.loads(raw)
                if "moving" in message:
                    report(load_moving(message["moving"]))
                elif "error" in message:
                    raise load_error(message["error"])
                else:
                    return dict(message)
        finally:
            done.set()
            watch.join()
        with contextlib.suppress(subprocess.TimeoutExpired):  # so that nobody takes it for one that lives
            self._process.wait(_DIES_S)
        raise Unreachable(
            f"the mover (process {self.pid}) died in the middle of its work", "run the verb again; it resumes"
        )

    def _watch(
        self, share: Callable[[], float | None], stop: Callable[[], bool], done: threading.Event
    ) -> None:
        """Tell the mover what changes while it works: its share of the line, and that it shall stop."""
        stopped = False
        while not done.wait(_LOOK_S):
            if stop() and not stopped:
                stopped = True
                self._say({"stop": True})
            if (now := share()) != self._told:
                self._told = now
                self._say({"share": now})

    def _say(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # whoever reads its answers learns that it is gone
            self._process.stdin.write(line(message))
            self._process.stdin.flush()

    @property
    def lives(self) -> bool:
        """Whether the process is still there."""
        return self._process.poll() is None

    def close(self) -> None:
        """Let it go: it ends at the next edge, and by force some seconds later."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(15.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()


class Pool:
    """The movers of one driver. Thread-safe; close it, or use it as a context manager."""

    def __init__(self, make: Callable[[], Child] = Child) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._idle: list[Child] = []
        self._busy: set[Child] = set()

    @property
    def busy(self) -> tuple[int, ...]:
        """The process ids of movers at work."""
        with self._lock:
            return tuple(child.pid for child in self._busy)

    def do(
        self,
        task: Task,
        share: Callable[[], float | None],
        stop: Callable[[], bool],
        report: Callable[[Moving], None],
    ) -> dict[str, Any]:
        """Have a task done by a mover that has nothing to do, else by a new one; see ``Child.do``."""
        child = self._take()
        try:
            return child.do(task, share, stop, report)
        finally:
            self._give(child)

    def _take(self) -> Child:
        with self._lock:
            while self._idle:
                child = self._idle.pop()
                if child.lives:
                    self._busy.add(child)
                    return child
                child.close()
        child = self._make()
        with self._lock:
            self._busy.add(child)
        return child

    def _give(self, child: Child) -> None:
        with self._lock:
            self._busy.discard(child)
            self._idle.append(child)

    def close(self) -> None:
        """Let all go."""
        with self._lock:
            gone = [*self._idle, *self._busy]
            self._idle.clear()
            self._busy.clear()
        for child in gone:
            child.close()

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
