"""What a disk became that lies on more than it had: sectors of both sides, and its partition table.

A mapping takes the size of its LUN, so that a VMDK or a smaller LUN moved onto it seems to have grown. The
proof of the copy says so, and what of the guest's own table wants a person's hand.
"""

from __future__ import annotations

from contextlib import closing

from migrate.disks.partitions import read_table, words
from migrate.steps.kind import Context, Result
from planner.errors import WherryError
from planner.units import SECTOR


def resized(ctx: Context, volume: str, size_bytes: int) -> Result:
    """Return what to record of a replica that was compared; nothing where both sides have one size."""
    there = ctx.target.volume(volume)
    if there is None or there.size_bytes == size_bytes:
        return {}
    return {
        "sectors": [size_bytes // SECTOR, there.size_bytes // SECTOR],
        "table": _table(ctx, volume, size_bytes, there.size_bytes),
    }


def _table(ctx: Context, volume: str, size_bytes: int, now_bytes: int) -> str:
    """Return one sentence on the table; that nobody could look makes the copy no worse."""
    try:
        with closing(ctx.target.open_read(volume)) as disk:
            return words(read_table(disk), size_bytes, now_bytes)
    except WherryError as error:
        return f"not looked at: {error.message}"
    except OSError as error:
        return f"not looked at: {error.strerror or error}"
