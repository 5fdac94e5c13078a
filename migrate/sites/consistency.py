"""What a frozen point in time is worth to an application."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Consistency(StrEnum):
    """The levels, from the least to the most."""

    CRASH = "crash"
    FILESYSTEM = "filesystem"
    APPLICATION = "application"


_ORDER = tuple(Consistency)


def at_least(reached: Consistency, wanted: Consistency) -> bool:
    """Whether a point that reached this is worth what was wanted."""
    return _ORDER.index(reached) >= _ORDER.index(wanted)


def lowest(levels: Iterable[Consistency]) -> Consistency:
    """Return the least of what was reached; what nobody reached anything of is worth a crash."""
    return min(levels, key=_ORDER.index, default=Consistency.CRASH)
