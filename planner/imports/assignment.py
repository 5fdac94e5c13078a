"""assignment.csv read back: edited waves become pins, or every wrong row is named and nothing changes.

    rows ──▶ known VM, known wave, once ──▶ groups whole ──▶ pins, lifted pins, what moves

People change ``wave_id`` and ``pinned``; times and estimates are computed anew and not looked at. Rows
that were filtered out stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from planner.errors import BadInput
from planner.export.csv import harmless
from planner.export.handover import ASSIGNMENT, window_id
from planner.export.printout import Printout
from planner.names import visible
from planner.plan import PlannedGroup, Wave
from planner.settings import Pin, Settings
from planner.sources.books import Limits
from planner.sources.cells import flag
from planner.sources.csvfiles import CsvBook
from planner.units import show_count

_NEEDED = ("vm_uuid", "wave_id")
_SHOWN = 20  # wrong rows that the error names; the rest is counted
_LIMITS = Limits()


class RowsRefused(BadInput):
    """Rows of a table cannot be applied; ``rows`` holds one sentence each."""

    def __init__(self, file: str, rows: Sequence[str]) -> None:
        shown = "; ".join(rows[:_SHOWN])
        more = f"; and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        super().__init__(
            f"{file}: {show_count(len(rows), 'row')} cannot be applied: {shown}{more}",
            "correct them and import again: nothing was changed",
        )
        self.rows = tuple(rows)


@dataclass(frozen=True, slots=True)
class Moved:
    """A group that a person put into another wave."""

    group: str
    vms: tuple[str, ...]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Reread:
    """What an edited assignment asks for. ``pins`` are all that hold after it, ``lifted`` those that went."""

    pins: tuple[Pin, ...]
    lifted: tuple[Pin, ...]
    moved: tuple[Moved, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class _Row:
    number: int  # as a spreadsheet counts, the header is 1
    vm: str
    wave: str
    pinned: bool | None


@dataclass(frozen=True, slots=True)
class _Told:
    """What the rows of one group say together."""

    group: PlannedGroup
    before: Wave
    after: str
    pinned: bool | None


class _Reading:
    """One pass over the rows; sentences on wrong ones gather in ``wrong``."""

    def __init__(self, printout: Printout) -> None:
        plan = printout.plan
        self.waves = {wave.name.casefold(): wave for wave in plan.waves}
        self.windows = {window_id(wave.window): wave.name for wave in plan.waves if wave.window}
        self.group_of = {
            vm: (wave, group) for wave in plan.waves for group in wave.groups for vm in group.vms
        }
        self.ids = {form: vm for vm in self.group_of for form in _forms(vm)}
        self.staying = {form: item for item in plan.unplanned for form in _forms(item.vm)}
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
        if cells.get("vm") and name and cells["vm"] not in _forms(name):
            return f"vm says {visible(cells['vm'], 60)}, {shown} is {visible(name, 60)}"
        wave, group = self.group_of[vm]
        if cells.get("group_id") and cells["group_id"] not in _forms(group.name):
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
        pinned = flag(cells.get("pinned"))
        if cells.get("pinned") and pinned is None:
            return f"pinned says {visible(cells['pinned'], 40)}, which is neither yes nor no"
        return _Row(number, vm, after.name, pinned)

    def groups(self, rows: Iterable[_Row]) -> list[_Told]:
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
            told.append(_Told(group, wave, first.wave, pinned))
        return told

    def _called(self, vm: str) -> str:
        return visible(self.names.get(vm, vm), 60)


def _forms(text: str) -> tuple[str, str]:
    """Return what a text may look like in the table: as exported, or with the apostrophe lost on the way."""
    shown = visible(text)
    return str(harmless(shown)).strip(), shown.strip()


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    shown = visible(path.name, 80)
    if not path.is_file():
        raise BadInput(f"{shown} cannot be read: there is no such file", "check the path")
    book = CsvBook.of_files([path], _LIMITS)
    try:
        rows = [[visible(str(cell)).strip() for cell in row] for row in book.rows(path.stem)]
    except OSError as error:
        raise BadInput(f"{shown} cannot be read: {error.strerror}", "check the path") from error
    if not rows:
        raise BadInput(f"{shown} is empty", "export it again with 'wherry export csv'")
    header = [cell.casefold() for cell in rows[0]]
    if missing := [name for name in _NEEDED if name not in header]:
        raise BadInput(
            f"{shown} has no column {missing[0]}", f"keep the header of the export: {', '.join(ASSIGNMENT)}"
        )
    if twice := [name for name in _NEEDED if header.count(name) > 1]:
        raise BadInput(f"{shown} has the column {twice[0]} twice", "keep one of them")
    if book.torn:
        raise BadInput(book.torn[0], "correct those rows and import again: nothing was changed")
    return header, [(at, row) for at, row in enumerate(rows[1:], 2) if any(row)]


def _pins(told: Iterable[_Told], printout: Printout, settings: Settings) -> tuple[list[Pin], list[Pin]]:
    """Return all pins that hold afterwards, and those that were lifted or replaced."""
    kept, lifted, added = list(settings.pins), [], []
    for item in told:
        names = {item.group.name, *item.group.vms}
        names |= {printout.vms[vm].name for vm in item.group.vms if vm in printout.vms}
        mine = [pin for pin in kept if pin.what in names]
        moves = item.after != item.before.name
        stays_pinned = item.pinned if item.pinned is not None else bool(mine)
        if not moves and stays_pinned == bool(mine):
            continue
        kept = [pin for pin in kept if pin not in mine]
        if moves or stays_pinned:
            added.append(Pin(what=item.group.vms[0], wave=item.after))
        lifted += mine
    return [*kept, *added], lifted


def reread(path: Path, printout: Printout, settings: Settings) -> Reread:
    """Return what an edited assignment.csv of this plan asks for.

    A group that is moved is pinned where it went, whatever ``pinned`` says: else the next plan would
    move it back. Raises BadInput for a file that is no such table, RowsRefused with every wrong row.
    """
    header, rows = _table(path)
    reading = _Reading(printout)
    found = []
    for number, cells in rows:
        padded = [*cells, *[""] * (len(header) - len(cells))]
        if row := reading.row(number, dict(zip(header, padded, strict=False))):
            found.append(row)
    told = reading.groups(found)
    if reading.wrong:
        raise RowsRefused(visible(path.name, 80), sorted(reading.wrong, key=_row_number))
    pins, lifted = _pins(told, printout, settings)
    moved = tuple(
        Moved(item.group.name, item.group.vms, item.before.name, item.after)
        for item in told
        if item.after != item.before.name
    )
    return Reread(tuple(pins), tuple(lifted), moved, len(found))


def _row_number(sentence: str) -> int:
    return int(sentence.removeprefix("row ").partition(":")[0])
