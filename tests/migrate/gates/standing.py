"""A stored run of a small wave that stands at a gate, as its record says: no site is needed for that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from migrate.run import store as runs
from migrate.run.compose import compose
from migrate.run.history import Entry, Event, History, Status
from migrate.run.runbook import COMMIT, GO, Phase, Runbook, Step
from migrate.run.store import Run
from planner.conduct import Ending, GateRule
from planner.conduct_planned import PlannedConduct, PlannedEnding
from planner.effects import Effect
from planner.plan import Wave
from planner.settings import Window
from planner.store.project import Project, utc_now
from tests.migrate.estate import small_wave
from tests.migrate.simulated_run import World
from tests.migrate.stored import store_plan


@dataclass
class Standing:
    """A project, its wave, and the wave's run; ``results`` are what the twin's steps left behind."""

    project: Project
    wave: Wave
    run: Run
    history: History
    results: dict[str, dict[str, Any]]

    def append(self, step: str, *events: Event, **detail: Any) -> None:
        self.write([Entry(step, event, 1, {} if event is Event.INTENT else detail) for event in events])

    def do(self, *steps: str) -> None:
        """Carry steps out, or pass gates, in one transaction: what a run says one by one."""
        self.write([entry for step in steps for entry in self._done(step)])

    def _done(self, step: str) -> list[Entry]:
        if self.history.runbook.step(step).is_gate:
            return [Entry(step, Event.APPROVED, 1, {"who": "ada"})]
        return [Entry(step, Event.INTENT), Entry(step, Event.DONE, 1, self.results.get(step, {}))]

    def go_to(self, gate: str) -> None:
        """Carry out everything before a gate."""
        before = self.history.runbook.steps[: self.history.runbook.index[gate]]
        self.do(*(step.id for step in before if self.history.status[step.id] is Status.PENDING))

    def write(self, entries: list[Entry]) -> None:
        """Put entries into the record as they are."""
        with self.project.write() as db:
            for entry in entries:
                self.history.append(entry)
                db.table("step_record").insert(
                    {
                        "run": self.run.id,
                        "step": entry.step,
                        "kind": entry.event.value,
                        "attempt": entry.attempt,
                        "at": utc_now(),
                        "detail": json.dumps(entry.detail),
                    }
                )


def planned(
    *, window: Window | None = None, ending: Ending | None = None, commit_window_h: float = 4.0, **more: Any
) -> Wave:
    """Return a small wave with a conduct."""
    wave = small_wave()
    return wave.model_copy(
        update={
            "window": window,
            "conduct": PlannedConduct(ending=PlannedEnding(**(ending or Ending()).model_dump()), **more),
            "policies": wave.policies.model_copy(update={"commit_window_h": commit_window_h}),
        }
    )


def with_rules(runbook: Runbook, wave: Wave, **rules: GateRule) -> Runbook:
    """Return the runbook with these rules at its gates."""
    window = wave.window.model_dump(mode="json") if wave.window else None

    def ruled(step: Step) -> Step:
        if step.id not in (GO, COMMIT):
            return step
        rule = rules.get(step.id, GateRule())
        return step._replace(params={**step.params, "rule": rule.model_dump(mode="json"), "window": window})

    return Runbook(runbook.wave, runbook.fingerprint, tuple(map(ruled, runbook.steps)))


def with_step(runbook: Runbook, kind: str, title: str) -> Runbook:
    """Return the runbook with one more step between the last look and the commit gate."""
    at = runbook.index[COMMIT]
    gate = runbook.steps[at]
    more = Step("extra", kind, title, runbook.wave, Phase.CUTOVER, Effect.LIVE, needs=gate.needs)
    steps = (*runbook.steps[:at], more, gate._replace(needs=("extra",)), *runbook.steps[at + 1 :])
    return Runbook(runbook.wave, runbook.fingerprint, steps)


@contextmanager
def stored(
    root: Path, wave: Wave, change: Callable[[Runbook], Runbook] = lambda runbook: runbook
) -> Iterator[Standing]:
    """Store a plan with the wave, and a run of it that has not begun to do anything."""
    with Project.create(root) as project:
        plan = store_plan(project, wave)
        run = runs.begin(project, plan, change(compose(wave)))
        yield Standing(project, wave, run, runs.history(project, run), _results(wave))


def _results(wave: Wave) -> dict[str, dict[str, Any]]:
    twin = World(wave, compose(wave))
    twin.drive(GO)
    return twin.history.results
