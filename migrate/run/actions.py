"""What happens next in a run: one pure function for every driver.

An act has the moment before which it is not done (``due_s``, seconds since 1970, 0 for at once): a step that
failed rests until then. The driver waits, in a way that a person can end.

``next_actions(runbook, history)`` holds order, gates, retries, skips, undo and abort. Drivers perform
what it returns and append what came of it; they decide nothing. The foreground driver, the twin and
a durable engine differ only in clock and store.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from migrate.run.history import History, Mode, Status
from migrate.run.runbook import Phase, Runbook, Step
from planner.errors import Blocked


@dataclass(frozen=True, slots=True)
class Do:
    """Act, as attempt number ``attempt``."""

    step: Step
    attempt: int
    due_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Ask:
    """An intent has no outcome: ask the world whether it happened, then record the answer."""

    step: Step
    attempt: int
    due_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Wait:
    """A gate: somebody must say go."""

    step: Step


@dataclass(frozen=True, slots=True)
class Undo:
    """Take back what the step did. Undoing twice must be harmless: it is asked for after a crash too."""

    step: Step
    attempt: int
    due_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Decide:
    """It failed for good, or patience ended: a person chooses retry, skip, roll back or abort."""

    step: Step


@dataclass(frozen=True, slots=True)
class Skip:
    """The same at a step that others need not wait for: pass it over, with the reason."""

    step: Step
    why: dict[str, Any]


class Outcome(StrEnum):
    """How a run ended."""

    COMMITTED = "committed"
    ROLLED_BACK = "rolled back"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Finish:
    """Nothing is left to do."""

    outcome: Outcome


Action = Do | Ask | Wait | Undo | Decide | Skip | Finish

_UNTOUCHED = frozenset({Status.PENDING, Status.SKIPPED})


def next_actions(
    runbook: Runbook,
    history: History,
    in_flight: Collection[str] = (),
    unsettled: Sequence[str] | None = None,
) -> list[Action]:
    """Return what may be done now, in runbook order; steps in ``in_flight`` are being done already.

    An empty list means that work in flight must end first. Nothing is changed. ``unsettled`` are the steps
    started or failed that are not in flight, from who knows them without looking through all of them.
    """
    if history.mode is not Mode.FORWARD:
        return _backward(runbook, history, in_flight, unsettled)
    actions: list[Action] = []
    if unsettled is None:
        unsettled = [one for one in history.unsettled if one not in in_flight]
    for step_id in unsettled:
        step = runbook.step(step_id)
        if history.status[step_id] is Status.STARTED:
            actions.append(_asked(step, history))
        elif waits(history, step_id):
            actions.append(_do(step, history))
        elif step.optional:
            actions.append(Skip(step, history.failures[step.id]))
        else:
            actions.append(Decide(step))
    for position in history.ready:
        step = runbook.steps[position]
        if step.id not in in_flight and not history.is_read(step):
            actions.append(Wait(step) if step.is_gate else _do(step, history))
    if not actions and not in_flight:
        return [Finish(Outcome.COMMITTED)]
    return actions


def waits(history: History, step: str) -> bool:
    """Return whether a step failed and is tried again by itself."""
    spent = history.spent.get(step)
    return step in history.failures and spent is not None and spent.again_s is not None


def to_retry(history: History) -> list[str]:
    """Return the steps with which a person can have patience again: what failed, and what waits or waited."""
    if history.mode is Mode.FORWARD:
        failed, others = Status.FAILED, (Status.PENDING, Status.STARTED)
    else:
        failed, others = Status.UNDO_FAILED, (Status.STARTED, Status.UNDOING)
    return [
        step
        for step, status in history.status.items()
        if status is failed or (status in others and step in history.spent)
    ]


def _do(step: Step, history: History) -> Do:
    return Do(step, history.attempts.get(step.id, 0) + 1, _due_s(step, history))


def _due_s(step: Step, history: History) -> float:
    spent = history.spent.get(step.id)
    return 0.0 if spent is None or spent.again_s is None else spent.again_s


def _asked(step: Step, history: History) -> Ask | Decide:
    """Return that it is asked, or that nobody could be asked for too long."""
    spent = history.spent.get(step.id)
    if spent is not None and spent.again_s is None:
        return Decide(step)
    return Ask(step, history.attempts[step.id], _due_s(step, history))


def _backward(
    runbook: Runbook, history: History, in_flight: Collection[str], unsettled: Sequence[str] | None
) -> list[Action]:
    """Undo what the phases in question did, users before what they needed."""
    unknown: list[Action] = [
        _asked(runbook.step(step_id), history)
        for step_id in (history.unsettled if unsettled is None else unsettled)
        if history.status[step_id] is Status.STARTED and step_id not in in_flight
    ]
    if unknown:
        return unknown
    actions: list[Action] = []
    assert history.back is not None, "the run is on its way back"
    for position in reversed(history.back.due):
        step = runbook.steps[position]
        if step.id in in_flight:
            continue
        if history.status[step.id] is Status.UNDO_FAILED and not waits(history, step.id):
            actions.append(Decide(step))
        else:
            actions.append(Undo(step, history.attempts.get(step.id, 0) + 1, _due_s(step, history)))
    if not actions and not in_flight:
        return [Finish(Outcome.ROLLED_BACK if history.mode is Mode.ROLLBACK else Outcome.ABORTED)]
    return actions


def check_rollback(history: History) -> None:
    """Raise Blocked when the run is past the point of no return, or has nothing to roll back."""
    started = {
        step.phase
        for step in history.runbook.steps
        if history.status[step.id] not in _UNTOUCHED or history.tried(step.id)
    }
    wave = history.runbook.wave
    if Phase.COMMIT in started:
        raise Blocked(
            f"{wave} is committed: its source copies are fenced", "the way back after commit is failback"
        )
    if Phase.CUTOVER not in started:
        raise Blocked(f"{wave} was not cut over, so nothing can be rolled back", "see 'wherry status'")
