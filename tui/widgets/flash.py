"""Which cells of a table changed between two looks at it; only rows that are on the screen are compared."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

FLASH_S = 1.0

Row = tuple[Any, ...]


def by_key(rows: Iterable[Row]) -> dict[Hashable, Row]:
    """Return rows by their key; nothing when a key stands there twice and so tells nothing."""
    drawn = list(rows)
    found = {row[0]: row for row in drawn}
    return found if len(found) == len(drawn) else {}


def changed_fields(
    before: Mapping[Hashable, Row], after: Mapping[Hashable, Row]
) -> dict[Hashable, frozenset[int]]:
    """Return the fields with another content, by row key; what was None before is read, not changed."""
    changed = {}
    for key, row in after.items():
        old = before.get(key, row)
        if old is not row:
            pairs = enumerate(zip(old, row, strict=False))
            fields = frozenset(at for at, (was, now) in pairs if was is not None and was != now)
            if fields:
                changed[key] = fields
    return changed
