"""Disks drawn by where they changed: a line for each pass, a cell for each span, fuller where more did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from migrate.spans import folded
from planner.names import visible
from planner.units import show_bytes
from tui.drawings.timeline_link import spark
from tui.text import plural

if TYPE_CHECKING:
    from migrate.disk_maps import Away, DiskMap, DiskPass

ROUNDS = 12  # the newest of them are drawn
LABEL = 26  # columns before a line
_UNKNOWN = {"seed": "all that is allocated", "compare": "compared: not told which parts"}


def cells(line: str, width: int) -> str:
    """Return a line of ``migrate.spans`` in at most ``width`` cells."""
    return "".join(spark(int(digit) / 9) for digit in folded(line, width))


def runs_words(one: DiskPass) -> str:
    """Return in how many runs a pass changed a disk, and how long the longest is."""
    if not one.areas:
        return "nothing" if one.moved and not one.earlier_bytes else ""
    return f"{plural(one.areas, 'area')}, the longest {show_bytes(one.longest_bytes)}"


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
        if disk.away is not None and max(disk.away.before, left) == number - 1:
            yield from _away(disk.away)
        words = f"{number:>4}  {one.mode:<8}{show_bytes(one.data_bytes):>10}"
        yield f"{words:<{LABEL}}{cells(one.where, room) or _UNKNOWN.get(one.mode, 'not told which parts')}"
        if one.moved and one.earlier_bytes:
            yield f"      {show_bytes(one.earlier_bytes)} came in an earlier try: where is not kept"
    if disk.away is not None and disk.away.before >= len(disk.passes):
        yield from _away(disk.away)
    if disk.often:
        yield f"{'how often, of all known':<{LABEL}}{cells(disk.often, room)}"


def _away(away: Away) -> Iterator[str]:
    """Yield what is still known of rounds whose steps are not on record any more."""
    since, until = (visible(at[:16]).replace("T", " ") for at in (away.since, away.until))
    yield f"      {plural(away.rounds, 'round')} put away, {since} to {until} UTC:"
    yield f"      {show_bytes(away.data_bytes)} of its group read; where is not kept"
