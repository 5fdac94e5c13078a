"""What a disk became that lies on more than it had, or comes home from more: sectors and partition table.

A mapping takes the size of its LUN, so that a VMDK or a smaller LUN moved onto it seems to have grown. The
proof of the copy says so, and what of the guest's own table wants a person's hand. On the way home it gets
its old size back.
"""

from __future__ import annotations

from contextlib import closing

from migrate.disks.partitions import read_table, words, words_at_home
from migrate.run.runbook import Step
from migrate.steps.kind import Context, Result
from migrate.steps.larger import may_be_larger
from planner.errors import WherryError
from planner.units import SECTOR


def resized(ctx: Context, step: Step, volume: str, size_bytes: int) -> Result:
    """Return what to record of a replica that was compared; nothing where both sides have one size."""
    there = ctx.target.volume(volume)
    if there is None:
        return {}
    here = ctx.source.volume(volume) if may_be_larger(step) else None
    had_bytes = size_bytes if here is None else here.size_bytes
    if there.size_bytes == had_bytes:
        return {}
    return {
        "sectors": [had_bytes // SECTOR, there.size_bytes // SECTOR],
        "table": _table(ctx, volume, had_bytes, there.size_bytes),
    }


def _table(ctx: Context, volume: str, had_bytes: int, now_bytes: int) -> str:
    """Return one sentence on the table; that nobody could look makes the copy no worse."""
    said = words if now_bytes > had_bytes else words_at_home
    try:
        with closing(ctx.target.open_read(volume)) as disk:
            return said(read_table(disk), had_bytes, now_bytes)
    except WherryError as error:
        return f"not looked at: {error.message}"
    except OSError as error:
        return f"not looked at: {error.strerror or error}"
