"""What people stand for in a run: their words at its gates, and the rehearsals of its wave."""

from __future__ import annotations

from migrate import audit
from migrate.gates import words
from migrate.gates.words import Word
from migrate.papers.moments import Moments
from migrate.rehearsals import book
from migrate.run.history import Event
from migrate.run.runbook import GATE, GO, Step
from migrate.run.store import RunKind
from planner.run_report import AuditHead, Gate, GateWord, RehearsalLine
from planner.store import plans
from planner.store.project import Project


def audit_head(project: Project) -> AuditHead:
    """Return the end of the audit chain, all of which is checked."""
    lines, broken = audit.lines(project), audit.broken_at(project)
    return AuditHead(
        digest=lines[-1].digest if lines else audit.GENESIS,
        lines=len(lines),
        verified=broken is None,
        broken_at=broken,
    )


def gates(told: Moments) -> tuple[Gate, ...]:
    """Return the gates and human steps of a run, with all that was said at each."""
    said = words.of_run(told.project, told.run.id)
    lacking = [word for word in words.unwitnessed(told.project) if word.run == told.run.id]
    return tuple(
        _gate(told, step, said.get(step.id, ()), lacking)
        for step in told.history.runbook.steps
        if step.is_gate
    )


def _gate(told: Moments, step: Step, said: tuple[Word, ...], lacking: list[Word]) -> Gate:
    passed = told.result(step.id)
    return Gate(
        gate=step.id,
        title=step.title,
        kind="gate" if step.kind == GATE else "human",
        status=told.history.status[step.id].value,
        passed_at=told.last(step.id, Event.APPROVED),
        who=str(passed.get("who", "")),
        plan_hash=str(passed.get("plan", "")),
        policy=str(passed.get("policy", "")),
        recovered=bool(passed.get("recovered")),
        words=tuple(
            GateWord(
                verdict=word.verdict.value,
                who=word.who,
                uid=word.uid,
                at=word.at,
                plan_hash=word.fingerprint,
                ticket=word.ticket,
                reason=word.reason,
                counts=word.fingerprint == told.run.fingerprint,
                witnessed=word not in lacking,
            )
            for word in said
        ),
    )


def rehearsals(told: Moments) -> tuple[RehearsalLine, ...]:
    """Return the rehearsals of the wave, the newest first."""
    return tuple(
        RehearsalLine(
            at=one.at,
            who=one.who,
            depth=one.depth.value,
            verdict=one.verdict.value,
            notes=one.notes,
            plan=one.plan,
            plan_hash=one.fingerprint,
            same_plan=one.fingerprint == told.run.fingerprint,
        )
        for one in book.of_wave(told.project, told.wave.name)
    )


def reminder(told: Moments) -> str:
    """Return why the wave should be rehearsed (again), empty when not.

    It is about what the run does, as it stood when go was said; of a run on its way back it is about the
    newest plan, which is what a next run would do.
    """
    if told.run.kind is RunKind.FAILBACK:
        return ""
    went, mine = told.last(GO, Event.APPROVED), told.run.fingerprint
    if told.history.back is None:
        return book.reminder(told.project, told.wave.name, mine, went)
    newest = plans.find_head(told.project)
    rows = plans.waves(told.project, newest.version) if newest is not None else ()
    planned = next((row.fingerprint for row in rows if row.name == told.wave.name), mine)
    return book.reminder(told.project, told.wave.name, planned)
