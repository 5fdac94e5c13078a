"""Headers of RVTools in all their spellings, and the sheet they head, read column by column.

Spellings differ by version (MB, MiB), by option (vInfoVMName), by hand (doubled, blank, overwritten
ones). A header's key is its letters and digits in lower case with MiB written MB; a column is found
by key, never by position, and converted as a whole. Custom attributes keep their own spelling.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from planner.names import visible
from planner.sources.cells import flag, mebibytes, moment, number, text, whole
from planner.units import show_count

Value = TypeVar("Value")

# The names of the database columns that differ from the sheet's by more than the prefix.
_DATABASE = {
    "vmname": "vm",
    "uuid": "vmuuid",
    "guesthostname": "dnsname",
    "os": "osaccordingtotheconfigurationfile",
    "ostools": "osaccordingtothevmwaretools",
    "datacentre": "datacenter",
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
    "numvirtualdisks": "disks",
}
_WRITTEN = """
vinfo vcpu vmemory vdisk vpartition vnetwork vusb vcd vfloppy vsnapshot vtools vsource vrp vcluster vhost
vhba vnic vswitch vport dvswitch dvport vscvmk vdatastore vmultipath vlicense vfileinfo vhealth vmetadata
"""
_SHEETS = frozenset(_WRITTEN.split())
_BLANKS = ("", None)


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


class _Memo(dict[object, Value]):
    """Each distinct cell is converted once: most columns hold a few words over and over."""

    def __init__(self, convert: Callable[[object], Value]) -> None:
        self._convert = convert

    def __missing__(self, cell: object) -> Value:
        self[cell] = value = self._convert(cell)
        return value


def _named(cell: object) -> str:
    # Anonymised exports hold the word VM where a value was; outside the name column that is blank.
    value = text(cell)
    return "" if value == "VM" else value


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet with its columns by key. ``numbers`` are the rows' as Excel counts them.

    Every method that returns a column returns one value for each row. Of several keys the first
    whose cell holds anything counts; a column that does not exist is blank.
    """

    name: str
    headers: tuple[str, ...]
    columns: dict[str, int]
    rows: Sequence[Sequence[object]]
    numbers: Sequence[int]

    def __len__(self) -> int:
        return len(self.rows)

    def has(self, *keys: str) -> bool:
        """True when one of these columns exists."""
        return any(key in self.columns for key in keys)

    def at(self, index: int) -> list[object]:
        """Return the raw cells of the column at an index."""
        try:
            return [row[index] for row in self.rows]
        except IndexError:
            # Rows of a csv file end where their last cell does.
            return [row[index] if index < len(row) else "" for row in self.rows]

    def cells(self, *keys: str) -> list[object]:
        """Return raw cells, "" where blank."""
        columns = [self.at(self.columns[key]) for key in keys if key in self.columns]
        if not columns:
            return [""] * len(self.rows)
        found = columns[0]
        for other in columns[1:]:
            found = [b if a is None or a == "" or a == " " else a for a, b in zip(found, other, strict=True)]
        return found

    def _all(self, convert: Callable[[object], Value], cells: list[object]) -> list[Value]:
        # True is equal to 1.0, so where both may stand nothing is looked up.
        if bool in set(map(type, cells)):
            return list(map(convert, cells))
        return list(map(_Memo(convert).__getitem__, cells))

    def texts(self, *keys: str) -> list[str]:
        """Return texts, "" for unknown."""
        columns = [
            self._all(text if key == "vm" else _named, self.at(self.columns[key]))
            for key in keys
            if key in self.columns
        ]
        if not columns:
            return [""] * len(self.rows)
        found = columns[0]
        for other in columns[1:]:
            found = [a or b for a, b in zip(found, other, strict=True)]
        return found

    def folded(self, *keys: str) -> list[str]:
        """Return texts in lower case."""
        return list(map(_Memo(str.casefold).__getitem__, self.texts(*keys)))  # type: ignore[arg-type]

    def flags(self, *keys: str) -> list[bool | None]:
        """Return True, False, or None for unknown."""
        return self._all(flag, self.cells(*keys))

    def sizes(self, *keys: str) -> list[int | None]:
        """Return bytes of cells in MiB, None for unknown."""
        return self._all(mebibytes, self.cells(*keys))

    def numbers_of(self, *keys: str) -> list[float | None]:
        """Return numbers, None for unknown."""
        return self._all(number, self.cells(*keys))

    def wholes(self, *keys: str) -> list[int | None]:
        """Return whole numbers, None for unknown."""
        return self._all(whole, self.cells(*keys))

    def moments(self, *keys: str) -> list[str]:
        """Return times as ISO 8601, "" for unknown."""
        return self._all(moment, self.cells(*keys))

    def vcenters(self) -> list[str]:
        """Return the id of each row's vCenter: its instance UUID, else its name, else ""."""
        return self.folded("visdkuuid", "vcenteruuid", "visdkserver")

    def renamed(self, at: int, key: str) -> Sheet:
        """Return the sheet with the column at an index under a repaired key."""
        columns = {name: index for name, index in self.columns.items() if index != at}
        return Sheet(self.name, self.headers, columns | {key: at}, self.rows, self.numbers)


def _filled(row: Sequence[object]) -> bool:
    return any(row) or any(cell not in _BLANKS for cell in row)


def read_sheet(name: str, rows: Iterable[Sequence[object]]) -> tuple[Sheet, list[str]]:
    """Return a sheet of raw rows, blank ones left out, and notes on doubled and blank headers.

    Of two columns with one header the first counts: RVTools writes its own before attributes.
    """
    found = iter(rows)
    headers = tuple(text(cell) for cell in next(found, ()))
    body: list[Sequence[object]] = []
    numbers: list[int] = []
    # A large sheet is the same few words over and over: each is kept once.
    kept: dict[object, object] = {}
    same = kept.setdefault
    for number_, row in enumerate(found, 2):
        if _filled(row):
            body.append([same(cell, cell) if type(cell) is str else cell for cell in row])
            numbers.append(number_)
    columns: dict[str, int] = {}
    doubled: list[str] = []
    blank: list[int] = []
    for at, header in enumerate(headers):
        key = header_key(header, sheet_key(name))
        if not key or header == "None":
            blank.append(at)
        elif key in columns:
            # "# Hosts" and "Hosts" are a count and a list, not one header twice.
            if ("#" in header) == ("#" in headers[columns[key]]):
                doubled.append(header)
        else:
            columns[key] = at
    sheet = Sheet(name, headers, columns, body, numbers)
    notes = []
    if doubled:
        shown = ", ".join(visible(header, 40) for header in doubled[:5])
        notes.append(f"{name} has doubled headers ({shown}): the first column of each was read")
    if nameless := sum(any(cell not in _BLANKS for cell in sheet.at(at)) for at in blank):
        notes.append(f"{name} has {show_count(nameless, 'column')} without a header: left out")
    return sheet, notes
