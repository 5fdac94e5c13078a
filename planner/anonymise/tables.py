"""Flow files and application lists under the pseudonyms of an estate: csv in, csv out, row by row.

A cell that is a number stays only in columns of numbers; times stay; everything else is mapped like the
names of the inventory, headers that nobody knows included.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

from planner.anonymise.mask import Mask
from planner.errors import BadInput
from planner.names import visible

_SEPARATORS = ",;\t|"
_NUMERIC = """
port destinationport sourceport dstport srcport dp sp bytes ibyt obyt byt ipkt opkt pkt packets count flows
sessions pr protocol prot proto td duration in out flg fwd stos
"""
_NUMBERS = frozenset(_NUMERIC.split())
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?")
_MOMENT = re.compile(r"\d{4}[-/]\d\d[-/]\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?")
_MOREF = re.compile(r"(?:[0-9a-f-]{36}/)?vm-\d+")
_PLAIN = """
vm source destination first_seen last_seen firstseen lastseen name server ip address slot time vlan process
application srcname dstname ts te sa da first last seen description
"""
_HEADERS = frozenset(_PLAIN.split())


def _header(cell: str, mask: Mask) -> str:
    words = re.findall(r"[a-z]+", cell.casefold())
    return cell if words and all(word in _HEADERS or word in _NUMBERS for word in words) else mask.text(cell)


def masked_rows(rows: Iterator[list[str]], mask: Mask) -> Iterator[list[str]]:
    """Yield a table's rows under pseudonyms, the header first."""
    head = next(rows, None)
    if head is None:
        return
    yield [_header(cell, mask) for cell in head]
    numbers = [re.sub(r"[^a-z]", "", cell.casefold()) in _NUMBERS for cell in head]
    for row in rows:
        yield [
            _cell(cell, at < len(numbers) and numbers[at], mask) if cell else cell
            for at, cell in enumerate(row)
        ]


def _cell(cell: str, number: bool, mask: Mask) -> str:
    said = cell.strip()
    if (number and _NUMBER.fullmatch(said)) or _MOMENT.fullmatch(said):
        return cell
    return mask.identifier(said) if _MOREF.fullmatch(said) else mask.text(cell)


def anonymise_csv(path: Path, target: Path, mask: Mask) -> int:
    """Write a csv file under pseudonyms, UTF-8 with commas; return its rows. Raises BadInput."""
    from planner.sources.flows.text import look_through

    source = look_through(path)
    if not source.encoding:
        raise BadInput(f"{source.name} is a workbook", "save its sheet as csv and name that")
    first = next(source.lines(), "")
    separator = max(_SEPARATORS, key=first.count)
    count = 0
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        try:
            for row in masked_rows(csv.reader(source.lines(), delimiter=separator), mask):
                writer.writerow(row)
                count += 1
        except csv.Error as error:
            raise BadInput(
                f"{source.name} is no csv file: {visible(str(error))}", "export it again"
            ) from error
    return max(count - 1, 0)
