"""The fingerprint of an inventory: equal content gives the same one, whenever it was taken.

Fields at their default are left out, so that a field added to the model later does not change the
fingerprints of inventories that say nothing about it.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, fields, is_dataclass, replace
from functools import cache
from typing import Any

from planner.model import Inventory


@cache
def _fields(kind: type) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.default) for field in fields(kind))


def _content(value: Any) -> dict[str, Any]:
    if not is_dataclass(value) or isinstance(value, type):
        raise TypeError(f"{type(value).__name__} has no place in an inventory")
    body: dict[str, Any] = {}
    for name, default in _fields(type(value)):
        item = getattr(value, name)
        if default is MISSING or item != default:
            body[name] = item
    return body


def inventory_fingerprint(inventory: Inventory) -> str:
    """Return the SHA-256 over the whole content but ``taken_at``: 64 hexadecimal digits."""
    text = json.dumps(
        replace(inventory, taken_at=""),
        default=_content,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(text.encode("ascii")).hexdigest()
