"""Where the newest bytes of each disk lie in some frames: disjoint runs, sorted, to be searched.

Four numbers a run in plain arrays, 24 bytes: a million records take 24 MiB at most. A run points to a
place in the unpacked data of a frame; which frame that is, the holder of the index knows.
"""

from __future__ import annotations

import heapq
import struct
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

from migrate.journal.frames import Header
from migrate.journal.writes import ROW, ZERO, pieces

ZEROS: Final = 2**32 - 1  # in place of a place: the run reads as zeros
_PLACE: Final = struct.Struct("<IQI16x")  # a row without its digest
_START: Final = itemgetter(0)
Span = tuple[int, int, int, int, int]  # start, age (the youngest is the least), end, frame, place


@dataclass(frozen=True, slots=True)
class Hit:
    """Bytes ``offset`` to ``end`` of a disk are at ``at`` of frame ``frame``, or are ZEROS."""

    offset: int
    end: int
    frame: int
    at: int


@dataclass(slots=True)
class DiskIndex:
    """The runs of one disk."""

    starts: array[int] = field(default_factory=lambda: array("Q"))
    ends: array[int] = field(default_factory=lambda: array("Q"))
    frames: array[int] = field(default_factory=lambda: array("I"))
    ats: array[int] = field(default_factory=lambda: array("I"))

    def find(self, offset: int, end: int) -> list[Hit]:
        """Return the runs that touch ``offset`` to ``end``, ascending and cut to it."""
        found: list[Hit] = []
        last = bisect_left(self.starts, end) - 1
        while last >= 0 and self.ends[last] > offset:
            start, at = self.starts[last], self.ats[last]
            low = max(start, offset)
            if at != ZEROS:
                at += low - start
            found.append(Hit(low, min(self.ends[last], end), self.frames[last], at))
            last -= 1
        found.reverse()
        return found

    def add(self, start: int, end: int, frame: int, at: int) -> None:
        """Append a run behind all others."""
        self.starts.append(start)
        self.ends.append(end)
        self.frames.append(frame)
        self.ats.append(at)

    def add_newest(self, spans: list[Span]) -> None:
        """Append, behind all others, the youngest bytes of ``spans``. n log n.

        The youngest come first; this sorts them.
        """
        spans.sort(key=_START)  # which keeps the youngest first
        at, count = 0, len(spans)
        while at < count:
            start, _age, end, frame, place = spans[at]
            after = at + 1
            while after < count and spans[after][0] == start and spans[after][2] <= end:
                after += 1  # an older write of the same place
            if after == count or spans[after][0] >= end:
                self.add(start, end, frame, place)
                at = after
                continue
            while after < count and spans[after][0] < end:
                end = max(end, spans[after][2])
                after += 1
            self._add_tangled(spans[at:after])
            at = after

    def _add_tangled(self, spans: list[Span]) -> None:
        """Append writes over each other: a sweep over their ends, the youngest that is open counts."""
        open_: list[tuple[int, int, int, int, int]] = []  # by age
        at = spans[0][0]
        for start, age, end, frame, place in (*spans, (2**64, 0, 0, 0, 0)):
            while open_ and at < start:
                _age, ends, its_frame, its_start, its_place = open_[0]
                if ends > at:
                    upto = min(ends, start)
                    moved = its_place if its_place == ZEROS else its_place + at - its_start
                    self._lengthen(at, upto, its_frame, moved)
                    at = upto
                if ends <= at:
                    heapq.heappop(open_)
            at = max(at, start)
            heapq.heappush(open_, (age, end, frame, start, place))

    def _lengthen(self, start: int, end: int, frame: int, at: int) -> None:
        """Append a run, or lengthen the last one that goes on in it."""
        if self.starts and self.ends[-1] == start and self.frames[-1] == frame:
            before = self.ats[-1]
            follows = before if before == ZEROS else before + start - self.starts[-1]
            if follows == at:
                self.ends[-1] = end
                return
        self.add(start, end, frame, at)


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class FramesIndex:
    """The index of some frames: the runs of each disk, and what each frame's table tells of its pieces."""

    disks: dict[int, DiskIndex]
    pieces: list[bytes]


def index_of(frames: Iterable[tuple[Header, bytes]]) -> FramesIndex:
    """Return the index of frames of writes, given by header and table, the oldest first."""
    spans: dict[int, list[Span]] = {}
    told: list[bytes] = []
    for number, (header, table) in enumerate(frames):
        told.append(pieces(table))
        for disk, span in _spans(number, header, table):
            spans.setdefault(disk, []).append(span)
    disks: dict[int, DiskIndex] = {}
    for disk, those in spans.items():
        those.reverse()
        disks[disk] = DiskIndex()
        disks[disk].add_newest(those)
    return FramesIndex(disks, told)


def _spans(number: int, header: Header, table: bytes) -> Iterator[tuple[int, Span]]:
    """Yield disk and span of each write of a frame; those that follow on each other are one."""
    age, place = -(number << 32), 0
    last_disk, last_end, begun, its_place = -1, -1, 0, 0
    for disk, offset, length in _PLACE.iter_unpack(memoryview(table)[: header.count * ROW.size]):
        if disk == last_disk and offset == last_end:
            last_end += length
        else:
            if last_end > begun:
                yield last_disk & ~ZERO, (begun, age, last_end, number, its_place)
            age -= 1
            last_disk, begun, last_end = disk, offset, offset + length
            its_place = ZEROS if disk & ZERO else place
        if not disk & ZERO:
            place += length
    if last_end > begun:
        yield last_disk & ~ZERO, (begun, age, last_end, number, its_place)
