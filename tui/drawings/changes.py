"""What changed, drawn over time: how much a second, and what packing left of it, a spark for each cell.

A cell in which nobody knows anything is a dot, never an idle stretch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.drawings.timeline_link import spark

UNKNOWN = "·"


@dataclass(frozen=True, slots=True)
class Change:
    """What was written between two moments, seconds since 1970: bytes, and what packing left of them."""

    start_s: float
    end_s: float
    size_bytes: int
    packed_bytes: int


@dataclass(frozen=True, slots=True)
class Drawn:
    """Two lines of sparks on one axis. ``most_bytes_s`` is the busiest cell; None where nothing is known.

    ``packs_to`` is what packing left of all, from 0 on; None where nothing was written.
    """

    rates: str
    ratios: str
    most_bytes_s: float
    packs_to: float | None


def drawn(changes: Sequence[Change], width: int) -> Drawn | None:
    """Return changes on ``width`` cells from the first to the last; None where there is none to draw.

    A change is spread evenly over its time. A full cell of the first line is the busiest one, of the
    second what does not pack at all.
    """
    known = [change for change in changes if change.end_s > change.start_s]
    if not known or width <= 0:
        return None
    begin, end = min(one.start_s for one in known), max(one.end_s for one in known)
    per_cell = (end - begin) / width
    sizes, packed, covered = ([0.0] * width for _ in range(3))
    for change in known:
        length = change.end_s - change.start_s
        first = min(int((change.start_s - begin) / per_cell), width - 1)
        last = min(int((change.end_s - begin) / per_cell), width - 1)
        for cell in range(first, last + 1):
            left, right = begin + cell * per_cell, begin + (cell + 1) * per_cell
            share = max(min(right, change.end_s) - max(left, change.start_s), 0.0)
            sizes[cell] += change.size_bytes * share / length
            packed[cell] += change.packed_bytes * share / length
            covered[cell] += share
    rates = [size / time if time else None for size, time in zip(sizes, covered, strict=True)]
    most = max((rate for rate in rates if rate is not None), default=0.0)
    whole = sum(change.size_bytes for change in known)
    return Drawn(
        "".join(UNKNOWN if rate is None else spark(rate / most if most else 0.0) for rate in rates),
        "".join(
            UNKNOWN if not size else spark(min(left / size, 1.0))
            for size, left in zip(sizes, packed, strict=True)
        ),
        most,
        sum(change.packed_bytes for change in known) / whole if whole else None,
    )
