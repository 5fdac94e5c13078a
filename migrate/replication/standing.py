"""What a target holds of the disks of a stream as a tap begins to catch it up, told grain by grain.

Digests are asked for as if the disks lay one behind the other, each from a grain on. What the stream brings
after the beginning may be left out of an answer: those who ask have it in the order of writes anyway.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import accumulate

from migrate.journal.group import GroupJournal
from migrate.replication.holdings import Holdings
from migrate.replication.link import Link
from migrate.replication.progress import ProgressLog
from migrate.replication.wire import Frame, Kind, WireError
from migrate.replication.zeros import GRAIN


def starts(sizes: Iterable[int]) -> list[int]:
    """Return where each disk begins, and where the last one ends."""
    return [0, *accumulate(-(-size // GRAIN) * GRAIN for size in sizes)]


class Standing:
    """The disks of a group, (volume, size) each; digests are keyed by ``nonce``. ``close`` it."""

    def __init__(
        self,
        group: GroupJournal,
        disks: Sequence[tuple[str, int]],
        logs: Mapping[str, ProgressLog],
        nonce: str,
    ) -> None:
        self._group = group
        self._disks = disks
        self._logs = logs
        self._nonce = nonce
        self._starts = starts(size for _volume, size in disks)
        self._held: dict[int, Holdings] = {}
        self._stack = ExitStack()

    def begin(self) -> None:
        """Know nothing yet: what is asked for from now on is told as it is from now on."""
        self._held.clear()
        self._stack.close()

    def tell(self, link: Link, frame: Frame) -> None:
        """Answer a question; raises WireError for one that nobody may ask, OSError."""
        number = bisect_right(self._starts, frame.offset) - 1
        if number >= len(self._disks):
            raise WireError("a tap asked for digests behind its disks")
        if number not in self._held:
            volume, size = self._disks[number]
            disk = self._group.open_read(volume)
            self._stack.callback(disk.close)
            self._held[number] = Holdings(disk, self._logs[volume], self._nonce, size, None)
        held, start = self._held[number], self._starts[number]
        held.ask(frame.offset - start, frame.length)
        for offset, digests in held.told(0):
            link.send(Kind.DIGESTS, digests, offset=start + offset)

    def close(self) -> None:
        """Close the disks."""
        self._stack.close()
