"""Actions of Settings: entries, windows, maps, what becomes of disks, and earlier versions."""

from __future__ import annotations

from planner.effects import Effect
from tui.actions.action import Action

_HERE = ("settings",)


def _edit(id: str, key: str, title: str, do: str, twin: str, foot: str = "") -> Action:
    return Action(f"settings.{id}", key, title, do, _HERE, Effect.EDIT_PLAN, twin, foot=foot)


SETTINGS = (
    _edit("add", "a", "add a window, freeze, pin, name …", "add", "settings edit", "add"),
    _edit("edit", "b", "change what is under the cursor …", "edit", "settings set"),
    _edit("remove", "d,delete", "take it away; a value: its default", "remove", "settings edit", "remove"),
    _edit("undo", "ctrl+z", "set the version before again", "undo", "settings restore", "undo"),
    _edit("versions", "h", "earlier versions of the settings …", "versions", "settings restore", "versions"),
    _edit("pattern", "m", "map many by a pattern …", "pattern", "settings map"),
    _edit("calendar", "c", "read holidays from a calendar …", "calendar", "settings import-holidays"),
    Action("settings.luns", "l", "write the LUN request sheet", "luns", _HERE, twin="export",
           needs=("inventory",)),
    Action("settings.plan", "p", "plan anew on these settings", "plan", _HERE, Effect.EDIT_PLAN, "plan",
           ("inventory",), "plan"),
)  # fmt: skip
