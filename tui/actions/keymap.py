"""Which keys do what: the action table with the keys a person chose instead.

Screens take their bindings from here, so that a key is documented exactly where it works.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from planner.errors import BadInput
from planner.names import visible
from tui.actions.action import Action, shown_key
from tui.actions.table import ACTIONS, actions_at

if TYPE_CHECKING:
    from textual.binding import Binding


def bindings_at(place: str) -> list[Binding | tuple[str, str] | tuple[str, str, str]]:
    """Return the Textual bindings of a place; each asks ``act``, which knows why not."""
    from textual.binding import Binding

    return [
        Binding(action.key, f"act('{action.id}')", action.title, show=False,
                priority=action.id.startswith("panel"), id=action.id)
        for action in actions_at(place)
    ]  # fmt: skip


def checked(chosen: Mapping[str, str], file: str) -> dict[str, str]:
    """Return the chosen keys by action id; raises BadInput for an unknown action and a key taken twice."""
    known = {action.id: action for action in ACTIONS}
    for name in chosen:
        if name not in known:
            raise BadInput(
                f"{file}: keys: there is no action {visible(name, 40)}", "the names stand in the help (?)"
            )
    for place in {place for action in ACTIONS for place in action.places}:
        taken: dict[str, str] = {}
        for action in actions_at(place):
            for key in chosen.get(action.id, action.key).split(","):
                if key.strip() in taken and (action.id in chosen or taken[key.strip()] in chosen):
                    raise BadInput(
                        f"{file}: keys: {visible(key, 20)} is asked for {taken[key.strip()]} and {action.id}",
                        "give one of them another key",
                    )
                taken[key.strip()] = action.id
    return dict(chosen)


def shown(action: Action, chosen: Mapping[str, str]) -> str:
    """Return the key of an action as people read it."""
    return shown_key(chosen.get(action.id, action.key))
