"""Actions of 4 Waves: three views, planning by hand and with the solver, approving."""

from __future__ import annotations

from planner.effects import Effect
from tui.actions.action import Action

_HERE = ("waves",)


def _view(id: str, key: str, title: str, do: str, foot: str = "", twin: str = "") -> Action:
    return Action(id, key, title, do, _HERE, twin=twin, needs=("plan",), foot=foot)


def _edit(id: str, key: str, title: str, do: str, twin: str, foot: str = "") -> Action:
    return Action(id, key, title, do, _HERE, Effect.EDIT_PLAN, twin, ("plan",), foot)


WAVES = (
    _edit("waves.earlier", "left_square_bracket", "move the groups a wave earlier", "shift(-1)", "plan move"),
    _edit("waves.later", "right_square_bracket", "move the groups a wave later", "shift(1)", "plan move"),
    _edit("waves.save", "ctrl+s", "save the edits as one plan", "save", "plan apply", "save"),
    _edit("waves.undo", "ctrl+z", "undo the newest unsaved edit", "undo", "plan undo"),
    _edit("waves.redo", "ctrl+y", "do again what was undone", "redo", "plan move"),
    _edit("waves.move", "m", "move the groups to a wave …", "move_to", "plan move", "move"),
    _edit("waves.new", "n", "move the groups into a new wave", "new_wave", "plan move"),
    _edit("waves.split", "x", "split VMs off the group …", "split", "plan split"),
    _edit("waves.merge", "M", "merge another group into this one …", "merge", "plan merge"),
    _edit("waves.lock", "l", "lock or unlock the wave", "lock", "plan lock"),
    _edit("waves.discard", "D", "drop all unsaved edits …", "discard", "plan undo"),
    _edit("waves.renew", "R", "make the edits again on the newest plan", "renew", "plan apply"),
    _edit("waves.take_back", "U", "take a saved edit back …", "take_back", "plan undo"),
    _edit("waves.fix.1", "a", "do the first fix offered", "fix(0)", "plan move"),
    _edit("waves.fix.2", "b", "do the second fix offered", "fix(1)", "plan move"),
    _edit("waves.fix.3", "c", "do the third fix offered", "fix(2)", "plan move"),
    Action("waves.plan", "p", "plan with the solver …", "plan", _HERE, Effect.EDIT_PLAN, "plan",
           ("inventory",), "plan"),
    _view("waves.what_if", "w", "what if …", "what_if", "what if", "plan what-if"),
    _edit("waves.approve", "A", "approve this wave, or those marked …", "approve", "plan approve", "approve"),
    _edit("waves.approve_all", "ctrl+a", "approve every wave …", "approve_all", "plan approve"),
    _view("waves.why", "t", "tell why this wave and no earlier one", "why", "", "plan why"),
    _view("waves.diff", "d", "differences of two plans …", "diff", "", "plan diff"),
    _view("waves.card", "o", "score card with bounds", "card", "", "plan show"),
    _view("waves.view", "z", "next view: Gantt, list, board", "view(1)", "view"),
    _view("waves.view_back", "Z", "previous view", "view(-1)"),
    _view("waves.left", "left", "earlier dates, or the wave before", "scroll(-1)"),
    _view("waves.right", "right", "later dates, or the next wave", "scroll(1)"),
    _view("waves.zoom_in", "plus,equals_sign", "nearer: fewer days", "zoom(1)"),
    _view("waves.zoom_out", "minus", "farther: more days", "zoom(-1)"),
    _view("waves.whole", "full_stop", "the whole plan in sight", "whole"),
    _edit("waves.import", "I", "read an edited table of the plan …", "import_table", "plan import-csv"),
)  # fmt: skip
