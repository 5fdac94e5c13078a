"""groups.csv read back: the wave of each group, or a sentence on every wrong row.

People change ``wave_id``, and the whole group moves. What else a row says is of its VMs and not looked at;
groups that were filtered out stay where they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from planner.export.handover import GROUPS
from planner.export.printout import Printout
from planner.imports.placing import Placed
from planner.imports.tables import RowsRefused, Sheet, forms
from planner.names import visible
from planner.plan import PlannedGroup, Wave

NEEDED = ("group_id", "wave_id")


class _Reading:
    """One pass over the rows."""

    def __init__(self, printout: Printout) -> None:
        plan = printout.plan
        self._waves = {wave.name.casefold(): wave for wave in plan.waves}
        self._known: dict[str, dict[tuple[str, ...], tuple[Wave, PlannedGroup]]] = {}
        for wave in plan.waves:
            for group in wave.groups:
                for form in forms(group.name):
                    self._known.setdefault(form, {})[group.vms] = wave, group
        self._seen: dict[tuple[str, ...], int] = {}

    def said(self, number: int, cells: Mapping[str, str]) -> Placed | str:
        """Return where a row puts its group, or why it cannot."""
        shown = visible(cells["group_id"], 60)
        if not cells["group_id"]:
            return "group_id is empty"
        found = self._known.get(cells["group_id"], {})
        if not found:
            return f"{shown} is no move group of the plan; groups follow from dependencies, see wherry deps"
        if len(found) > 1:
            return f"{shown} means {len(found)} move groups; move their VMs in assignment.csv"
        ((wave, group),) = found.values()
        if before := self._seen.get(group.vms):
            return f"{shown} stands in row {before} already"
        self._seen[group.vms] = number
        if not cells["wave_id"]:
            return "wave_id is empty; a group leaves the plan by the exclude entry of the settings"
        after = self._waves.get(cells["wave_id"].casefold())
        if after is None:
            return f"wave {visible(cells['wave_id'], 40)} does not exist in the plan"
        return Placed(group, wave, after.name)


def grouped(table: Sheet, printout: Printout) -> tuple[list[Placed], int]:
    """Return what an edited groups.csv says of each group it names, and how many rows it has.

    Raises BadInput for a file that is no such table, RowsRefused with every wrong row.
    """
    table.need(NEEDED, GROUPS)
    reading = _Reading(printout)
    placed, wrong = [], []
    for number, cells in table.rows():
        said = reading.said(number, cells)
        if isinstance(said, str):
            wrong.append(f"row {number}: {said}")
        else:
            placed.append(said)
    if wrong:
        raise RowsRefused(table.name, wrong)
    return placed, len(placed)
