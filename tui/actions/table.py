"""The action table: everything a person can do, and why something cannot be done now.

Keys, footer, help and palette are drawn from it, and a test holds its command-line twins against the verbs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.effects import Effect
from planner.names import visible
from tui.actions.action import Action
from tui.actions.checks import CHECKS
from tui.actions.cutover import CUTOVER
from tui.actions.dependencies import DEPENDENCIES
from tui.actions.everywhere import EVERYWHERE, LIVE, PANEL, TABLE
from tui.actions.group import GROUP
from tui.actions.inventory import INVENTORY
from tui.actions.journal import JOURNAL
from tui.actions.overview import OVERVIEW
from tui.actions.rehearse import REHEARSE
from tui.actions.replicate import REPLICATE
from tui.actions.settings import SETTINGS
from tui.actions.waves import WAVES

if TYPE_CHECKING:
    from tui.session import View

ACTIONS: tuple[Action, ...] = (
    *OVERVIEW,
    *INVENTORY,
    *CHECKS,
    *REHEARSE,
    *REPLICATE,
    *GROUP,
    *CUTOVER,
    *JOURNAL,
    *DEPENDENCIES,
    *WAVES,
    *SETTINGS,
    *LIVE,
    *TABLE,
    *PANEL,
    *EVERYWHERE,
)


_ABSENT = {
    "inventory": "there is no inventory yet: press i, or run 'wherry discover FILE'",
    "plan": "there is no plan yet: press p in 4 Waves, or run 'wherry plan'",
}


def actions_at(place: str, read_only: bool = False) -> tuple[Action, ...]:
    """Return the actions of a place, its own first; read-only removes all above VIEW."""
    return tuple(
        action
        for action in ACTIONS
        if (not action.places or place in action.places)
        and not (read_only and action.effect is not Effect.VIEW)
    )


def action_named(action_id: str) -> Action:
    """Return an action by its id."""
    return next(action for action in ACTIONS if action.id == action_id)


def why_not(action: Action, view: View, read_only: bool = False) -> str:
    """Return why the project as it is does not let an action be used, empty when it does."""
    if read_only and action.effect is not Effect.VIEW:
        return "this is the read-only view: leave it and run 'wherry ui'"
    missing = [part for part in ("inventory", "plan") if part in action.needs and not _is_there(part, view)]
    if missing and not view.complete:
        return visible(view.error) or "the project is still being read"
    return _ABSENT[missing[0]] if missing else ""


def writes_a_file(action: Action) -> bool:
    """Return whether an action puts a file on this machine: whoever looks from a browser may not."""
    return action.id in ("write", "group.restore") or action.twin == "export"


def _is_there(part: str, view: View) -> bool:
    return (view.inventory_id if part == "inventory" else view.plan) is not None
