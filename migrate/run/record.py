"""The step record: intent before an act, outcome after it, both durable. Writes ``step_record``.

This is the truth about a run. What it says is read by people and decides what happens next; an
entry for an act that touches a site also goes into the audit chain, in the same transaction.
"""

from __future__ import annotations

import json
from typing import Protocol

from migrate import audit
from migrate.run.history import RUN_EVENTS, Entry, Event, History
from planner.effects import Effect
from planner.store.project import Project, utc_now


class Record(Protocol):
    """Where a driver writes what happens."""

    def append(self, entry: Entry) -> None:
        """Return only when the entry is durable and part of the history."""
        ...


class StepRecord:
    """The record of one run in ``project.db``, kept together with the history it folds into."""

    def __init__(self, project: Project, run: int, history: History, who: str, about: str = "") -> None:
        """``about`` stands before every act in the audit chain, for runs that are not the wave's own."""
        self._about = about
        self._project = project
        self._run = run
        self._history = history
        self._who = who

    def append(self, entry: Entry) -> None:
        """Check the entry against the history, make it durable, then let it count."""
        self._history.check(entry)
        with self._project.write() as db:
            db.table("step_record").insert(
                {
                    "run": self._run,
                    "step": entry.step,
                    "kind": entry.event.value,
                    "attempt": entry.attempt,
                    "at": utc_now(),
                    "detail": json.dumps(entry.detail, ensure_ascii=True),
                }
            )
            if (effect := self._effect(entry)) is not None:
                act = f"{self._about} {entry.event.value} {entry.step}".strip()
                detail = {"run": self._run, **_why(entry)}
                audit.add(db, self._who, effect, act, self._history.runbook.wave, detail)
        self._history.append(entry)

    def _effect(self, entry: Entry) -> Effect | None:
        """Return the effect to audit: of whole-run events, approvals, skips, acts that touch a site."""
        if entry.event in RUN_EVENTS or entry.event is Event.SKIPPED:
            return Effect.LIVE
        step = self._history.runbook.step(entry.step)
        if step.kind == "transfer" and step.id in self._history.added:
            return None  # the round is told as a whole, and there are thousands
        looks = entry.event in (Event.RETRY, Event.NOT_DONE, Event.HELD, Event.WATCHED)
        if looks or not step.effect.touches_sites:
            return None
        return step.effect


def _why(entry: Entry) -> dict[str, str]:
    """Return the reason that a person gave, where an entry has one."""
    return {"reason": str(entry.detail["reason"])} if "reason" in entry.detail else {}
