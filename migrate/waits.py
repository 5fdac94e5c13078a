"""What a run waits for that neither it nor its people do: a clause for them, read from the record."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from migrate.run.history import History
    from migrate.run.runbook import Step


def held_up(history: History) -> Mapping[str, Any]:
    """Return what the first step waits for whose turn has come (``why``, ``since``); empty for nothing."""
    return min(history.held.values(), key=lambda held: str(held["since"]), default={})


def clause(held: Mapping[str, Any]) -> str:
    """Return it in words, harmless to print: ``waits for a foreign snapshot of db-1 since … UTC``."""
    since = str(held["since"])[:16].replace("T", " ")
    return f"waits for {held['why']} since {since} UTC"


def titled(history: History, step: Step) -> str:
    """Return the title of a step, with what it waits for."""
    held = history.held.get(step.id)
    return f"{step.title} {clause(held)}" if held else step.title
