"""Actions of 3 Dependencies: walking from group to group, lists of what ties them, decisions on it."""

from __future__ import annotations

from planner.effects import Effect
from tui.actions.action import Action

_HERE = ("dependencies",)


def _look(id: str, key: str, title: str, do: str, twin: str = "", foot: str = "") -> Action:
    return Action(id, key, title, do, _HERE, twin=twin, needs=("inventory",), foot=foot)


def _edit(id: str, key: str, title: str, do: str, twin: str, foot: str = "") -> Action:
    return Action(id, key, title, do, _HERE, Effect.EDIT_PLAN, twin, ("inventory",), foot)


DEPENDENCIES = (
    _look("deps.return", "backspace", "back to the group before", "return_to"),
    _look("deps.ties", "t", "all ties, or the groups again", "turn_to('ties')", "deps list", "ties"),
    _look("deps.hubs", "h", "hubs: what everyone needs", "turn_to('hubs')", "deps hubs", "hubs"),
    _look("deps.oversized", "o", "groups above the caps, their cuts", "turn_to('oversized')",
          "deps oversized", "oversized"),
    _look("deps.cycles", "c", "groups that wait for each other", "turn_to('cycles')", "deps cycles",
          "circles"),
    _look("deps.suggestions", "A", "suggested applications", "turn_to('suggestions')", "deps suggest",
          "suggested"),
    _look("deps.crossing", "O", "only what crosses waves, or all", "crossing", "deps list", "crossing"),
    _look("deps.why", "w", "tell why the VM is in its group", "why", "deps why", "why"),
    _edit("deps.accept", "a", "accept: tie, hub, suggestion, name", "accept", "deps accept", "accept"),
    _edit("deps.refuse", "r", "refuse: tie, hub, cut, name …", "refuse", "deps refuse", "refuse"),
    _edit("deps.forget", "minus", "take back what was decided", "forget", "deps forget"),
    _edit("deps.add", "plus", "add a tie that only you know of …", "add", "deps add", "add"),
    _edit("deps.name", "n", "name the application of the VMs …", "name", "deps name", "name"),
    _edit("deps.mend", "m", "mend a tie across waves by a move …", "mend", "plan move", "mend"),
    _look("deps.names", "N", "imported names that lead to no VM", "turn_to('names')", "flows unresolved",
          "names"),
    _look("deps.export", "x", "write the graph as dot or mermaid …", "export_graph", "export"),
)  # fmt: skip
