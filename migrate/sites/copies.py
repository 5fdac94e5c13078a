"""Copies that a rehearsal boots: their ids say which VM or volume they are of, and who made them.

rehearsal:<key>:<id of the original>
"""

from __future__ import annotations

_MARK = "rehearsal:"


def copy_id(key: str, original: str) -> str:
    """Return the id of a copy; ``key`` names one rehearsal and holds no colon."""
    return f"{_MARK}{key}:{original}"


def original_of(thing: str) -> str:
    """Return the id of what a thing is a copy of: its own when it is none."""
    return thing.split(":", 2)[2] if thing.startswith(_MARK) and thing.count(":") > 1 else thing
