"""An image: a disk as it was at a checkpoint, read from its replica and the journal over it.

It is open as soon as the tables of its newest segment are read; older ones are read when a read comes to
them. What it holds stays while the group goes on: a lease keeps promotion and trim away from it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from migrate.disks.ports import ReadableDisk
from migrate.journal.frames import Kind
from migrate.journal.index import DiskIndex, index_of
from migrate.journal.leases import Lease
from migrate.journal.reading import FrameReader
from migrate.journal.recovery import Ref
from migrate.replication.extents import merge
from migrate.sites.ports import Extent

_NOTHING = DiskIndex()


@dataclass(frozen=True, slots=True)
class SegmentIndex:
    """The index of one segment up to a record; its runs count ``frames``."""

    frames: tuple[Ref, ...]
    disks: dict[int, DiskIndex]


class Indexes:
    """The indexes of a journal's segments, each made when it is first asked for. Used by one thread."""

    def __init__(self, reader: FrameReader) -> None:
        self._reader = reader
        self._made: dict[tuple[int, int], SegmentIndex] = {}

    def of(self, frames: tuple[Ref, ...], record: int) -> SegmentIndex:
        """Return the index of one segment's ``frames`` up to ``record``; raises JournalCorrupt, OSError."""
        key = (frames[-1].segment, min(frames[-1].header.last, record))
        if key not in self._made:
            numbered = (
                (number, [
                    (at, row)
                    for at, row in enumerate(self._reader.rows(ref))
                    if ref.header.first + at <= record
                ])
                for number, ref in enumerate(frames)
            )  # fmt: skip
            self._made[key] = SegmentIndex(frames, index_of(numbered))
        return self._made[key]


class Image:
    """Disk ``number`` at the checkpoint of ``lease``; a ReadableDisk, for one thread at a time.

    It owns the lease and the replica, and gives both back when it is closed.
    """

    def __init__(self, number: int, replica: ReadableDisk, lease: Lease, indexes: Indexes) -> None:
        self._number = number
        self._replica = replica
        self._lease = lease
        self._reader, self._indexes = lease.reader, indexes
        self._segments = _by_segment(lease.frames, lease.record)

    @property
    def size_bytes(self) -> int:
        """Size of the disk."""
        return self._replica.size_bytes

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` from ``offset``; raises OSError, JournalCorrupt where the journal is broken."""
        end = offset + len(buffer)
        if offset < 0 or end > self.size_bytes:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        gaps = [(offset, end)] if len(buffer) else []
        for frames in self._segments:
            if not gaps:
                return
            index = self._indexes.of(frames, self._lease.record)
            runs = index.disks.get(self._number, _NOTHING)
            gaps = [left for gap in gaps for left in self._filled(index, runs, gap, buffer, offset)]
        for low, high in gaps:
            self._replica.read_into(buffer[low - offset : high - offset], low)

    def allocated(self) -> Iterator[tuple[int, int]]:
        """Yield ascending (offset, length) runs that may hold data; the rest reads as zeros."""
        runs = [Extent(*run) for run in self._replica.allocated()]
        for frames in self._segments:
            index = self._indexes.of(frames, self._lease.record).disks.get(self._number, _NOTHING)
            pairs = zip(index.starts, index.ends, strict=True)
            runs = list(merge((*runs, *(Extent(start, end - start) for start, end in pairs))))
        for run in runs:
            yield run.offset, run.length

    def close(self) -> None:
        """Close the replica and give the lease back."""
        self._replica.close()
        self._lease.close()

    def _filled(
        self, index: SegmentIndex, runs: DiskIndex, gap: tuple[int, int], buffer: memoryview, offset: int
    ) -> Iterator[tuple[int, int]]:
        """Fill what a segment has of a gap and yield what is left of it."""
        at, end = gap
        for hit in runs.find(at, end):
            if hit.offset > at:
                yield at, hit.offset
            part = self._reader.read(index.frames[hit.frame]).part(hit.row, hit.offset, hit.end)
            into = buffer[hit.offset - offset : hit.end - offset]
            into[:] = bytes(len(into)) if part is None else part
            at = hit.end
        if at < end:
            yield at, end


def _by_segment(frames: Sequence[Ref], record: int) -> list[tuple[Ref, ...]]:
    """Return the frames of writes up to ``record`` by segment, the newest first."""
    segments: dict[int, list[Ref]] = {}
    for ref in frames:
        if ref.header.kind is Kind.WRITES and ref.header.first <= record:
            segments.setdefault(ref.segment, []).append(ref)
    return [tuple(segments[number]) for number in sorted(segments, reverse=True)]
