"""assignment.csv read back: the wave of each VM, or a sentence on every wrong row.

    rows ──▶ known VM, known wave, once ──▶ groups whole

People change ``wave_id`` and ``pinned``; times and estimates are computed anew and not looked at. Rows
that were filtered out stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from planner.export.handover import ASSIGNMENT, window_id
from planner.export.printout import Printout
from planner.imports.placing import Placed
from planner.imports.tables import RowsRefused, Sheet, forms
from planner.names import visible
from planner.plan import Wave
from planner.sources.cells import flag

NEEDED = ("vm_uuid", "wave_id")


@dataclass(frozen=True, slots=True)
class _Row:
    number: int  # as a spreadsheet counts, the header is 1
    vm: str
    wave: str
    pinned: bool | None


class _Reading:
    """One pass over the rows; sentences on wrong ones gather in ``wrong``."""

    def __init__(self, printout: Printout) -> None:
        plan = printout.plan
        self.method = printout.settings.method.value if printout.settings else ""
        self.waves = {wave.name.casefold(): wave for wave in plan.waves}
        self.windows = {window_id(wave.window): wave.name for wave in plan.waves if wave.window}
        self.group_of = {
            vm: (wave, group) for wave in plan.waves for group in wave.groups for vm in group.vms
        }
        self.ids = {form: vm for vm in self.group_of for form in forms(vm)}
        self.staying = {form: item for item in plan.unplanned for form in forms(item.vm)}
        self.names = {vm: printout.vms[vm].name for vm in self.group_of if vm in printout.vms}
        self.wrong: list[str] = []
        self._seen: dict[str, int] = {}

    def row(self, number: int, cells: Mapping[str, str]) -> _Row | None:
        """Return a row that can be applied by itself, or None and the sentence that says why not."""
        said = self._said(number, cells)
        if isinstance(said, str):
            self.wrong.append(f"row {number}: {said}")
            return None
        return said

    def _said(self, number: int, cells: Mapping[str, str]) -> _Row | str:
        shown = visible(cells["vm_uuid"], 60)
        if not cells["vm_uuid"]:
            return "vm_uuid is empty"
        vm = self.ids.get(cells["vm_uuid"])
        if vm is None:
            if found := self.staying.get(cells["vm_uuid"]):
                return f"{visible(found.name, 60)} is in no wave of the plan: {visible(found.why)}"
            return f"{shown} is no VM of the plan"
        if before := self._seen.get(vm):
            return f"{shown} stands in row {before} already"
        self._seen[vm] = number
        name = self.names.get(vm, "")
        if cells.get("vm") and name and cells["vm"] not in forms(name):
            return f"vm says {visible(cells['vm'], 60)}, {shown} is {visible(name, 60)}"
        wave, group = self.group_of[vm]
        if cells.get("group_id") and cells["group_id"] not in forms(group.name):
            return (
                f"group_id says {visible(cells['group_id'], 60)}, {visible(name or vm, 60)} is in group "
                f"{visible(group.name, 60)}; groups follow from dependencies, see wherry deps"
            )
        return self._placed(number, cells, vm, wave)

    def _placed(self, number: int, cells: Mapping[str, str], vm: str, wave: Wave) -> _Row | str:
        if not cells["wave_id"]:
            return "wave_id is empty; a VM leaves the plan by the exclude entry of the settings"
        after = self.waves.get(cells["wave_id"].casefold())
        if after is None:
            return f"wave {visible(cells['wave_id'], 40)} does not exist in the plan"
        if told := cells.get("window_id"):
            if told not in self.windows:
                return f"window {visible(told, 40)} is none of the plan's"
            if self.windows[told] not in {wave.name, after.name}:
                return f"window {told} is that of {self.windows[told]}, wave_id says {after.name}"
        how = cells.get("method", "").casefold()
        if how and self.method and how != self.method:
            return (
                f"method says {visible(how, 40)}, and all VMs move {self.method}; it is one for a project, "
                "the method of the settings"
            )
        pinned = flag(cells.get("pinned"))
        if cells.get("pinned") and pinned is None:
            return f"pinned says {visible(cells['pinned'], 40)}, which is neither yes nor no"
        return _Row(number, vm, after.name, pinned)

    def groups(self, rows: Iterable[_Row]) -> list[Placed]:
        """Return what is said of each group; rows that would tear one apart are wrong."""
        by_group: dict[tuple[str, str], list[_Row]] = {}
        for row in rows:
            wave, group = self.group_of[row.vm]
            by_group.setdefault((wave.name, group.name), []).append(row)
        told = []
        for said in by_group.values():
            wave, group = self.group_of[said[0].vm]
            first = said[0]
            for row in said[1:]:
                if row.wave != first.wave:
                    self.wrong.append(
                        f"row {row.number}: {self._called(row.vm)} goes to {row.wave}, "
                        f"{self._called(first.vm)} of row {first.number} to {first.wave}: "
                        f"group {visible(group.name, 60)} moves whole"
                    )
                elif None not in {row.pinned, first.pinned} and row.pinned != first.pinned:
                    self.wrong.append(
                        f"row {row.number}: pinned differs from row {first.number} of the same group "
                        f"{visible(group.name, 60)}"
                    )
            pinned = next((row.pinned for row in said if row.pinned is not None), None)
            told.append(Placed(group, wave, first.wave, pinned))
        return told

    def _called(self, vm: str) -> str:
        return visible(self.names.get(vm, vm), 60)


def assigned(table: Sheet, printout: Printout) -> tuple[list[Placed], int]:
    """Return what an edited assignment.csv says of each group it names, and how many rows it has.

    Raises BadInput for a file that is no such table, RowsRefused with every wrong row.
    """
    table.need(NEEDED, ASSIGNMENT)
    reading = _Reading(printout)
    found = [said for number, cells in table.rows() if (said := reading.row(number, cells))]
    placed = reading.groups(found)
    if reading.wrong:
        raise RowsRefused(table.name, reading.wrong)
    return placed, len(found)
