"""What a person decides about one step of a run: another try, or that it is passed over with a reason.

Only what others can do without is ever passed over: a probe, a hook, a note, the freeze before the stop.
What carries data, proves it, changes a VM or looks whether it runs is not: the way on would rest on
nothing. Both are entries of the record; whoever drives the run next goes on from there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from migrate import audit
from migrate.audit import person
from migrate.run import controls
from migrate.run import store as runs
from migrate.run.actions import to_retry, waits
from migrate.run.history import Entry, Event, History, Mode, Status
from migrate.run.record import Record, StepRecord
from migrate.run.runbook import Step
from planner.effects import Effect
from planner.errors import BadInput, Blocked, PastEnd
from planner.names import visible

if TYPE_CHECKING:
    from migrate.run.store import Run
    from planner.store.project import Project

PASSABLE = frozenset({"probe", "hook", "note", "quiesce", "fold"})
_LONGEST_REASON = 500


def failed(history: History) -> list[Step]:
    """Return the steps that failed or wait after a failure, on the way the run goes."""
    return [history.runbook.step(step) for step in to_retry(history)]


def why_not(history: History, step: Step) -> str:
    """Return why a step may not be passed over, empty when it may."""
    title = visible(step.title)
    if step.is_gate:
        return f"{title} is a gate: it is opened, not passed over"
    if step.kind not in PASSABLE:
        if step.effect is Effect.DESTRUCTIVE:
            return f"{title} changes a VM for good, and what comes after it builds on that"
        return f"{title} carries or proves what comes after it ({step.kind}), which cannot do without"
    if history.mode is not Mode.FORWARD:
        return f"the run is on its way back, where nothing is passed over, so neither is {title}"
    if history.status[step.id] not in (Status.FAILED, Status.PENDING):
        return f"{title} is {history.status[step.id].value}"
    return ""


def check_skip(history: History, step: Step, reason: str) -> str:
    """Return the reason as it is kept; raises BadInput without one, Blocked when the step must not be."""
    if said := why_not(history, step):
        raise Blocked(f"{said}, so it is not skipped", "find the cause, then 'wherry run retry', or go back")
    return kept_reason(f"{visible(step.title)} is not skipped", reason)


def kept_reason(what: str, reason: str) -> str:
    """Return a reason as it is kept; raises BadInput that says ``what`` is not done without one."""
    reason = reason.strip()
    if not reason:
        raise BadInput(f"{what} without a reason", "add --reason TEXT")
    if len(reason) > _LONGEST_REASON:
        raise BadInput(
            f"the reason has {len(reason)} characters, {_LONGEST_REASON} are kept", "say it shorter"
        )
    return reason


def skip(project: Project, run: Run, history: History, step: Step, reason: str) -> None:
    """Pass a step over in the name of who runs this; raises BadInput, Blocked, ProjectBusy."""
    reason = check_skip(history, step, reason)
    with runs.held(project, run.wave):
        _unchanged(project, run, history)
        failure = history.failures.get(step.id, {})
        detail = {"who": person(), "reason": reason, "message": str(failure.get("message", ""))}
        record = StepRecord(project, run.id, history, person())
        record.append(Entry(step.id, Event.SKIPPED, history.attempts.get(step.id, 1), detail))


def retry(project: Project, run: Run, history: History, step: Step) -> None:
    """Note that who runs this asks for another try at a failed step; raises Blocked, ProjectBusy."""
    if step not in failed(history):
        raise Blocked(
            f"{visible(step.title)} is {history.status[step.id].value}, only what failed is tried again",
            f"see 'wherry gate list {run.wave}'",
        )
    with runs.held(project, run.wave):
        _unchanged(project, run, history)
        record = StepRecord(project, run.id, history, person())
        spoiled = _spoiled(history, step.id)
        detail = {"who": person()}
        record.append(Entry(step.id, Event.RETRY, history.attempts.get(step.id, 1), detail))
        _give_up(history, record, spoiled)
    audit.note(project, Effect.LIVE, f"retry {step.id}", run.wave, {"run": run.id})


def hurry(project: Project, run: Run, history: History, steps: Sequence[Step]) -> None:
    """Ask the process that drives a run to try at once what rests; raises Blocked when a step does not."""
    for step in steps:
        if not waits(history, step.id):
            raise Blocked(
                f"{visible(step.title)} does not rest, and a process is at work on {run.wave}",
                f"watch it with 'wherry status --watch', or stop it with 'wherry pause {run.wave}'",
            )
    controls.ask_to_hurry(project, run.wave)


def retry_all(history: History, record: Record, asked_s: float = math.inf) -> None:
    """Note that a person asks for another try at all that failed, with its whole patience.

    ``asked_s`` is when that was: what failed later, in seconds since 1970, has had that patience.
    """
    spoiled: dict[str, str] = {}
    for step in to_retry(history):
        spent = history.spent.get(step)
        if spent is None or spent.at_s <= asked_s:
            spoiled |= _spoiled(history, step)
            record.append(Entry(step, Event.RETRY, history.attempts.get(step, 1)))
    _give_up(history, record, spoiled)


def _spoiled(history: History, step: str) -> dict[str, str]:
    """Return the snapshot in which a step found what a person has cleared away since, with what that was."""
    failure, snapshot = history.failures.get(step, {}), history.runbook.step(step).params.get("snapshot", "")
    is_spoiled = bool(snapshot) and history.mode is Mode.FORWARD and failure.get("error") == PastEnd.code
    return {snapshot: str(failure["message"])} if is_spoiled else {}


def _give_up(history: History, record: Record, spoiled: Mapping[str, str]) -> None:
    """Have rounds begin anew, for their snapshots hold for ever what they were found to hold."""
    for snapshot, why in spoiled.items():
        if history.can_give_up(snapshot):
            record.append(Entry(snapshot, Event.GIVEN_UP, history.attempts.get(snapshot, 1), {"why": why}))


def passed_over(history: History, step: str) -> str:
    """Return by whom and why a step was passed over, harmless to print; empty when it was not."""
    if history.status[step] is not Status.SKIPPED:
        return ""
    detail = next(
        entry.detail
        for entry in reversed(history.entries)
        if entry.step == step and entry.event is Event.SKIPPED
    )
    if who := detail.get("who"):
        return visible(f"passed over by {who}: {detail.get('reason', '')}")
    return visible(f"passed over: {detail.get('message', '')}")


def _unchanged(project: Project, run: Run, history: History) -> None:
    """Raise Blocked when the run went on since it was looked at."""
    if len(runs.history(project, run).entries) != len(history.entries):
        raise Blocked(f"{run.wave} went on in the meantime", "look again: wherry status")
