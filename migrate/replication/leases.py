"""One writer per volume: leases in this process, ordered by generation.

A second writer is refused while the first lives, unless its generation is newer: then the older
conversation is cut off and has left the disk before the newer one enters.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from migrate.replication.channel import Channel
from planner.errors import ProjectBusy
from planner.names import visible


@dataclass(frozen=True, slots=True)
class _Lease:
    generation: int
    channel: Channel


class Leases:
    """The volumes in use by this receiver. Thread-safe.

    ``patience_s`` is how long a conversation waits for one that is just ending, such as that of a sender
    which died a moment ago.
    """

    def __init__(self, patience_s: float = 5.0) -> None:
        self._patience_s = patience_s
        self._free = threading.Condition()
        self._held: dict[str, _Lease] = {}

    @contextmanager
    def hold(self, volume: str, generation: int, channel: Channel) -> Iterator[None]:
        """Hold the volume for the block; raises ProjectBusy."""
        mine = _Lease(generation, channel)
        deadline = time.monotonic() + self._patience_s
        with self._free:
            while (live := self._held.get(volume)) is not None:
                if live.generation < generation:
                    live.channel.close()
                left = deadline - time.monotonic()
                if left <= 0:
                    raise ProjectBusy(
                        f"volume {visible(volume)} is being written by another conversation",
                        "wait for that run to end, or take over with a newer generation",
                    )
                self._free.wait(left)
            self._held[volume] = mine
        try:
            yield
        finally:
            with self._free:
                del self._held[volume]
                self._free.notify_all()
