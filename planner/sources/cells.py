"""One cell to one value. Blank, and what cannot be understood, is ``None``: unknown, never no.

Numbers come as floats, as text with either decimal sign, or not at all; booleans as booleans, 1
and 0, or words; times as datetimes or as text. Excel's errors and RVTools' literal placeholders
are blanks.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

_MOST_MIB = 2**43
_TRUE = frozenset({"true", "yes", "1", "wahr", "vrai", "waar", "verdadero", "vero", "ja", "oui", "si", "sí"})
_FALSE = frozenset({"false", "no", "0", "falsch", "faux", "onwaar", "falso", "nein", "non", "nee"})
_TIMES = ("%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%d.%m.%Y %H:%M:%S", "%m/%d/%Y %I:%M:%S %p")


def text(cell: object) -> str:
    """Return the cell as text without outer blanks; "" for a blank."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        # RVTools blanks a value it must not show with one space; Excel escapes control characters.
        return "" if cell.startswith("#N/A") else cell.strip()
    if isinstance(cell, bool):
        return "True" if cell else "False"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    return str(cell)


def flag(cell: object) -> bool | None:
    """Return True, False or None for unknown."""
    if isinstance(cell, bool):
        return cell
    word = text(cell).casefold()
    return True if word in _TRUE else False if word in _FALSE else None


def number(cell: object) -> float | None:
    """Return a finite number or None; ``1.234,5`` and ``1,234.5`` are both understood.

    One sign before three digits separates thousands (``40.960``, ``40,960``): what is read here
    RVTools writes in whole numbers, and a size taken for a thousandth of itself would go unnoticed.
    """
    if isinstance(cell, bool):
        return None
    if isinstance(cell, int | float):
        return float(cell) if abs(cell) < 1e18 else None
    word = text(cell).replace("\u00a0", "").replace(" ", "").replace("'", "")
    if "," in word and "." in word:
        thousands = "," if word.rindex(".") > word.rindex(",") else "."
        word = word.replace(thousands, "")
    elif re.fullmatch(r"-?\d{1,3}(,\d{3})+", word) or re.fullmatch(r"-?[1-9]\d{0,2}(\.\d{3})+", word):
        word = word.replace(",", "").replace(".", "")
    word = word.replace(",", ".")
    return float(word) if re.fullmatch(r"-?\d{1,18}(\.\d+)?", word) else None


def whole(cell: object) -> int | None:
    """Return a whole number or None."""
    value = number(cell)
    return None if value is None else round(value)


def mebibytes(cell: object) -> int | None:
    """Return bytes for a cell in MB or MiB (RVTools means MiB by both).

    None when blank or negative, and for more than 8 EiB, which nothing holds.
    """
    value = number(cell)
    return round(value * 1024**2) if value is not None and 0 <= value < _MOST_MIB else None


def moment(cell: object) -> str:
    """Return a time as ISO 8601, taken as UTC when it has no zone; "" when unknown."""
    found: datetime | None = None
    if isinstance(cell, datetime):
        found = cell
    elif isinstance(cell, float) and 20_000 <= cell < 80_000:
        # A date whose cell lost its format is the number of days since the end of 1899.
        found = datetime(1899, 12, 30, tzinfo=UTC) + timedelta(seconds=round(cell * 86400))
    elif word := text(cell):
        try:
            found = datetime.fromisoformat(word)
        except ValueError:
            for form in _TIMES:
                try:
                    found = datetime.strptime(word, form).replace(tzinfo=UTC)
                    break
                except ValueError:
                    continue
    if found is None:
        return ""
    try:
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:  # in another zone it is before the first year
        return ""
    return found.isoformat(timespec="seconds")
