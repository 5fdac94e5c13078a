"""What a target holds of the disks of a stream as a tap begins to catch it up, told grain by grain.

Digests are asked for as if the disks lay one behind the other, each from a grain on. What the stream brings
after the beginning may be left out of an answer: those who ask have it in the order of writes anyway.
An answer to who asks of a place in that order leaves nothing out, and nothing later is in it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from itertools import accumulate

from blake3 import blake3

from migrate.disks.ports import ReadableDisk
from migrate.journal.frames import JournalCorrupt
from migrate.journal.group import GroupJournal
from migrate.replication.holdings import Holdings
from migrate.replication.link import Link
from migrate.replication.progress import ProgressLog
from migrate.replication.sums import sums_of
from migrate.replication.trees import UNKNOWN, DiskTree
from migrate.replication.wire import FLAG_HERE, FLAG_PART, Frame, Kind, WireError
from migrate.replication.zeros import GRAIN
from planner.units import MIB

PIECE_MAX = MIB  # of a question about a place in the order


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
        self._sums = sums_of(nonce, gmac=False)
        self._starts = starts(size for _volume, size in disks)
        self._held: dict[int, Holdings] = {}
        self._now: dict[int, ReadableDisk] = {}
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
        if frame.flags & FLAG_HERE:
            self._tell_now(link, frame, number)
            return
        if number not in self._held:
            volume, size = self._disks[number]
            disk = self._group.open_read(volume)
            self._stack.callback(disk.close)
            self._held[number] = Holdings(disk, self._logs[volume], self._sums, size, None)
        held, start = self._held[number], self._starts[number]
        held.ask(frame.offset - start, frame.length)
        for offset, digests in held.told(0):
            link.send(Kind.DIGESTS, digests, offset=start + offset)

    def _tell_now(self, link: Link, frame: Frame, number: int) -> None:
        """Say what a disk holds as the stream stands; nothing equals what cannot be read."""
        volume, size = self._disks[number]
        offset, length = frame.offset - self._starts[number], frame.length
        end = offset + length
        if offset % GRAIN or not 0 < length <= PIECE_MAX or end > size or (length % GRAIN and end != size):
            raise WireError("a tap asked for digests it may not ask for")
        if not offset and number in self._now:
            self._now.pop(number).close()
        if number not in self._now:  # what is kept of the journal's files in memory proves nothing of them
            self._now[number] = self._group.open_read(volume, anew=True)
        disk, view = self._now[number], memoryview(bytearray(length))
        try:
            disk.read_into(view, offset)
            grains = (view[at : at + GRAIN] for at in range(0, length, GRAIN))
            body = b"".join(blake3(grain).digest() for grain in grains)
            is_more = end == size and not DiskTree(disk, size).tail_is_zero()
        except (JournalCorrupt, OSError):
            body, is_more = UNKNOWN * -(-length // GRAIN), False
        flags = FLAG_HERE | (FLAG_PART if is_more else 0)
        link.send_parts(link.pack(Kind.DIGESTS, offset=frame.offset, body=body, flags=flags))

    def close(self) -> None:
        """Close the disks."""
        self._stack.close()
        while self._now:
            self._now.popitem()[1].close()
