"""How a journal stands against what was asked of it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Grade(StrEnum):
    """What a person has to do about a journal."""

    GOOD = "good"
    WARNING = "warning"  # it will fall short, or has come near a limit
    BAD = "bad"  # history is shorter than asked, or writes are refused


@dataclass(frozen=True, slots=True)
class Health:
    """The journal of one group, measured.

    ``history_s`` is how far back one can go, ``wanted_s`` how far one should. ``size_bytes`` is what
    the journal takes, ``limit_bytes`` and ``warning_bytes`` are 0 where there is none. ``full_in_s`` is when
    the limit is met at the rate of late, None when it is not. ``said`` are sentences for people, the
    worst first.
    """

    grade: Grade
    history_s: float
    wanted_s: float
    size_bytes: int
    limit_bytes: int = 0
    warning_bytes: int = 0
    full_in_s: float | None = None
    said: tuple[str, ...] = ()
