"""The assignment table as CSV: one VM a row, UTF-8, quoted where needed.

Spreadsheets run a cell that starts with = + - @ (or their full-width twins), even from CSV. Such
text gets an apostrophe in front, which they show as plain text.
"""

from __future__ import annotations

import csv
from io import StringIO

from planner.export.printout import Cell, Printout, assignment

_ACTIVE = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(cell: Cell) -> Cell:
    """Return the cell so that no spreadsheet takes it for a formula; numbers stay numbers."""
    if isinstance(cell, str) and cell.lstrip(" \u00a0'").startswith(_ACTIVE):
        return f"'{cell}"
    return cell


def render(printout: Printout) -> bytes:
    """Return the table's bytes, header first."""
    table = assignment(printout)
    out = StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows([harmless(cell) for cell in row] for row in table.rows)
    return out.getvalue().encode("utf-8")
