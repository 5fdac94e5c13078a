"""Headers of RVTools in all their spellings, and the table they head.

Spellings differ by version (MB, MiB), by option (vInfoVMName), by hand (doubled, blank, overwritten
ones). A header's key is its letters and digits in lower case with MiB written MB; a column is found
by key, never by position. Custom attributes keep their own spelling.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from planner.names import visible
from planner.sources.cells import text

Rows = Sequence[Sequence[object]]

# The names of the database columns that differ from the sheet's by more than the prefix.
_DATABASE = {
    "vmname": "vm",
    "uuid": "vmuuid",
    "guesthostname": "dnsname",
    "os": "osaccordingtotheconfigurationfile",
    "ostools": "osaccordingtothevmwaretools",
    "datacentre": "datacenter",
    "cpumodel": "cpumodel",
    "cpumhz": "speed",
    "numcpu": "cpu",
    "numcpucores": "cores",
    "memorysize": "memory",
    "provisioned": "provisionedmb",
    "inuse": "inusemb",
    "unshared": "unsharedmb",
    "capacity": "capacitymb",
    "consumed": "consumedmb",
    "size": "sizemb",
    "sizetotal": "sizembtotal",
    "rulenames": "clusterrulenames",
    "rawlunid": "rawlunid",
    "rawcompmode": "rawcompmode",
    "numvirtualdisks": "disks",
}
_WRITTEN = """
vinfo vcpu vmemory vdisk vpartition vnetwork vusb vcd vfloppy vsnapshot vtools vsource vrp vcluster vhost
vhba vnic vswitch vport dvswitch dvport vscvmk vdatastore vmultipath vlicense vfileinfo vhealth vmetadata
"""
_SHEETS = frozenset(_WRITTEN.split())


def sheet_key(name: str) -> str:
    """Return ``vinfo`` for vInfo, tabvInfo and RVTools_tabvInfo; "" for a sheet RVTools does not write."""
    key = re.sub(r"[^a-z]", "", name.casefold()).removeprefix("rvtools").removeprefix("tab")
    return key if key in _SHEETS else ""


def header_key(header: str, sheet: str = "") -> str:
    """Return the key of a header on a sheet (by ``sheet_key``)."""
    key = re.sub(r"[^a-z0-9]", "", header.casefold().replace("mib", "mb").replace("kib", "kb"))
    if sheet and key.startswith(sheet) and len(key) > len(sheet):
        key = key.removeprefix(sheet)
        return _DATABASE.get(key, key)
    return key


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table. ``number`` is its row in the sheet, counted from 1 as Excel does."""

    number: int
    cells: Sequence[object]
    columns: dict[str, int]

    def cell(self, *keys: str) -> object:
        """Return the first cell of these columns that is not blank, else None."""
        for key in keys:
            at = self.columns.get(key)
            if at is not None and at < len(self.cells):
                value = self.cells[at]
                if value is not None and value != "":
                    return value
        return None

    def text(self, *keys: str) -> str:
        """Return the text of the first of these columns that says something.

        Anonymised exports hold the word VM where a value was; outside the name column that is blank.
        """
        for key in keys:
            value = text(self.cell(key))
            if value and (value != "VM" or key == "vm"):
                return value
        return ""


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet with its columns by key; ``body`` is everything under the header row."""

    sheet: str
    headers: tuple[str, ...]
    columns: dict[str, int]
    body: Rows

    def has(self, *keys: str) -> bool:
        """True when one of these columns exists."""
        return any(key in self.columns for key in keys)

    def rows(self) -> Iterator[Row]:
        """Yield the rows that hold anything."""
        for at, cells in enumerate(self.body):
            if any(cell not in ("", None) for cell in cells):
                yield Row(at + 2, cells, self.columns)

    def renamed(self, at: int, key: str) -> Table:
        """Return the table with the column at an index under a repaired key."""
        columns = {name: index for name, index in self.columns.items() if index != at}
        return Table(self.sheet, self.headers, columns | {key: at}, self.body)


def table(sheet: str, rows: Rows) -> tuple[Table, list[str]]:
    """Return a sheet as a table, and notes on doubled and blank headers.

    Of two columns with one header the first counts: RVTools writes its own before attributes.
    """
    headers = tuple(text(cell) for cell in rows[0]) if rows else ()
    columns: dict[str, int] = {}
    doubled: list[str] = []
    blank = 0
    for at, header in enumerate(headers):
        key = header_key(header, sheet_key(sheet))
        if not key or header == "None":
            blank += any(at < len(row) and row[at] not in ("", None) for row in rows[1:])
        elif key in columns:
            doubled.append(header)
        else:
            columns[key] = at
    notes = []
    if doubled:
        shown = ", ".join(visible(header, 40) for header in doubled[:5])
        notes.append(f"{sheet} has doubled headers ({shown}): the first column of each was read")
    if blank:
        notes.append(f"{sheet} has {blank} columns without a header: they were left out")
    return Table(sheet, headers, columns, rows[1:]), notes
