"""A log's frames of writes by segment, and what is looked through from the newest to the oldest.

A segment that is whole and will not grow is one layer. One that grows, or that a checkpoint cuts, is one
for each chunk of frames: only the last of them is indexed anew when it grew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from migrate.journal.frames import Kind
from migrate.journal.index import DiskIndex, FramesIndex
from migrate.journal.recovery import Ref

CHUNK_RECORDS: Final = 2048
CHUNK_FRAMES: Final = 128


@dataclass(slots=True)
class Section:
    """The frames of writes of one segment, and where its chunks begin."""

    segment: int
    frames: list[Ref] = field(default_factory=list)
    begins: list[int] = field(default_factory=lambda: [0])
    _records: int = 0

    def add(self, ref: Ref) -> None:
        """Append a frame."""
        self.frames.append(ref)
        self._records += ref.header.count
        if self._records >= CHUNK_RECORDS or len(self.frames) - self.begins[-1] >= CHUNK_FRAMES:
            self.begins.append(len(self.frames))
            self._records = 0

    def chunk(self, number: int) -> list[Ref]:
        """Return the frames of a chunk; the last one may have none yet."""
        begin, *end = self.begins[number : number + 2]
        return self.frames[begin : end[0] if end else None]


class Sections:
    """The sections of a list of frames that only grows; follows it."""

    def __init__(self) -> None:
        self.whole: list[Section] = []
        self.last: Section | None = None  # which is not whole
        self.frames: Sequence[Ref] = ()
        self.count = 0

    def follow(self, frames: Sequence[Ref], count: int) -> bool:
        """Take in the first ``count`` of ``frames``; tell whether that is another list than before."""
        anew = frames is not self.frames
        if anew:
            self.whole, self.last, self.frames, self.count = [], None, frames, 0
        for number in range(self.count, count):
            ref = frames[number]
            if self.last is not None and self.last.segment != ref.segment:
                self.whole.append(self.last)
                self.last = None
            if ref.header.kind is Kind.WRITES:
                self.last = self.last or Section(ref.segment)
                self.last.add(ref)
        self.count = count
        return anew

    def end(self) -> None:
        """Know the last section for whole, when no writes of it come after those taken in."""
        for number in range(self.count, len(self.frames)):
            ref = self.frames[number]
            if self.last is not None and ref.segment != self.last.segment:
                self.whole.append(self.last)
                self.last = None
            if self.last is None or ref.header.kind is Kind.WRITES:
                return


@dataclass(slots=True, eq=False)
class Layer:
    """Some frames, with their index and the runs of one disk in it once a read came to them."""

    frames: Sequence[Ref]
    whole: bool
    index: FramesIndex | None = None
    runs: DiskIndex = field(default_factory=DiskIndex)
