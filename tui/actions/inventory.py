"""Actions of Inventory, most of them on the marked VMs."""

from __future__ import annotations

from planner.effects import Effect
from tui.actions.action import Action

_HERE = ("inventory",)
_NEEDS = ("inventory",)

INVENTORY = (
    Action("vm.name", "a", "name the application of the VMs", "name", _HERE, Effect.EDIT_PLAN,
           "deps name", _NEEDS, "app"),
    Action("vm.together", "m", "let the marked VMs move together", "together", _HERE, Effect.EDIT_PLAN,
           "deps together", _NEEDS),
    Action("vm.wave", "w", "move the VMs with their groups", "move_to_wave", _HERE, Effect.EDIT_PLAN,
           "plan move", ("inventory", "plan"), "wave"),
    Action("vm.exclude", "x", "let the VMs stay, or come along", "exclude", _HERE, Effect.EDIT_PLAN,
           "settings set", _NEEDS, "exclude"),
    Action("vm.dependencies", "d", "dependencies of the VM", "dependencies", _HERE, twin="deps why",
           needs=_NEEDS),
    Action("vm.checks", "c", "what checks found on the VM", "checks", _HERE, twin="check", needs=_NEEDS),
    Action("vm.tab", "right", "next page of the VM", "tab(1)", _HERE),
    Action("vm.tab.back", "left", "page of the VM before", "tab(-1)", _HERE),
)  # fmt: skip
