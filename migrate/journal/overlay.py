"""A journal laid over a replica: which bytes come from which, as of a record.

Frames are indexed in chunks; a chunk that is full is indexed once, the last one anew when it grew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from migrate.disks.ports import ReadableDisk
from migrate.journal.frames import Kind
from migrate.journal.index import DiskIndex, index_of
from migrate.journal.reading import FrameReader
from migrate.journal.recovery import Ref
from migrate.journal.writes import Row
from migrate.replication.extents import merge
from migrate.sites.ports import Extent

CHUNK: Final = 128  # frames
_NOTHING: Final = DiskIndex()


@dataclass(frozen=True, slots=True)
class ChunkIndex:
    """The index of some frames; its runs count ``frames``."""

    frames: tuple[Ref, ...]
    disks: dict[int, DiskIndex]


class Indexes:
    """The indexes of a journal's frames, made when they are first asked for. Used by one thread."""

    def __init__(self, reader: FrameReader) -> None:
        self.reader = reader
        self._made: dict[int, tuple[int, ChunkIndex]] = {}  # by first record, and their last

    def of(self, frames: tuple[Ref, ...], record: int) -> ChunkIndex:
        """Return the index of the writes of ``frames`` up to ``record``; raises JournalCorrupt, OSError."""
        first, last = frames[0].header.first, min(frames[-1].header.last, record)
        made = self._made.get(first)
        if made is None or made[0] != last:
            made = last, ChunkIndex(frames, index_of(self._numbered(frames, record)))
            self._made[first] = made
        return made[1]

    def forget(self, before: int) -> None:
        """Drop what was made of records before that one."""
        for first in [first for first in self._made if first < before]:
            del self._made[first]

    def _numbered(self, frames: tuple[Ref, ...], record: int) -> Iterator[tuple[int, list[tuple[int, Row]]]]:
        for number, ref in enumerate(frames):
            rows = enumerate(self.reader.rows(ref))
            yield number, [(at, row) for at, row in rows if ref.header.first + at <= record]


def chunks(frames: Sequence[Ref], record: int) -> list[tuple[Ref, ...]]:
    """Return the frames of writes up to ``record`` in chunks, the newest first."""
    writes = [ref for ref in frames if ref.header.kind is Kind.WRITES and ref.header.first <= record]
    cut = range(0, len(writes), CHUNK)
    return [tuple(writes[start : start + CHUNK]) for start in reversed(cut)]


def read(
    number: int,
    replica: ReadableDisk,
    pieces: Sequence[tuple[Ref, ...]],
    record: int,
    indexes: Indexes,
    buffer: memoryview,
    offset: int,
) -> None:
    """Fill ``buffer`` with what disk ``number`` holds at ``offset``; raises JournalCorrupt, OSError."""
    gaps = [(offset, offset + len(buffer))] if len(buffer) else []
    for frames in pieces:
        if not gaps:
            return
        index = indexes.of(frames, record)
        runs = index.disks.get(number, _NOTHING)
        gaps = [left for gap in gaps for left in _filled(indexes.reader, index, runs, gap, buffer, offset)]
    for low, high in gaps:
        replica.read_into(buffer[low - offset : high - offset], low)


def allocated(
    number: int, replica: ReadableDisk, pieces: Sequence[tuple[Ref, ...]], record: int, indexes: Indexes
) -> Iterator[tuple[int, int]]:
    """Yield ascending (offset, length) runs that may hold data; raises JournalCorrupt, OSError."""
    runs = [Extent(*run) for run in replica.allocated()]
    for frames in pieces:
        index = indexes.of(frames, record).disks.get(number, _NOTHING)
        pairs = zip(index.starts, index.ends, strict=True)
        runs = list(merge((*runs, *(Extent(start, end - start) for start, end in pairs))))
    for run in runs:
        yield run.offset, run.length


def _filled(
    reader: FrameReader,
    index: ChunkIndex,
    runs: DiskIndex,
    gap: tuple[int, int],
    buffer: memoryview,
    offset: int,
) -> Iterator[tuple[int, int]]:
    """Fill what a chunk has of a gap and yield what is left of it."""
    at, end = gap
    for hit in runs.find(at, end):
        if hit.offset > at:
            yield at, hit.offset
        part = reader.read(index.frames[hit.frame]).part(hit.row, hit.offset, hit.end)
        into = buffer[hit.offset - offset : hit.end - offset]
        into[:] = bytes(len(into)) if part is None else part
        at = hit.end
    if at < end:
        yield at, end
