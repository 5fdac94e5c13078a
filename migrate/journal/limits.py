"""What is asked of a journal: how far back one wants to go, and how much room it may take for that.

Limits are bytes, or percent of what the group's disks are together, which may be more than 100. Scratch
of writable images has a limit of its own, and counts against no other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from migrate.journal.thinning import DAY_S, HOUR_S
from planner.errors import BadInput
from planner.names import visible
from planner.units import GIB, MIB, parse_bytes, parse_duration, show_bytes

LEAST_BYTES: Final = 512 * MIB  # some segments: below that history would come and go by the segment
_PERCENT: Final = re.compile(r"\s*(\d{1,5}(?:\.\d+)?)\s*%\s*")
_USUAL_WARNING: Final = 0.75  # of the hard limit
_LEAST_RESERVE: Final = 16 * MIB
_MOST_PERCENT: Final = 50  # of a file system


@dataclass(frozen=True, slots=True)
class Room:
    """So many bytes, or so many percent of the disks; the less of both where both are said."""

    size_bytes: int = 0
    percent: float = 0.0

    def of(self, disks_bytes: int) -> int:
        """Return it in bytes, for disks of that size together."""
        share = round(disks_bytes * self.percent / 100)
        return min(self.size_bytes, share) if self.size_bytes and share else self.size_bytes or share


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits in bytes for one group; 0 where there is none."""

    hard_bytes: int = 0
    warning_bytes: int = 0
    scratch_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """What is asked of the journal of a group. None is no limit.

    ``reserve`` is to stay free of the file system it is on, of which its percent are.
    """

    history_s: float = DAY_S
    hard: Room | None = None
    warning: Room | None = None
    scratch: Room | None = None
    reserve: Room | None = None

    def of(self, disks_bytes: int) -> Bounds:
        """Return the limits of a group whose disks have that size together.

        The warning comes at three quarters of the hard limit where nothing else was asked, and never
        behind it.
        """
        hard = self.hard.of(disks_bytes) if self.hard else 0
        warning = self.warning.of(disks_bytes) if self.warning else round(hard * _USUAL_WARNING)
        scratch = self.scratch.of(disks_bytes) if self.scratch else 0
        return Bounds(hard, min(warning, hard) if hard else warning, scratch)


USUAL_RESERVE: Final = Room(4 * GIB, 2.0)


def parse_room(text: str, least_bytes: int = LEAST_BYTES) -> Room:
    """Return a limit for ``100GiB`` or ``20%``; raises BadInput."""
    if match := _PERCENT.fullmatch(text):
        percent = float(match[1])
        if not 1 <= percent <= 10_000:
            raise BadInput(f"{visible(text, 80)} is no limit of a journal", "say 1% to 10000%, or a size")
        return Room(percent=percent)
    try:
        size_bytes = parse_bytes(text)
    except BadInput as error:
        raise BadInput(
            f"{visible(text, 80)} is no limit of a journal", "write it like 100GiB, or 20% of the disks"
        ) from error
    if size_bytes < least_bytes:
        raise BadInput(
            f"a limit of {visible(text, 80)} is too small for a journal",
            f"give it {show_bytes(least_bytes)} or more",
        )
    return Room(size_bytes)


def parse_reserve(text: str) -> Room:
    """Return what is to stay free of a file system, the usual for ""; raises BadInput."""
    if not text:
        return USUAL_RESERVE
    room = parse_room(text, _LEAST_RESERVE)
    if room.percent > _MOST_PERCENT:
        raise BadInput(
            f"{visible(text, 80)} of a file system is too much to stay free", f"say {_MOST_PERCENT}% or less"
        )
    return room


def parse_history(text: str) -> float:
    """Return the seconds of history wanted, for ``1h`` to ``30d``; raises BadInput."""
    try:
        history_s = parse_duration(text)
    except BadInput as error:
        raise BadInput(f"{visible(text, 80)} is no history", "write it like 4h, 24h or 7d") from error
    if not HOUR_S <= history_s <= 30 * DAY_S:
        raise BadInput(f"a history of {visible(text, 80)} cannot be kept", "ask for 1h to 30d")
    return history_s


def parse_limits(
    history: str = "24h", hard: str = "", warning: str = "", scratch: str = "", reserve: str = ""
) -> Limits:
    """Return what is asked in words, "" where there is to be no limit; raises BadInput."""
    most, warns, scratches = (parse_room(text) if text else None for text in (hard, warning, scratch))
    limits = Limits(parse_history(history), most, warns, scratches, parse_reserve(reserve))
    alike = limits.hard and limits.warning and bool(limits.hard.percent) is bool(limits.warning.percent)
    if alike and limits.of(MIB).warning_bytes >= limits.of(MIB).hard_bytes:
        raise BadInput(
            f"the warning limit of {visible(warning, 80)} is not below the limit of {visible(hard, 80)}",
            "warn earlier, or give more room",
        )
    return limits
