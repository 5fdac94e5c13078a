"""Where the newest bytes of each disk lie in one segment: disjoint runs, sorted, to be searched.

Four numbers a run in plain arrays, 24 bytes: a million records take 24 MiB at most. A run points to a
row of a frame; which frame that is, the maker of the index knows.
"""

from __future__ import annotations

import heapq
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from migrate.journal.writes import Row


@dataclass(frozen=True, slots=True)
class Hit:
    """Bytes ``offset`` to ``end`` of a disk are in row ``row`` of frame ``frame``."""

    offset: int
    end: int
    frame: int
    row: int


@dataclass(slots=True)
class DiskIndex:
    """The runs of one disk."""

    starts: array[int] = field(default_factory=lambda: array("Q"))
    ends: array[int] = field(default_factory=lambda: array("Q"))
    frames: array[int] = field(default_factory=lambda: array("I"))
    rows: array[int] = field(default_factory=lambda: array("I"))

    def find(self, offset: int, end: int) -> Iterator[Hit]:
        """Yield the runs that touch ``offset`` to ``end``, ascending and cut to it."""
        at = max(bisect_right(self.starts, offset) - 1, 0)
        while offset < end and at < len(self.starts) and self.starts[at] < end:
            if self.ends[at] > offset:
                low, high = max(self.starts[at], offset), min(self.ends[at], end)
                yield Hit(low, high, self.frames[at], self.rows[at])
            at += 1

    def _add(self, start: int, end: int, frame: int, row: int) -> None:
        if self.starts and self.ends[-1] == start and (self.frames[-1], self.rows[-1]) == (frame, row):
            self.ends[-1] = end
            return
        self.starts.append(start)
        self.ends.append(end)
        self.frames.append(frame)
        self.rows.append(row)


def index_of(frames: Iterable[tuple[int, Iterable[tuple[int, Row]]]]) -> dict[int, DiskIndex]:
    """Return the index of each disk; ``frames`` are numbers with numbered rows, oldest first.

    A sweep over the ends of all writes: of those that cover a byte the youngest counts. n log n.
    """
    writes: dict[int, list[tuple[int, int, int, int, int]]] = {}
    age = 0
    for frame, numbered in frames:
        for number, row in numbered:
            if row.length:
                age -= 1  # the youngest is the least
                span = (row.offset, age, row.offset + row.length, frame, number)
                writes.setdefault(row.disk, []).append(span)
    return {disk: _swept(sorted(spans)) for disk, spans in writes.items()}


def _swept(spans: list[tuple[int, int, int, int, int]]) -> DiskIndex:
    index = DiskIndex()
    open_: list[tuple[int, int, int, int]] = []  # by age: who covers the place we are at
    at = 0
    for start, age, end, frame, row in [*spans, (2**63, 0, 0, 0, 0)]:
        while open_ and at < start:
            _age, ends, its_frame, its_row = open_[0]
            if ends > at:
                upto = min(ends, start)
                index._add(at, upto, its_frame, its_row)
                at = upto
            if ends <= at:
                heapq.heappop(open_)
        at = start
        heapq.heappush(open_, (age, end, frame, row))
    return index
