"""A run as its reports read it: the wave, what happened, and when each of it became durable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from migrate.run import store as runs
from migrate.run.cycles import Cycle, cycles_of
from migrate.run.history import Event, History
from migrate.run.runbook import Step
from migrate.run.store import Run
from planner.plan import Plan, Wave
from planner.store import plans
from planner.store.project import Project, utc_now

_ENDS = (Event.DONE, Event.SKIPPED, Event.FAILED)


def between(begun: str, ended: str) -> float | None:
    """Return the seconds between two times; None when one is not known or the clock went back."""
    if not begun or not ended:
        return None
    seconds = (datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds()
    return round(seconds, 3) if seconds >= 0 else None


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of the record with its time; ``step`` is empty for the run as a whole."""

    step: str
    event: Event
    at: str
    attempt: int
    detail: dict[str, Any]


class Moments:
    """What the record of one run says, with the times."""

    def __init__(self, project: Project, run: Run) -> None:
        """Read it; raises NotFound when its plan is gone."""
        self.project, self.run = project, run
        self.printed = utc_now()
        self.plan: Plan = plans.get(project, run.plan).plan
        self.wave: Wave = self.plan.wave(run.wave)
        self.history: History
        self.history, times = runs.timed(project, run)
        self.told = [
            Told(entry.step, entry.event, at, entry.attempt, entry.detail)
            for entry, at in zip(self.history.entries, times, strict=True)
        ]
        self._first: dict[tuple[str, Event], str] = {}
        self._last: dict[tuple[str, Event], str] = {}
        for one in self.told:
            self._first.setdefault((one.step, one.event), one.at)
            self._last[one.step, one.event] = one.at

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

    @cached_property
    def recovered(self) -> bool:
        """Whether the record was rebuilt after its host was lost: its times are those of the recovery."""
        return self.run.who == "recovery" or self.is_recovered(self.history.runbook.steps)

    @cached_property
    def over(self) -> bool:
        """Whether the run is at its end, this way or that."""
        return runs.outcome(self.history) is not None

    @property
    def last_at(self) -> str:
        """When the newest entry was written; without one, when the run began."""
        return self.told[-1].at if self.told else self.run.at

    @property
    def until(self) -> str:
        """When the run ended; of one under way, when this was read."""
        return self.last_at if self.over else self.printed

    def ended(self, steps: Iterable[Step]) -> str:
        """Return when the last of those steps that began was over; empty while one of them is under way."""
        ends = []
        outcomes = (*_ENDS, Event.NOT_DONE) if self.history.back else _ENDS  # nobody will try it again
        for step in steps:
            if begun := self.last(step.id, Event.INTENT):
                end = max(self.last(step.id, event) for event in outcomes)
                if end < begun:
                    return ""
                ends.append(end)
        return max(ends, default="")

    def of_events(self, *events: Event) -> Iterator[Told]:
        """Yield the entries of some kinds, oldest first."""
        return (one for one in self.told if one.event in events)

    def step(self, one: Told) -> Step | None:
        """Return the step that an entry is of, None when it is of the run as a whole."""
        at = self.history.runbook.index.get(one.step)
        return None if at is None else self.history.runbook.steps[at]

    def title(self, one: Told) -> str:
        """Return the title of the step that an entry is of."""
        step = self.step(one)
        return step.title if step is not None else "the run"

    def vm_name(self, vm: str) -> str:
        """Return the name of a VM of the wave."""
        return self.wave.vm(vm).name
