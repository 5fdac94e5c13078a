"""The run report: what was done to a wave, what was planned, what went otherwise, and what proves it.

Everything is read from the record of steps and what lies beside it; a time is the moment an entry became
durable. ``planner.run_report`` is what it looks like.
"""

from __future__ import annotations

from migrate.papers.deviations.register import KINDS, deviations, not_looked_for
from migrate.papers.moments import Moments
from migrate.papers.objectives import figures
from migrate.papers.phases import phases, window
from migrate.papers.proofs import disk_proofs, hook_lines, kept_writes, probe_lines, step_lines
from migrate.papers.statements import audit_head, gates, rehearsals, reminder
from migrate.papers.timeline import marks, rows
from migrate.run import store as runs
from migrate.run.actions import Outcome
from migrate.run.history import SETTLED, Mode
from migrate.run.store import RunKind
from migrate.states import State
from migrate.wave_status import word_of
from planner.errors import NotFound
from planner.run_report import SCHEMA, AuditHead, CycleLine, OtherRun, RunReport
from planner.store import approvals
from planner.store.project import Project


def run_report(
    project: Project, wave_name: str, kind: RunKind = RunKind.WAVE, audit: AuditHead | None = None
) -> RunReport:
    """Return the report of the newest run of a wave, or of its way home; raises NotFound without one.

    ``audit`` is the head of the chain as ``audit_head`` tells it, for those who ask for many reports.
    """
    run = runs.latest(project, wave_name, kind)
    if run is None:
        raise NotFound(f"{wave_name} has no run to report on", "see 'wherry status'")
    told = Moments(project, run)
    wave = told.wave
    given = approvals.valid(project, told.plan).get(wave.name)
    whole, groups, vms = figures(told)
    return RunReport(
        schema_=SCHEMA,
        project=project.name,
        wave=wave.name,
        title=wave.title,
        kind="failback" if run.kind is RunKind.FAILBACK else "wave",
        run=run.id,
        state=_state(told),
        over=told.over,
        missing=_missing(told),
        recovered=told.recovered,
        plan=run.plan,
        fingerprint=run.fingerprint,
        approved_by=given.who if given else "",
        approved_at=given.at if given else "",
        begun=run.at,
        begun_by=run.who,
        ended=told.last_at if told.over else "",
        printed=told.printed,
        audit=audit or audit_head(project),
        window=window(told),
        objectives=whole,
        groups=groups,
        vms=vms,
        phases=phases(told),
        deviations=deviations(told),
        looked_for=tuple(KINDS),
        not_looked_for=not_looked_for(told),
        gates=gates(told),
        disks=disk_proofs(told),
        probes=probe_lines(told),
        hooks=hook_lines(told),
        rows=rows(told),
        marks=marks(told),
        kept=kept_writes(told),
        rehearsals=rehearsals(told),
        reminder=reminder(told),
        cycles=_cycles(told),
        others=_others(told),
        steps=step_lines(told),
    )


def _state(told: Moments) -> str:
    """Return the state of the run in words; of a way home that is over, how it ended."""
    home = told.run.kind is RunKind.FAILBACK
    if home and (ended := runs.outcome(told.history)) is not None:
        return State.FAILED_BACK.value if ended is Outcome.COMMITTED else ended.value
    return word_of(told.history, running=runs.is_held(told.project, told.wave.name), home=home)


def _missing(told: Moments) -> tuple[str, ...]:
    """Return the titles of what is still to come, empty when the run is over."""
    if told.over:
        return ()
    history = told.history
    if history.mode is Mode.FORWARD or history.back is None:
        return tuple(step.title for step in history.runbook.steps if history.status[step.id] not in SETTLED)
    left = history.back.left
    return tuple(f"{step.title}, undone" for step in history.runbook.steps if step.id in left)


def _cycles(told: Moments) -> tuple[CycleLine, ...]:
    names = {f"g{at}": group.name for at, group in enumerate(told.wave.groups)}
    return tuple(
        CycleLine(
            group=names.get(one.part, one.part),
            number=one.number,
            instant=one.instant,
            ended=one.ended_at,
            data_bytes=one.data_bytes,
            wire_bytes=one.wire_bytes,
        )
        for one in told.cycles
    )


def _others(told: Moments) -> tuple[OtherRun, ...]:
    """Return the other runs of the wave: earlier and later ones, its way home, its remedies."""
    return tuple(
        OtherRun(run=run.id, kind=run.kind.value, begun=run.at, state=_ended_as(told.project, run))
        for run in runs.of_wave(told.project, told.wave.name)
        if run.id != told.run.id
    )


def _ended_as(project: Project, run: runs.Run) -> str:
    ended = runs.outcome(runs.history(project, run))
    return ended.value if ended is not None else "under way"
