"""What is newest at a target: the replica, or where a journal stands before it what its receiver says."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING

from migrate.replication.hashing import DiskHash, ask_hash, hash_disk
from migrate.run.history import History, Status
from planner.errors import Unreachable

if TYPE_CHECKING:
    from migrate.sites.reached import Reached


def lags(history: History, volume: str) -> bool:
    """Return whether a replica may be behind what is newest: passes go through a journal that did not end."""
    for step in history.runbook.steps:
        if step.kind == "journal" and volume in step.params["volumes"]:
            promote = f"{step.id.split('/', 1)[0]}/promote"
            kept = step.id in history.results and history.results[step.id].get("kept", True)
            return bool(kept) and history.status.get(promote) is not Status.DONE
    return False


def hash_newest(
    target: Reached, history: History, volume: str, size_bytes: int, progress: Callable[[int], None]
) -> DiskHash:
    """Return the digest of what is newest of a volume; raises Unreachable, OSError."""
    from migrate.daemons.away import find_away
    from migrate.daemons.reaching import channel_to
    from migrate.replication.channel import ChannelClosed

    if not lags(history, volume) and find_away(target.where) is None:
        with closing(target.open_read(volume)) as replica:
            return hash_disk(replica, size_bytes=size_bytes, progress=progress)
    try:
        with closing(channel_to(target.where)) as channel:
            return ask_hash(channel, volume, size_bytes, progress=progress)
    except ChannelClosed as error:
        raise Unreachable("the receiver went away in a comparison", "run the verb again") from error
