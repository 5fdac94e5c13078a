"""What going back costs, in words: for gates and before a rollback."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from migrate.gates.way_back import GoingBack


def cost(back: GoingBack) -> str:
    """Return one sentence on what going back from here undoes and loses."""
    from planner.units import show_count, show_duration

    if back.verb == "failback":
        return "there is no rollback after commit: the way back is failback"
    parts = [f"{back.verb} undoes {show_count(len(back.steps), 'step')}"]
    if back.down_s is not None:
        parts.append(f"a VM was down for up to {show_duration(back.down_s)} (since {_at(back.down_since)})")
    else:
        parts.append("no VM was stopped")
    if back.on_since:
        parts.append(f"{loss(back)}, kept as a checkpoint")
    return "; ".join(parts)


def loss(back: GoingBack) -> str:
    """Return what the site it came to wrote by itself and since when."""
    from planner.units import show_bytes

    amount = "an unknown amount" if back.written_bytes is None else show_bytes(back.written_bytes)
    return f"the {back.wrote} wrote {amount} since {_at(back.on_since)}"


def document(back: GoingBack) -> dict[str, Any]:
    """Return the same as plain JSON data; None is unknown."""
    return {
        "verb": back.verb,
        "steps": [step.id for step in back.steps],
        "down_since": back.down_since,
        "down_s": back.down_s,
        "on_since": back.on_since,
        "written_bytes": back.written_bytes,
    }


def _at(stamp: str) -> str:
    return f"{stamp[:16].replace('T', ' ')} UTC"
