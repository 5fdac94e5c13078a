"""A run as its reports read it: the wave, what happened, and when each of it became durable."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from typing import Any

from migrate.run import store as runs
from migrate.run.cycles import Cycle, cycles_of
from migrate.run.history import Event, History
from migrate.run.runbook import Step
from migrate.run.store import Run
from planner.plan import Wave
from planner.store import plans
from planner.store.project import Project


def between(begun: str, ended: str) -> float | None:
    """Return the seconds between two times; None when one is not known or the clock went back."""
    if not begun or not ended:
        return None
    seconds = (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds()
    return round(seconds, 3) if seconds >= 0 else None


class Moments:
    """What the record of one run says, with the times."""

    def __init__(self, project: Project, run: Run) -> None:
        """Read it; raises NotFound when its plan is gone."""
        self.project, self.run = project, run
        self.history: History = runs.history(project, run)
        self.wave: Wave = plans.get(project, run.plan).plan.wave(run.wave)
        self._first: dict[tuple[str, Event], str] = {}
        self._last: dict[tuple[str, Event], str] = {}
        for row in project.rows("SELECT step, kind, at FROM step_record WHERE run = ? ORDER BY seq", run.id):
            key = str(row["step"]), Event(row["kind"])
            self._first.setdefault(key, str(row["at"]))
            self._last[key] = str(row["at"])

    @cached_property
    def steps(self) -> dict[tuple[str, str], list[Step]]:
        """The steps by kind and subject, in runbook order."""
        found: dict[tuple[str, str], list[Step]] = {}
        for step in self.history.runbook.steps:
            found.setdefault((step.kind, step.subject), []).append(step)
        return found

    @cached_property
    def cycles(self) -> list[Cycle]:
        """The whole copies before the cutover, oldest first."""
        return cycles_of(self.project, self.run, self.history)

    def of(self, kind: str, subject: str) -> list[Step]:
        """Return the steps of a kind about a VM or a volume."""
        return self.steps.get((kind, subject), [])

    def first(self, step: str, event: Event) -> str:
        """Return when something happened to a step for the first time, empty when never."""
        return self._first.get((step, event), "")

    def last(self, step: str, event: Event) -> str:
        """Return when something happened to a step for the last time, empty when never."""
        return self._last.get((step, event), "")

    def begun(self, steps: Iterable[Step]) -> str:
        """Return when the first of some steps began, empty when none did."""
        return min((at for step in steps if (at := self.first(step.id, Event.INTENT))), default="")

    def done(self, steps: Iterable[Step]) -> str:
        """Return when the last of some steps was done; empty while one of them is not."""
        ends = [self.last(step.id, Event.DONE) or self.last(step.id, Event.SKIPPED) for step in steps]
        return max(ends) if ends and all(ends) else ""

    def result(self, step: str) -> dict[str, Any]:
        """Return what a step that was done left, empty when it was not."""
        return self.history.results.get(step, {})

    def is_recovered(self, steps: Iterable[Step]) -> bool:
        """Return whether one of some steps is only known by what was found at the sites."""
        return any(self.result(step.id).get("recovered") for step in steps)
