"""The action table: everything a person can do here, and the command that does the same.

Screens take their key bindings from it, the footer and the help are drawn from it, and a test holds
its command-line twins against the verbs. An action says where it works, what effect it has and, when
it cannot be used now, why not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from planner.effects import Effect

if TYPE_CHECKING:
    from textual.binding import Binding

    from tui.session import View

    BindingShape = Binding | tuple[str, str] | tuple[str, str, str]  # what Textual's classes say


@dataclass(frozen=True, slots=True)
class Place:
    """A working place of the tab line. ``later`` says what to use while it does not exist."""

    id: str
    key: str
    title: str
    question: str
    twin: str
    later: str = ""


PLACES = (
    Place("overview", "1", "Overview", "where are we, what needs me", "status"),
    Place("inventory", "2", "Inventory", "what do we have", "inventory"),
    Place("dependencies", "3", "Dependencies", "what must go together", "deps",
          "use 'wherry deps'; groups and reasons are in 4 Waves"),
    Place("waves", "4", "Waves", "when does what move, and why so", "plan"),
    Place("rehearse", "5", "Rehearse", "would it work, how long", "rehearse",
          "use 'wherry rehearse WAVE'"),
    Place("replicate", "6", "Replicate", "is the copy fresh", "replicate",
          "use 'wherry replicate WAVE'"),
    Place("cutover", "7", "Cutover", "go, wait or back", "cutover", "use 'wherry cutover WAVE'"),
    Place("journal", "8", "Journal", "who did what, when", "log", "use 'wherry log'"),
)  # fmt: skip
READY = tuple(place for place in PLACES if not place.later)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can do. ``do`` is the Textual action, ``places`` empty means everywhere."""

    id: str
    key: str
    shown: str  # the key as people read it
    title: str
    do: str
    places: tuple[str, ...] = ()
    effect: Effect = Effect.VIEW
    twin: str = ""  # the wherry verb that does the same, empty when it only moves the eye
    needs: str = ""  # "inventory" or "plan": what the project must have
    foot: bool = False  # shown in the footer


def _goto(place: Place) -> Action:
    return Action(
        f"go.{place.id}", place.key, place.key, place.title, f"app.go('{place.id}')", twin=place.twin
    )


_TABLES = ("overview", "inventory", "waves")

ACTIONS: tuple[Action, ...] = (
    Action("open", "enter", "enter", "open", "open", _TABLES, foot=True),
    Action("filter", "slash", "/", "filter", "filter", ("inventory",), twin="inventory",
           needs="inventory", foot=True),
    Action("sort", "s", "s", "sort by the next column", "sort", _TABLES, foot=True),
    Action("reverse", "S", "S", "turn the order round", "reverse", _TABLES),
    Action("panel", "tab", "tab", "next panel", "panel(1)", _TABLES, foot=True),
    Action("panel.back", "shift+tab", "shift+tab", "previous panel", "panel(-1)", _TABLES),
    Action("refresh", "u", "u", "read again now", "app.read_now", foot=True),
    Action("back", "escape", "esc", "back", "back", foot=True),
    *map(_goto, PLACES),
    Action("help", "question_mark", "?", "help", "app.help", foot=True),
    Action("quit", "q", "q", "leave; runs go on", "app.leave", foot=True),
)  # fmt: skip

SHORT = {"sort by the next column": "sort", "read again now": "refresh", "leave; runs go on": "leave",
         "next panel": "panel"}  # fmt: skip


def actions_at(place: str, read_only: bool = False) -> tuple[Action, ...]:
    """Return the actions that exist at a place; read-only removes all above VIEW."""
    return tuple(
        action
        for action in ACTIONS
        if (not action.places or place in action.places)
        and not (read_only and action.effect is not Effect.VIEW)
    )


def why_not(action: Action, view: View) -> str:
    """Return why the action cannot be used now, empty when it can."""
    if action.needs == "inventory" and view.inventory_id is None:
        return "there is no inventory yet: run 'wherry discover FILE'"
    if action.needs == "plan" and view.plan is None:
        return "there is no plan yet: run 'wherry plan'"
    return ""


def bindings_at(place: str) -> list[BindingShape]:
    """Return the Textual bindings of a place's own actions."""
    from textual.binding import Binding

    return [
        Binding(action.key, action.do, action.title, show=False, priority=action.id.startswith("panel"))
        for action in ACTIONS
        if place in action.places or action.id == "back"
    ]


def common_bindings() -> list[BindingShape]:
    """Return the Textual bindings that work everywhere."""
    from textual.binding import Binding

    return [
        Binding(action.key, action.do.removeprefix("app."), action.title, show=False)
        for action in ACTIONS
        if not action.places and action.id != "back"
    ]
