"""How much the journal of a move group may take, in bytes: of what the policies ask in words."""

from __future__ import annotations

import re
from typing import Final

from planner.errors import BadInput
from planner.names import visible
from planner.units import MIB, parse_bytes

LEAST_BYTES: Final = 512 * MIB  # some segments of the journal: below that history would come and go by them
_PERCENT: Final = re.compile(r"\s*(\d{1,5}(?:\.\d+)?)\s*%\s*")
_USUAL_WARNING: Final = 0.75


def checked_room(text: str) -> str:
    """Return a limit as it was written, "" for none; raises ValueError for what is none."""
    if text and not _PERCENT.fullmatch(text):
        try:
            parse_bytes(text)
        except BadInput as error:
            raise ValueError(f"{visible(text, 80)} is no limit: write 100GiB, or 50% of the disks") from error
    return text


def room_bytes(limit: str, warning: str, disks_bytes: int) -> tuple[int, int]:
    """Return limit and warning for disks of that size together; 0 where there is none.

    A limit is never below what a journal needs to work, nor a warning behind it.
    """
    hard = max(_bytes(limit, disks_bytes), LEAST_BYTES) if limit else 0
    warn = _bytes(warning, disks_bytes) if warning else round(hard * _USUAL_WARNING)
    return hard, min(warn, hard) if hard else warn


def _bytes(text: str, disks_bytes: int) -> int:
    if match := _PERCENT.fullmatch(text):
        return round(disks_bytes * float(match[1]) / 100)
    return parse_bytes(text)
