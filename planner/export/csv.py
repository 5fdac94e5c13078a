"""The plan's tables as CSV, to edit elsewhere and to read back: UTF-8, quoted where needed.

Spreadsheets run a cell that starts with = + - @ (or their full-width twins), even from CSV. Such
text gets an apostrophe in front, which they show as plain text.
"""

from __future__ import annotations

import csv
from io import StringIO

from planner.export import handover
from planner.export.printout import Cell, Printout, Table

_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(cell: Cell) -> Cell:
    """Return the cell so that no spreadsheet takes it for a formula; numbers stay numbers."""
    if isinstance(cell, str) and cell.lstrip(" \u00a0'").startswith(_ACTIVE):
        return f"'{cell}"
    return cell


def table_bytes(table: Table) -> bytes:
    """Return a table's bytes, header first."""
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([harmless(cell) for cell in row] for row in table.rows)
    return out.getvalue().encode("utf-8")


def render(printout: Printout) -> bytes:
    """Return assignment.csv."""
    return table_bytes(handover.assignment(printout))


def groups(printout: Printout) -> bytes:
    """Return groups.csv."""
    return table_bytes(handover.groups(printout))


def waves(printout: Printout) -> bytes:
    """Return waves.csv."""
    return table_bytes(handover.waves(printout))


def deps(printout: Printout) -> bytes:
    """Return deps.csv."""
    return table_bytes(handover.deps(printout))


def exceptions(printout: Printout) -> bytes:
    """Return exceptions.csv."""
    return table_bytes(handover.exceptions(printout))
