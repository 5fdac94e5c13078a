"""Checkpoints whose change is out of the ordinary, so that a person sees where data went bad.

What encrypts or fills disks writes far more than is usual, and what it writes does not pack. Neither
alone says much: backups write a lot, and databases may be packed already. It is a pointer, no proof.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import Final

from migrate.journal.state import Checkpoint
from planner.units import MIB

TIMES: Final = 5  # as much as is usual
HARD: Final = 0.9  # of what was written is left when it is packed
_KNOWN: Final = 3  # checkpoints before it, from which on anything is usual
_LITTLE: Final = MIB  # less than this is never much


def ratio(point: Checkpoint) -> float | None:
    """Return what packing left of the bytes written, None where nothing was."""
    return point.packed_bytes / point.written_bytes if point.written_bytes else None


def unusual(checkpoints: Iterable[Checkpoint]) -> dict[int, str]:
    """Return, by record, what is out of the ordinary of which checkpoints, oldest first.

    What is usual is the median of those before, the unusual ones left out: a long attack does not
    become usual.
    """
    found: dict[int, str] = {}
    usual: list[Checkpoint] = []
    for point in checkpoints:
        left = ratio(point)
        if len(usual) >= _KNOWN and left is not None and left >= HARD:
            much = max(median(one.written_bytes for one in usual), _LITTLE)
            if point.written_bytes > TIMES * much:
                packs = [one for one in map(ratio, usual) if one is not None]
                before = f", {median(packs):.0%} before" if packs else ""
                found[point.record] = (
                    f"{point.written_bytes / much:.0f} times the usual change, and it hardly packs: "
                    f"to {left:.0%}{before}"
                )
                continue
        usual.append(point)
    return found
