"""Some of the order of writes: rows that say where their bytes lie in slabs, and perhaps a word at the end.

    disk │ bytes │ offset │ place in the slabs │ when          for each write; at no place are zeros

What is done with all writes of a chunk costs one step and not one for each. ``Batch`` is what goes out at
once: its bytes stay where they are until the target has them, or until an era begins.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final

from migrate.journal.writes import Write
from migrate.replication.channel import Buffer
from migrate.sites.consistency import Consistency
from migrate.tap.slabs import Slabs

ROW: Final = struct.Struct("<IIQQd")
NOWHERE: Final = 2**64 - 1
_BETWEEN: Final = 64  # bytes: the head of a request
Run = tuple[int, int, int]  # of a write: offset, bytes, where they begin in what was received


@dataclass(frozen=True, slots=True)
class Point:
    """A checkpoint in the order. ``made`` gets its number at the target, or why there is none."""

    at_ms: int
    consistency: Consistency = Consistency.CRASH
    name: str = ""
    pinned: bool = False
    whole: bool = False  # the first one after a catch-up
    pending: bool = False  # what it is worth is said later
    made: Future[int] = field(default_factory=Future, compare=False)


@dataclass(frozen=True, slots=True)
class Judged:
    """What the checkpoint ``record`` of the target is worth, said afterwards; None withdraws it.

    ``made`` gets that number when it is durable, or why it was not said.
    """

    record: int
    consistency: Consistency | None
    made: Future[int] = field(default_factory=Future, compare=False)


class Chunk:
    """Items numbered from ``after`` + 1 on; ``done`` of them the target has. ``weight`` is what they take."""

    __slots__ = (
        "_at",
        "_end",
        "_runs",
        "_slabs",
        "after",
        "done",
        "is_last",
        "point",
        "pointed_s",
        "rows",
        "weight",
    )

    def __init__(self, after: int, slabs: Slabs) -> None:
        self._slabs = slabs
        self._runs: list[tuple[int, int]] = []
        self._at = self._end = 0  # what is free of the newest run
        self.after = after
        self.rows = bytearray()
        self.done = self.weight = 0
        self.point: Point | Judged | None = None
        self.pointed_s = 0.0
        self.is_last = False  # of its batch: somebody wants to know that place

    @property
    def upto(self) -> int:
        """The number of its last item."""
        return self.after + len(self.rows) // ROW.size + (self.point is not None)

    def take(self, disk: int, view: memoryview, runs: Sequence[Run], now_s: float) -> bool:
        """Take copies of writes in ``view``, ascending there; False when there is no memory for them.

        What lies between two of them is copied as well, where that is less work than a copy for each.
        """
        rows, memory, row = self.rows, self._slabs.view, ROW.pack
        at, room = self._at, self._end - self._at
        begin = end = 0  # of what is to be copied to ``at``
        for offset, length, start in runs:
            if start + length - begin > room or start - end > _BETWEEN:
                memory[at : at + end - begin] = view[begin:end]
                at, begin = at + end - begin, start
                if self._end - at < length:
                    run = at, self._end = self._slabs.take(length)
                    if not self._end:
                        return False
                    self._runs.append(run)
                room = self._end - at
            rows += row(disk, length, offset, at + start - begin, now_s)
            end = start + length
        memory[at : at + end - begin] = view[begin:end]
        self._at = at + end - begin
        return True

    def give_back(self) -> None:
        """Give back what was taken."""
        for run in self._runs:
            self._slabs.give_back(*run)

    def oldest_s(self) -> float:
        """Return when the oldest item came that the target does not have."""
        at = self.done * ROW.size
        return float(ROW.unpack_from(self.rows, at)[4]) if at < len(self.rows) else self.pointed_s


@dataclass(frozen=True, slots=True)
class Batch:
    """What comes next: writes numbered from ``after`` + 1 on, and then, perhaps, a point; up to ``upto``."""

    after: int
    upto: int
    rows: bytes
    memory: memoryview
    data_bytes: int  # about
    point: Point | Judged | None = None

    @property
    def writes(self) -> list[Write]:
        """The writes; their bytes stay where they are."""
        return list(writes_of(self.rows, self.memory))


def writes_of(rows: Buffer, memory: memoryview) -> Iterator[Write]:
    """Yield the writes of rows whose bytes are in ``memory``."""
    for disk, length, offset, place, _at in ROW.iter_unpack(rows):
        data = None if place == NOWHERE else memory[place : place + length]
        yield Write(disk, offset, length, data)
