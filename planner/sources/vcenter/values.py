"""A parsed answer to values. What is absent or cannot be understood is ``None`` or "": unknown."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any


def at(value: Any, *path: str) -> Any:
    """Return what stands under a path of names, None when any part is absent."""
    for name in path:
        if type(value) is not dict:
            return None
        value = value.get(name)
    return value


def text(value: Any, *path: str) -> str:
    """Return the text under a path, "" when absent."""
    found = at(value, *path)
    return found if type(found) is str else ""


def whole(value: Any, *path: str) -> int | None:
    """Return the whole number under a path, None when absent."""
    found = at(value, *path)
    try:
        return int(found) if type(found) is str and len(found) < 21 else None
    except ValueError:
        return None


def number(value: Any, *path: str) -> float | None:
    """Return the finite number under a path, None when absent."""
    found = at(value, *path)
    try:
        read = float(found) if type(found) is str else math.nan
    except ValueError:
        return None
    return read if math.isfinite(read) else None


def flag(value: Any, *path: str) -> bool | None:
    """Return True, False, or None when absent."""
    found = at(value, *path)
    return True if found in ("true", "1") else False if found in ("false", "0") else None


def many(value: Any, *path: str) -> list[Any]:
    """Return what may stand there several times as a list; [] when absent."""
    found = at(value, *path)
    return [] if found is None or found == "" else found if type(found) is list else [found]


def moment(value: Any, *path: str) -> str:
    """Return a time under a path as ISO 8601 in UTC, "" when absent."""
    try:
        found = datetime.fromisoformat(text(value, *path))
    except ValueError:
        return ""
    found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return found.isoformat(timespec="seconds")


def size(value: int | None, unit: int = 1) -> int | None:
    """Return bytes for a count of units; negative means unknown."""
    return None if value is None or value < 0 else value * unit
