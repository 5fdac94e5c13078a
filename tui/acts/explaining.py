"""Why a group moves in its wave, as verbs and screens tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from planner.waves.explain import Tried, Why


def explained(found: Why) -> dict[str, Any]:
    """Return it as it stands in documents."""
    return {
        "group": found.group.name,
        "vms": list(found.group.vms),
        "wave": found.wave,
        "moves_with": list(found.with_it),
        "held": list(found.held),
        "earlier_waves": [_tried(one) for one in found.tried],
        "nearest_earlier": _tried(found.earlier),
        "nearest_later": _tried(found.later),
    }


def _tried(one: Tried | None) -> dict[str, Any] | None:
    from tui.acts.editing import figures, spoken

    if one is None:
        return None
    return {"wave": one.wave, "why": list(one.why), "delta": figures(one.delta), "spoken": spoken(one.delta)}
