"""Tables of the plan read back, told apart by their headers: what they ask for, all of it or nothing.

assignment.csv ─┐
groups.csv ─────┼──▶ pins of the settings
waves.csv ──────┴──▶ windows of the settings
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from planner.errors import BadInput
from planner.export.handover import ASSIGNMENT, DEPS, EXCEPTIONS, GROUPS, WAVES
from planner.export.printout import Printout
from planner.imports import assignment, dating, grouping
from planner.imports.dating import Dated
from planner.imports.placing import Moved, moved, pins
from planner.imports.tables import Sheet, sheet
from planner.settings import Pin, Settings, Window


@dataclass(frozen=True, slots=True)
class Reread:
    """What an edited table asks for. ``pins`` and ``windows`` are all that hold after it.

    ``lifted`` are pins that went, ``ignored`` columns that nobody reads, ``unread`` says which states of
    waves were edited for nothing.
    """

    table: str
    pins: tuple[Pin, ...]
    windows: tuple[Window, ...]
    rows: int
    moved: tuple[Moved, ...] = ()
    lifted: tuple[Pin, ...] = ()
    dated: tuple[Dated, ...] = ()
    ignored: tuple[str, ...] = ()
    unread: str = ""

    def onto(self, settings: Settings) -> dict[str, Any]:
        """Return the settings with it, as a document to be validated; equal to before if nothing changes."""
        body: dict[str, Any] = settings.model_dump(mode="json")
        body["pins"] = [pin.model_dump(mode="json") for pin in self.pins]
        if self.dated:
            body["windows"] = [window.model_dump(mode="json") for window in self.windows]
        return body


def _kind(found: Sheet) -> str:
    """Return which table a header is of; raises BadInput for those that only tell."""
    header = set(found.header)
    for name, columns, instead in (
        ("deps.csv", DEPS, "accept and refuse ties with 'wherry deps accept' and 'wherry deps refuse'"),
        (
            "exceptions.csv",
            EXCEPTIONS,
            "exclude VMs and remap disks in the settings, waive with 'wherry waive'",
        ),
    ):
        if header >= set(columns):
            raise BadInput(f"{found.name} is {name}, which is not read back", instead)
    if "vm_uuid" not in header and "group_id" in header:
        return "groups"
    if "vm_uuid" not in header and {"wave_id", "start_utc"} <= header:
        return "waves"
    return "assignment"


def reread(path: Path, printout: Printout, settings: Settings, frozen: Collection[str] = ()) -> Reread:
    """Return what an edited table of this plan asks for; ``frozen`` are waves under way.

    Raises BadInput for a file that is no such table, RowsRefused with every wrong row.
    """
    found = sheet(path)
    kind = _kind(found)
    if kind == "waves":
        windows, changed, rows = dating.dated(found, printout, settings, frozen)
        return Reread(
            kind,
            settings.pins,
            windows,
            rows,
            dated=changed,
            ignored=found.unknown(WAVES),
            unread=dating.unread(found, printout),
        )
    read, contract = (grouping.grouped, GROUPS) if kind == "groups" else (assignment.assigned, ASSIGNMENT)
    placed, rows = read(found, printout)
    kept, lifted = pins(placed, printout, settings)
    return Reread(
        kind,
        tuple(kept),
        settings.windows,
        rows,
        moved=moved(placed),
        lifted=tuple(lifted),
        ignored=found.unknown(contract),
    )
