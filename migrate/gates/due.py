"""What time alone will do: gates that open, commit windows that end, appointments and cycles that come.

Whoever carries it out asks ``next_due`` and does what ``at`` says has come. Nothing is done late: what
was due more than ``GRACE`` ago, while nobody looked, is an alarm and left to a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from migrate import audit
from migrate.gates import words
from migrate.gates.asking import ask, waiting
from migrate.gates.ending import act_at_end, ends_at
from migrate.gates.opening import Open
from migrate.run import cycles
from migrate.run import store as runs
from migrate.run.history import History, Mode, Status
from migrate.run.orders import REVERSE
from migrate.run.reprotecting import again_at, begins_at
from migrate.run.runbook import COMMIT, GO, Phase, Step
from migrate.run.store import RunKind
from migrate.run.waves import standing_waves, waves_with_runs
from migrate.schedule import calendar
from migrate.waiting import clause, held_up
from planner.conduct import Ending
from planner.effects import Effect
from planner.store import plans
from planner.units import show_duration

if TYPE_CHECKING:
    from migrate.run.store import Run
    from migrate.run.waves import StandingRow
    from migrate.schedule.calendar import Appointment
    from planner.store.project import Project

GRACE = timedelta(minutes=15)
ALARM = "alarm"  # the act of the audit line that says that somebody was told


class Cause(StrEnum):
    """Why time does something."""

    GATE = "gate"
    ENDING = "ending"
    APPOINTMENT = "appointment"
    CYCLE = "cycle"
    BREACH = "breach"


@dataclass(frozen=True, slots=True)
class Due:
    """Something that time does to a wave at ``at``; it has come when that is not after now.

    ``purpose`` is the verb to carry out, empty when somebody has to be told instead. ``number`` is the
    run's, of an appointment its own.
    """

    at: datetime
    cause: Cause
    wave: str
    purpose: str
    why: str
    number: int


def next_due(project: Project, now: datetime) -> list[Due]:
    """Return what time will do, soonest first; alarms that were sounded are left out."""
    head = plans.find_head(project)
    if head is None:
        return []
    found: list[Due] = []
    rows = {row.wave.name: row for row in standing_waves(project, head.version)}
    for row in rows.values():
        if row.run is not None and row.history is not None and runs.outcome(row.history) is None:
            found += _of_run(project, row.run, row.history, now)
        elif row.run is not None and (at := begins_at(project, row.run)) is not None:
            why = "nobody protects it at its source"
            found.append(Due(at, Cause.CYCLE, row.wave.name, REVERSE, why, row.run.id))
    for name in waves_with_runs(project, RunKind.FAILBACK):
        home = runs.latest(project, name, RunKind.FAILBACK)
        if home is not None and runs.outcome(back := runs.history(project, home)) is None:
            found += _of_run(project, home, back, now)
    for entry in calendar.standing(project):
        found.append(of_appointment(entry, rows.get(entry.wave), now))
    sounded = _sounded(project)
    return sorted(
        (due for due in found if due.purpose or _key(due) not in sounded),
        key=lambda due: (due.at, due.wave, due.cause),
    )


def sound(project: Project, due: Due) -> None:
    """Note that somebody was told of what is due, so that it is told once; ends its appointment."""
    if due.cause is Cause.APPOINTMENT:
        calendar.end(project, due.number, due.why)
    detail = {"cause": due.cause.value, "number": due.number, "why": due.why}
    audit.note(project, Effect.LIVE, ALARM, due.wave, detail)


def _key(due: Due) -> tuple[str, int]:
    return due.cause.value, due.number


def _sounded(project: Project) -> set[tuple[str, int]]:
    import json

    details = (
        json.loads(row["detail"]) for row in project.rows("SELECT detail FROM audit WHERE act = ?", ALARM)
    )
    return {(detail["cause"], detail["number"]) for detail in details}


def _of_run(project: Project, run: Run, history: History, now: datetime) -> Iterator[Due]:
    if history.mode is not Mode.FORWARD:
        return
    opens = False
    for gate in waiting(history):
        answer = ask(project, run, history, gate, now)
        if isinstance(answer, Open) and "policy" not in answer.evidence:
            opens = True
            yield Due(now, Cause.GATE, run.wave, _purpose(run, gate), f"{gate.title} is open", run.id)
            continue
        if not isinstance(answer, Open) and answer.until is not None:
            yield Due(answer.until, Cause.GATE, run.wave, _purpose(run, gate), f"{gate.title} opens", run.id)
        if gate.id == COMMIT:
            yield _end(project, run, history, now)
    if not opens:  # the cutover has a last delta of its own
        yield from _of_copies(project, run, history)


def _of_copies(project: Project, run: Run, history: History) -> Iterator[Due]:
    """Yield the next cycle of a run, and when its copies are older than was approved."""
    at = cycles.copied_at(run, history, cycles.times_of(project, run.id))
    if (again := again_at(project, run, history)) is not None:
        yield Due(again, Cause.CYCLE, run.wave, REVERSE, "its first round home failed", run.id)
    if (due := cycles.next_cycle(project, run, history, at)) is not None:
        verb = REVERSE if run.kind is RunKind.FAILBACK else "replicate"
        yield Due(due, Cause.CYCLE, run.wave, verb, f"its copies of {at} get old", run.id)
    target_s = cycles.target_s(history)
    if at and target_s and history.status[GO] is Status.PENDING and cycles.has_cycles(run, history):
        instant = datetime.fromisoformat(at)
        why = f"its copies are over {show_duration(target_s)} old: they are of {at}"
        if held := held_up(history):
            why = f"{why}, and a delta {clause(held)}"
        late = instant + timedelta(seconds=target_s)
        yield Due(late, Cause.BREACH, run.wave, "", why, int(instant.timestamp()))


def _purpose(run: Run, gate: Step) -> str:
    """Return the verb that goes on from a gate."""
    if gate.phase is Phase.COMMIT:
        return "commit"
    return "failback" if run.kind is RunKind.FAILBACK else "cutover"


def _end(project: Project, run: Run, history: History, now: datetime) -> Due:
    wave = plans.wave(project, run.plan, run.wave)
    end = ends_at(project, run, wave.policies.commit_window_h)
    ending = Ending() if run.kind is RunKind.FAILBACK else wave.conduct.ending  # that is for the way out
    said = words.of(project, run.id, COMMIT)
    act, why = act_at_end(ending, history, said, run.fingerprint, end, now)
    if act != "alarm" and now - end > GRACE:
        act, why = "alarm", f"{why}, and that was {show_duration((now - end).total_seconds())} ago"
    return Due(end, Cause.ENDING, run.wave, "" if act == "alarm" else act, why, run.id)


def of_appointment(entry: Appointment, row: StandingRow | None, now: datetime) -> Due:
    """Return what an appointment does, or why it does nothing any more; ``row`` is its wave's, if any."""
    why, purpose = calendar.title(entry), entry.purpose.value
    if row is None or row.wave.fingerprint != entry.fingerprint:
        why, purpose = f"{why} was for another plan of the wave", ""
    elif now - entry.at > GRACE:
        why, purpose = f"{why} was missed: nothing looked at the calendar then", ""
    return Due(entry.at, Cause.APPOINTMENT, entry.wave, purpose, why, entry.id)
