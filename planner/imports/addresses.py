"""A table of addresses that guests get: one adapter and one way a row, or a sentence on every wrong row.

    vm, addresses, and where they are said: nic, way (live), gateways, dns, search

Several of a kind stand in one cell, with blanks or semicolons between them. What the settings said of the
same adapter and way is replaced, all else stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from planner.conduct_addressing import AddressedNic
from planner.imports.tables import RowsRefused, forms, sheet
from planner.model import VM
from planner.names import visible

COLUMNS = ("vm", "nic", "way", "addresses", "gateways", "dns", "search")
_NEEDED = ("vm", "addresses")
_BETWEEN = re.compile(r"[\s;]+")


def read_addresses(path: Path, vms: Sequence[VM]) -> tuple[AddressedNic, ...]:
    """Return what a csv file says of adapters of ``vms``; raises BadInput, RowsRefused."""
    table = sheet(path)
    table.need(_NEEDED, COLUMNS)
    known: dict[str, list[VM]] = {}
    for vm in vms:
        for form in dict.fromkeys(forms(vm.name)):
            known.setdefault(form, []).append(vm)
    wrong: list[str] = []
    found: dict[tuple[str, str, str], AddressedNic] = {}
    for number, cells in table.rows():
        said = _row(cells, known)
        if not isinstance(said, AddressedNic):
            wrong.append(f"row {number}: {said}")
        elif (key := (said.vm, said.nic, said.way)) in found:
            wrong.append(f"row {number}: {visible(said.vm, 60)} has this adapter and way in another row")
        else:
            found[key] = said
    if wrong:
        raise RowsRefused(table.name, wrong)
    return tuple(found.values())


def replaced(before: Sequence[AddressedNic], said: Sequence[AddressedNic]) -> tuple[AddressedNic, ...]:
    """Return the adapters of the settings with those of a table in their place."""
    new = {(one.vm, one.nic, one.way): one for one in said}
    kept = [new.pop((one.vm, one.nic, one.way), one) for one in before]
    return (*kept, *new.values())


def _row(cells: Mapping[str, str], known: Mapping[str, list[VM]]) -> AddressedNic | str:
    shown = visible(cells["vm"], 60)
    vms = known.get(cells["vm"], [])
    if len(vms) != 1:
        return f"{shown} is the name of {len(vms)} VMs" if vms else f"no VM is called {shown or 'nothing'}"
    labels = {form: nic.label for nic in vms[0].nics for form in forms(nic.label)}
    label = cells.get("nic", "")
    if label and label not in labels:
        return f"{shown} has no adapter {visible(label, 60)}"
    lists = {name: tuple(_parts(cells.get(name, ""))) for name in ("addresses", "gateways", "dns", "search")}
    fields = {"vm": vms[0].name, "nic": labels.get(label, ""), "way": cells.get("way") or "live", **lists}
    try:
        return AddressedNic.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        if first["type"] == "literal_error":
            return f"{visible(cells['way'], 20)} is no way: live, test or home"
        return visible(first["msg"].removeprefix("Value error, "), 200)


def _parts(cell: str) -> Iterator[str]:
    return (part for part in _BETWEEN.split(cell) if part)
