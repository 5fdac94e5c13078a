"""A csv file of names a person settled: ``name,vm``, a blank VM for a name that is none of ours."""

from __future__ import annotations

import csv
from pathlib import Path

from planner.errors import BadInput
from planner.evidence.records import settled_key
from planner.sources.csvfiles import delimiter_of
from planner.sources.flows.text import look_through

_MOST = 200_000
_HINT = "give it a header name,vm and one row a name; leave vm blank for what is none of the VMs"


def read_settled(path: Path) -> dict[str, tuple[str, int]]:
    """Return (VM as written, row) by name; raises BadInput that names the row."""
    source = look_through(path)
    if not source.encoding:
        raise BadInput(f"{source.name} is a workbook", "save the sheet as csv")
    lines = source.lines()
    first = next(lines, "")
    sign = delimiter_of(first)
    header = [cell.strip().casefold() for cell in next(csv.reader([first], delimiter=sign), [])]
    if not {"name", "vm"} <= set(header):
        raise BadInput(f"{source.name} has no columns name and vm", _HINT)
    at_name, at_vm = header.index("name"), header.index("vm")
    found: dict[str, tuple[str, int]] = {}
    said: dict[str, str] = {}
    try:
        for row, cells in enumerate(csv.reader(lines, delimiter=sign), 2):
            if not any(cells):
                continue
            if len(cells) <= max(at_name, at_vm) or not cells[at_name].strip():
                raise BadInput(f"{source.name} row {row} has no name or no cell for its VM", _HINT)
            name, vm = cells[at_name].strip(), cells[at_vm].strip()
            if said.setdefault(settled_key(name), vm) != vm:
                raise BadInput(
                    f"{source.name} row {row} settles a name otherwise than a row above it",
                    "leave one of the two rows",
                )
            found[name] = (vm, row)
            if len(found) > _MOST:
                raise BadInput(f"{source.name} settles more than {_MOST:,} names", "split it")
    except csv.Error as error:
        raise BadInput(f"{source.name} cannot be cut into cells: {error}", _HINT) from error
    if not found:
        raise BadInput(f"{source.name} settles no name", _HINT)
    return found
