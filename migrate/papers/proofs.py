"""What proves a run: digests of its disks, answers of its probes, words of its programs, kept writes."""

from __future__ import annotations

from typing import Any

from migrate.papers.evidence import evidence, undo_evidence
from migrate.papers.moments import Moments, between
from migrate.run.history import Event, Status
from migrate.run.levers import passed_over
from migrate.run.runbook import Step
from planner.export.printout import becomes
from planner.names import visible
from planner.plan import PlannedDisk
from planner.run_report import DiskProof, Hook, Kept, Probe, StepLine
from planner.sending import spoken


def step_lines(told: Moments) -> tuple[StepLine, ...]:
    """Return all steps in the order of the runbook."""
    return tuple(_line(told, step) for step in told.history.runbook.steps)


def _line(told: Moments, step: Step) -> StepLine:
    begun, ended = told.first(step.id, Event.INTENT), ended_at(told, step)
    return StepLine(
        step=step.id,
        kind=step.kind,
        title=step.title,
        effect=step.effect.value,
        status=told.history.status[step.id].value,
        begun=begun,
        ended=ended,
        seconds=between(begun, ended),
        attempts=told.history.attempts.get(step.id, 0),
        said=said_of(told, step),
    )


def ended_at(told: Moments, step: Step) -> str:
    """Return when a step came to stand as it does, empty while it is under way or has not begun."""
    match told.history.status[step.id]:
        case Status.PENDING | Status.STARTED | Status.UNDOING:
            return ""
        case Status.UNDONE:
            return told.last(step.id, Event.UNDONE)
        case Status.UNDO_FAILED:
            return told.last(step.id, Event.UNDO_FAILED)
        case Status.FAILED:
            return told.last(step.id, Event.FAILED)
        case Status.SKIPPED:
            return told.last(step.id, Event.SKIPPED)
        case Status.DONE:
            return told.last(step.id, Event.APPROVED if step.is_gate else Event.DONE)


def said_of(told: Moments, step: Step) -> str:
    """Return what a step says for itself, harmless to print."""
    history = told.history
    if step.id in history.undone:
        return visible(undo_evidence(step.kind, history.undone[step.id]))
    if over := passed_over(history, step.id):
        return over
    if step.id in history.failures:
        return visible(str(history.failures[step.id].get("message", "")))
    return visible(evidence(step.kind, history.results[step.id])) if step.id in history.results else ""


def disk_proofs(told: Moments) -> tuple[DiskProof, ...]:
    """Return what the comparison at the cutover said of each disk."""
    return tuple(_proof(told, disk) for disk in told.wave.disks)


def _proof(told: Moments, disk: PlannedDisk) -> DiskProof:
    found: dict[str, Any] = next(
        (result for step in told.of("verify", disk.volume) if (result := told.result(step.id))), {}
    )
    holder = disk.attachments[0]
    return DiskProof(
        disk=f"{told.vm_name(holder.vm)} {holder.label}",
        volume=disk.volume,
        size_bytes=disk.size_bytes,
        was=disk.source.value,
        became=becomes(disk),
        source_digest=found.get("source", ""),
        target_digest=found.get("target", ""),
        equal=bool(found.get("source")) and found["source"] == found["target"],
        left_out=f"{spoken(left)} (sent {disk.send.value})" if (left := disk.decision) else "",
        table=visible(found.get("table", "")),
    )


def probe_lines(told: Moments) -> tuple[Probe, ...]:
    """Return what was asked of each VM at the other site, and what came back."""
    return tuple(_probe(told, step) for step in told.history.runbook.steps if step.kind == "probe")


def _probe(told: Moments, step: Step) -> Probe:
    result = told.result(step.id)
    return Probe(
        vm=told.vm_name(step.subject),
        step=step.id,
        asked=visible(result.get("question", "") or step.params.get("name", "") or "its tools"),
        status=told.history.status[step.id].value,
        answer=visible(str(result.get("detail", ""))) or said_of(told, step),
        at=told.last(step.id, Event.DONE) or ended_at(told, step),
        waited_s=result.get("waited_s"),
        times=result.get("times"),
        optional=step.optional,
    )


def hook_lines(told: Moments) -> tuple[Hook, ...]:
    """Return what the programs of the conduct did."""
    return tuple(
        Hook(
            step=step.id,
            title=step.title,
            status=told.history.status[step.id].value,
            at=ended_at(told, step),
            said=said_of(told, step),
        )
        for step in told.history.runbook.steps
        if step.kind == "hook"
    )


def kept_writes(told: Moments) -> tuple[Kept, ...]:
    """Return the checkpoints that a rollback kept of what the target wrote."""
    return tuple(
        Kept(name=one.detail["name"], bytes=one.detail["bytes"], path=one.detail["path"])
        for one in told.of_events(Event.UNDONE)
        if "path" in one.detail
    )
