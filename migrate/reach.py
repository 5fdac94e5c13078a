"""Whether the history of a wave reaches back as far as was wanted, as its last cycles found it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from migrate.run.history import Mode, Status
from migrate.run.runbook import GO, part_of
from planner.units import show_duration

if TYPE_CHECKING:
    from migrate.run.history import History


def short_history(history: History) -> str:
    """Return how far the shortest history of a group falls short; empty when none does.

    With the cutover history ends, so from the go on nothing is missing.
    """
    if history.mode is not Mode.FORWARD or history.status[GO] is not Status.PENDING:
        return ""
    newest: dict[str, tuple[float, float]] = {}
    for step in history.runbook.steps:  # in order: later rounds replace earlier ones
        if step.kind == "checkpoint" and (found := history.results.get(step.id, {}).get("history")):
            group = part_of(step.id)
            newest.pop(group, None)
            if found["is_short"]:
                newest[group] = (float(found["history_s"]), float(found["wanted_s"]))
    if not newest:
        return ""
    reaches, wanted = min(newest.values())
    return f"{show_duration(reaches)} of {show_duration(wanted)}"
