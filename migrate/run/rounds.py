"""One more round of a run that waits for its go: its number, and its steps the way the run goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.run.actions import Wait, next_actions
from migrate.run.ahead_steps import is_ahead, unfrozen_in
from migrate.run.compose import another_cycle, another_round
from migrate.run.compose_failback import another_reverse_cycle, another_reverse_round
from migrate.run.runbook import GO
from migrate.run.store import RunKind

if TYPE_CHECKING:
    from migrate.run.history import History
    from migrate.run.runbook import Step
    from planner.plan import Wave


def waiting(history: History) -> set[str]:
    """Return the gates that wait for somebody's word."""
    return {action.step.id for action in next_actions(history.runbook, history) if isinstance(action, Wait)}


def next_round(history: History) -> int | None:
    """Return the number of one more round (0 was the seed) for a run that waits for its go, else None."""
    if GO not in waiting(history):
        return None
    return 1 + max((_number(step) for step in history.runbook.steps), default=-1)


def _number(step: Step) -> int:
    last = step.id.rpartition("/")[2]
    if step.kind == "snapshot" or is_ahead(step):
        return int(last) if last.isdecimal() else 0
    return -1


def round_of(
    kind: RunKind, wave: Wave, number: int, history: History, *, proven: bool = True
) -> tuple[Step, ...]:
    """Return the steps of one more round, the way a run of that kind goes; it freezes what that one does."""
    unfrozen = unfrozen_in(history.runbook)
    if kind is RunKind.FAILBACK:
        return (another_reverse_round if proven else another_reverse_cycle)(wave, number, unfrozen)
    return (another_round if proven else another_cycle)(wave, number, unfrozen)
