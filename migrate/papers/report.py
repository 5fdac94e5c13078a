"""The run report: what was done to a wave, step by step, with its evidence.

Everything is read from the step record; a time is the moment an entry became durable.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from migrate import audit
from migrate.papers.evidence import evidence, undo_evidence
from migrate.papers.moments import Moments
from migrate.papers.objectives import Figures, figures
from migrate.run import store as runs
from migrate.run.history import Event, History
from migrate.run.levers import passed_over
from migrate.run.runbook import Step
from migrate.status import word_of
from planner.errors import NotFound
from planner.export.printout import becomes
from planner.plan import PlannedDisk, Wave
from planner.sending import spoken
from planner.store import approvals, plans
from planner.store.project import Project, utc_now

SCHEMA = "wherry.run-report/1"
_OUTAGE = ("stop", "probe")


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step: when it began and ended, how often it was tried, what it said."""

    step: str
    kind: str
    title: str
    effect: str
    status: str
    begun: str
    ended: str
    seconds: float | None
    attempts: int
    said: str


@dataclass(frozen=True, slots=True)
class DiskProof:
    """The full-disk digests of one volume at cutover, empty when it was not compared.

    A disk that is ``left_out`` by decision never is.
    """

    disk: str
    volume: str
    size_bytes: int
    was: str
    became: str
    source_digest: str
    target_digest: str
    equal: bool
    left_out: str = ""  # who decided that it is sent once or never, and why


@dataclass(frozen=True, slots=True)
class Outage:
    """How long a VM was down at the cutover: stopped at the source to probed at the target."""

    vm: str
    name: str
    seconds: float | None
    planned_p95_min: float


@dataclass(frozen=True, slots=True)
class RunReport:
    """Everything about one run of one wave."""

    schema: str
    project: str
    wave: str
    title: str
    run: int
    state: str
    plan: int
    fingerprint: str
    approved_by: str
    approved_at: str
    begun: str
    printed: str
    begun_by: str
    audit_digest: str
    disks: tuple[DiskProof, ...]
    outages: tuple[Outage, ...]
    objectives: Figures
    groups: tuple[Figures, ...]
    vms: tuple[Figures, ...]
    kept: tuple[dict[str, Any], ...]
    steps: tuple[StepLine, ...]


def run_report(project: Project, wave_name: str) -> RunReport:
    """Return the report of the newest run of a wave; raises NotFound when there was none."""
    run = runs.latest(project, wave_name)
    if run is None:
        raise NotFound(f"{wave_name} has no run to report on", "see 'wherry status'")
    history = runs.history(project, run)
    plan = plans.get(project, run.plan).plan
    wave = plan.wave(run.wave)
    given = approvals.valid(project, plan).get(wave.name)
    lines = audit.lines(project)
    times = _times(project, run.id)
    whole, groups, vms = figures(Moments(project, run))
    return RunReport(
        schema=SCHEMA,
        project=project.name,
        wave=wave.name,
        title=wave.title,
        run=run.id,
        state=word_of(history, running=runs.is_held(project, wave.name)),
        plan=run.plan,
        fingerprint=run.fingerprint,
        approved_by=given.who if given else "",
        approved_at=given.at if given else "",
        begun=run.at,
        printed=utc_now(),
        begun_by=run.who,
        audit_digest=lines[-1].digest if lines else audit.GENESIS,
        disks=tuple(_proof(wave, disk, history) for disk in wave.disks),
        outages=tuple(_outages(wave, history, times)),
        objectives=whole,
        groups=groups,
        vms=vms,
        kept=tuple(_kept(project, run.id)),
        steps=tuple(_line(step, history, times) for step in history.runbook.steps),
    )


def _times(project: Project, run: int) -> dict[tuple[str, str], tuple[str, str]]:
    """Return (first, last) time of each event of each step."""
    times: dict[tuple[str, str], tuple[str, str]] = {}
    for row in project.rows("SELECT step, kind, at FROM step_record WHERE run = ? ORDER BY seq", run):
        key = (row["step"], row["kind"])
        times[key] = (times.get(key, (row["at"], ""))[0], row["at"])
    return times


def _between(begun: str, ended: str) -> float | None:
    if not begun or not ended:
        return None
    return round((datetime.fromisoformat(ended) - datetime.fromisoformat(begun)).total_seconds(), 3)


def _line(step: Step, history: History, times: dict[tuple[str, str], tuple[str, str]]) -> StepLine:
    ended = next(
        (
            times[step.id, event][1]
            for event in (Event.UNDONE, Event.DONE, Event.APPROVED, Event.FAILED)
            if (step.id, event) in times
        ),
        "",
    )
    begun = times.get((step.id, Event.INTENT), ("", ""))[0]
    said = evidence(step.kind, history.results[step.id]) if step.id in history.results else ""
    if step.id in history.undone:
        said = undo_evidence(step.kind, history.undone[step.id])
    elif over := passed_over(history, step.id):
        said = over
    elif step.id in history.failures:
        said = str(history.failures[step.id].get("message", ""))
    return StepLine(
        step=step.id,
        kind=step.kind,
        title=step.title,
        effect=step.effect.value,
        status=history.status[step.id].value,
        begun=begun,
        ended=ended,
        seconds=_between(begun, ended),
        attempts=history.attempts.get(step.id, 0),
        said=said,
    )


def _proof(wave: Wave, disk: PlannedDisk, history: History) -> DiskProof:
    found: dict[str, Any] = next(
        (
            history.results[step.id]
            for step in history.runbook.steps
            if step.kind == "verify" and step.subject == disk.volume and step.id in history.results
        ),
        {},
    )
    holder = disk.attachments[0]
    return DiskProof(
        disk=f"{wave.vm(holder.vm).name} {holder.label}",
        volume=disk.volume,
        size_bytes=disk.size_bytes,
        was=disk.source.value,
        became=becomes(disk),
        source_digest=found.get("source", ""),
        target_digest=found.get("target", ""),
        equal=bool(found.get("source")) and found["source"] == found["target"],
        left_out=f"{spoken(left)} (sent {disk.send.value})" if (left := disk.decision) else "",
    )


def _outages(wave: Wave, history: History, times: dict[tuple[str, str], tuple[str, str]]) -> Iterator[Outage]:
    steps = {(step.kind, step.subject): step.id for step in history.runbook.steps}
    for vm in wave.vms:
        stop = times.get((steps.get(("stop", vm.id), ""), Event.INTENT), ("", ""))[0]
        probe = times.get((steps.get(("probe", vm.id), ""), Event.DONE), ("", ""))[1]
        if any(history.results.get(steps.get((kind, vm.id), ""), {}).get("recovered") for kind in _OUTAGE):
            stop = ""  # those are the times of the recovery
        yield Outage(vm.id, vm.name, _between(stop, probe), wave.estimate.downtime_min.p95)


def _kept(project: Project, run: int) -> Iterator[dict[str, Any]]:
    """Yield the checkpoints that a rollback of this run kept."""
    rows = project.rows(
        "SELECT detail FROM step_record WHERE run = ? AND kind = ? ORDER BY seq", run, Event.UNDONE
    )
    for row in rows:
        detail = json.loads(row["detail"])
        if "path" in detail:
            yield detail
