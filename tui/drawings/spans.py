"""Disks drawn by where they changed: a line for each pass, a cell for each span, fuller where more did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate.spans import folded
from planner.units import show_bytes
from tui.drawings.timeline_link import spark

if TYPE_CHECKING:
    from migrate.disk_maps import DiskMap

ROUNDS = 12  # the newest of them are drawn
LABEL = 26  # columns before a line
_UNKNOWN = {"seed": "all that is allocated", "compare": "compared: not told which parts"}


def cells(line: str, width: int) -> str:
    """Return a line of ``migrate.spans`` in at most ``width`` cells."""
    return "".join(spark(int(digit) / 9) for digit in folded(line, width))


def drawn(disk: DiskMap, width: int) -> Iterator[str]:
    """Yield the lines of one disk, drawn in ``width`` columns: its passes, then all of them together."""
    room = max(8, width - LABEL)
    left = len(disk.passes) - ROUNDS
    if not disk.passes:
        yield "nothing of it was copied yet"
        return
    if left > 0:
        yield f"{left} older passes are not drawn"
    for number, one in enumerate(disk.passes[-ROUNDS:], max(left, 0) + 1):
        words = f"{number:>4}  {one.mode:<8}{show_bytes(one.data_bytes):>10}"
        yield f"{words:<{LABEL}}{cells(one.changed, room) or _UNKNOWN.get(one.mode, 'not told which parts')}"
    if disk.often:
        yield f"{'how often, of all known':<{LABEL}}{cells(disk.often, room)}"
