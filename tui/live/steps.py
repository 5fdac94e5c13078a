"""The steps of one run from near: where each stands, when it began and ended, and what it said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from migrate.run.history import History
    from migrate.run.store import Run
    from planner.store.project import Project


@dataclass(frozen=True, slots=True)
class StepNow:
    """One step. ``status`` is a word of ``migrate.run.history.Status``; times are ISO 8601, empty for never.

    ``said`` is its evidence when it is done or undone, else what it failed with or waits for. All texts
    may hold names of the estate: they are untrusted.
    """

    id: str
    kind: str
    title: str
    phase: str
    status: str
    is_gate: bool
    effect: str
    tries: int
    began_at: str
    ended_at: str
    said: str
    hint: str


def steps_of(project: Project, run: Run, history: History) -> tuple[StepNow, ...]:
    """Return the steps of a run in the order of its runbook."""
    from migrate.papers.evidence import evidence, undo_evidence
    from migrate.run.history import Status
    from migrate.waiting import clause

    began, ended = _times(project, run)

    def said(step: str, kind: str) -> str:
        if step in history.failures:
            return str(history.failures[step].get("message", ""))
        if step in history.held:
            return clause(history.held[step])
        if history.status[step] is Status.UNDONE:
            return undo_evidence(kind, history.undone.get(step, {}))
        return evidence(kind, history.results[step]) if step in history.results else ""

    return tuple(
        StepNow(
            step.id,
            step.kind,
            step.title,
            step.phase.value,
            history.status[step.id].value,
            step.is_gate,
            step.effect.value,
            history.attempts.get(step.id, 0),
            began.get(step.id, ""),
            ended.get(step.id, ""),
            said(step.id, step.kind),
            str(history.failures.get(step.id, {}).get("hint", "")),
        )
        for step in history.runbook.steps
    )


def _times(project: Project, run: Run) -> tuple[dict[str, str], dict[str, str]]:
    """Return when each step last began and last ended."""
    rows = project.rows(
        "SELECT step, kind IN ('intent', 'undo-intent') AS begins, max(at) AS at FROM step_record"
        " WHERE run = ? GROUP BY 1, 2",
        run.id,
    )
    began = {row["step"]: str(row["at"]) for row in rows if row["begins"]}
    ended = {row["step"]: str(row["at"]) for row in rows if not row["begins"]}
    return began, ended
