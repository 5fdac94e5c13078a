"""What an entry of a run's record says, in a few harmless words: for narration and for screens."""

from __future__ import annotations

from typing import Any

from migrate.papers.evidence import evidence, undo_evidence
from migrate.run.history import Event
from migrate.waiting import clause, rests
from planner.names import visible
from planner.units import show_count

_FAILED = frozenset({Event.FAILED, Event.UNDO_FAILED, Event.UNKNOWN})


def said(event: Event, step_kind: str, detail: dict[str, Any]) -> str:
    """Return what an entry says for itself, empty when it says no more than its event."""
    try:
        return _said(event, step_kind, detail)
    except (
        KeyError,
        TypeError,
        ValueError,
    ):  # of an older wherry, or damaged: the rest is shown
        return "what it left cannot be read"


def _said(event: Event, step_kind: str, detail: dict[str, Any]) -> str:
    if event in _FAILED:
        again = rests(detail)
        hint = f" ({detail['hint']})" if detail.get("hint") else ""
        return visible(f"{detail['message']}{hint}") + (f"; {again}" if again else "")
    match event:
        case Event.DONE | Event.APPROVED:
            if detail.get("asked"):
                return "had happened before the interruption, not repeated"
            return evidence(step_kind, detail)
        case Event.UNDONE:
            return undo_evidence(step_kind, detail)
        case Event.NOT_DONE:
            return "had not happened before the interruption"
        case Event.SKIPPED:
            why = detail.get("reason") or detail.get("message") or ""
            by = f" by {detail['who']}" if detail.get("who") else ""
            return visible(f"passed over{by}{f': {why}' if why else ''}")
        case Event.HELD:
            return visible(clause(detail))
        case Event.GIVEN_UP:
            return visible(f"given up: {detail['why']}")
        case Event.CYCLE:
            return f"one more round of {show_count(len(detail['steps']), 'step')}"
        case Event.RETRY | Event.ROLLBACK | Event.ABORT if detail.get("who"):
            return visible(f"asked for by {detail['who']}")
        case Event.OVERLOOKED:
            return visible(f"goes on beside snapshots of others, says {detail['who']}: {detail['reason']}")
    return ""
