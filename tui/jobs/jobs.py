"""The jobs of one application: one of each kind at a time, and what was done in this session.

Closing the list ends what still runs; nothing of it is stored, except what a verb had finished.
"""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from planner.errors import Blocked
from tui.jobs.job import Job, OnChange
from tui.jobs.orders import Kind, Order
from tui.jobs.state import JobState

KEPT = 100  # ended jobs that the session remembers


class Jobs:
    """The jobs on one project; ``on_change`` is called from threads of the jobs and must not raise."""

    def __init__(self, root: Path, on_change: OnChange | None = None) -> None:
        self._root = root.resolve()
        self._on_change = on_change
        self._lock = Lock()
        self._jobs: list[tuple[Kind, Job]] = []
        self._closed = False

    def start(self, order: Order) -> Job:
        """Start a job; raises Blocked while one of its kind runs, WherryError when it cannot be started."""
        with self._lock:
            if why := self._why_not(order.kind):
                raise Blocked(why, "wait for it, or stop it")
            job = Job(order.argv(self._root), order.title, order.secret, on_change=self._on_change)
            job.start()
            self._jobs.append((order.kind, job))
            ended = [entry for entry in self._jobs if not entry[1].state.running]
            for entry in ended[: max(len(ended) - KEPT, 0)]:
                self._jobs.remove(entry)
        return job

    def why_not(self, kind: Kind) -> str:
        """Say why a job of this kind cannot be started now, empty when it can."""
        with self._lock:
            return self._why_not(kind)

    def _why_not(self, kind: Kind) -> str:
        if self._closed:
            return "the application is being closed"
        running = self._running(kind)
        return f"{running.state.title} is still running" if running else ""

    def running(self, kind: Kind) -> Job | None:
        """Return the job of this kind that runs."""
        with self._lock:
            return self._running(kind)

    def _running(self, kind: Kind) -> Job | None:
        return next((job for own, job in self._jobs if own is kind and job.state.running), None)

    @property
    def all_running(self) -> tuple[Job, ...]:
        """Every job that runs, the oldest first."""
        with self._lock:
            return tuple(job for _, job in self._jobs if job.state.running)

    @property
    def history(self) -> tuple[tuple[Kind, JobState], ...]:
        """Every job of this session as it stands, the newest first."""
        with self._lock:
            return tuple((kind, job.state) for kind, job in reversed(self._jobs))

    def close(self, timeout_s: float = 5.0) -> None:
        """End every job that runs and wait for them."""
        with self._lock:
            self._closed = True
            running = [job for _, job in self._jobs if job.state.running]
        for job in running:
            job.close()
        for job in running:
            job.wait(timeout_s)
