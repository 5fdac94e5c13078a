"""A journal laid over one disk's replica: which bytes come from which, as of a place in the order.

chunks of the last segment    made when a read comes to them
whole segments                one index each, from its file where there is one
those fused into one          while reads go on
replica                       what none of them has
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from migrate.disks.ports import ReadableDisk
from migrate.journal.fused import Fused
from migrate.journal.index import ZEROS, DiskIndex, FramesIndex, index_of
from migrate.journal.layers import Layer, Section, Sections
from migrate.journal.log import Log
from migrate.journal.reading import FrameReader
from migrate.journal.recovery import Ref

_MANY: Final = 4  # whole segments, from which on they are fused
Gaps = list[tuple[int, int]]


class Indexes:
    """Finds or makes the indexes of a journal's frames. Thread-safe."""

    def __init__(self, reader: FrameReader) -> None:
        self.reader = reader

    def of(self, frames: Sequence[Ref], *, whole: bool) -> FramesIndex:
        """Return the index of frames of writes, all of one ``whole`` segment's or some.

        Raises JournalCorrupt, OSError.
        """
        found = self.reader.index_files.load(frames, whole=whole)
        if found is None:
            found = index_of((ref.header, self.reader.table(ref)) for ref in frames)
            self.reader.index_files.save(frames, found, whole=whole)
        return found


class Overlay:
    """What lies over ``replica``, which is disk ``number``. For one thread at a time."""

    def __init__(self, number: int, replica: ReadableDisk, indexes: Indexes) -> None:
        self._number = number
        self._replica = replica
        self._indexes = indexes
        self._sections = Sections()
        self._chunks: list[Layer] = []  # of the last section, the oldest first
        self._chunked: Section | None = None
        self._whole: list[Layer] = []  # not fused, the newest first
        self._known = 0  # whole sections that are layers
        self._fused: Fused | None = None

    def follow(self, frames: Sequence[Ref], count: int, *, ends: bool = False) -> None:
        """Lay over the first ``count`` of ``frames``; with ``ends`` they will not become more."""
        if frames is self._sections.frames and count == self._sections.count:
            return
        if self._sections.follow(frames, count):
            self._whole, self._known, self._fused, self._chunked = [], 0, None, None
        if ends:
            self._sections.end()
        for section in self._sections.whole[self._known :]:
            self._whole.insert(0, Layer(section.frames, True))
        self._known = len(self._sections.whole)
        self._follow_last(self._sections.last)

    def read_into(self, buffer: memoryview, offset: int) -> None:
        """Fill ``buffer`` with what the disk holds at ``offset``; raises JournalCorrupt, OSError."""
        if not len(buffer):
            return
        gaps = [(offset, offset + len(buffer))]
        gaps = self._filled(reversed(self._chunks), gaps, buffer, offset)
        deep = bool(gaps)
        if deep:
            gaps = self._filled(self._whole, gaps, buffer, offset)
        fused = self._fused
        if gaps and fused is not None:
            if gaps[-1][1] <= fused.upto:
                gaps = self._fill(fused.frames, fused.told, fused.runs, gaps, buffer, offset)
            else:
                gaps = self._filled(fused.layers, gaps, buffer, offset)
        for low, high in gaps:
            self._replica.read_into(buffer[low - offset : high - offset], low)
        if deep:
            self._fuse()

    def allocated(self) -> list[tuple[int, int]]:
        """Return ascending (offset, length) runs that may hold data; raises JournalCorrupt, OSError."""
        ends = [(start, start + length) for start, length in self._replica.allocated()]
        fused = self._fused
        layers = [*self._chunks, *self._whole]
        if fused is not None:
            layers += [fused.as_layer()] if fused.is_done else fused.layers
        for layer in layers:
            self._load(layer)
            ends += zip(layer.runs.starts, layer.runs.ends, strict=True)
        return _joined(ends)

    def _follow_last(self, last: Section | None) -> None:
        if last is None or last is not self._chunked:
            self._chunks, self._chunked = [], last
        if last is None:
            return
        if self._chunks and len(self._chunks[-1].frames) < len(last.chunk(len(self._chunks) - 1)):
            self._chunks.pop()
        for number in range(len(self._chunks), len(last.begins)):
            if frames := last.chunk(number):
                self._chunks.append(Layer(frames, False))

    def _filled(self, layers: Iterable[Layer], gaps: Gaps, buffer: memoryview, offset: int) -> Gaps:
        """Fill what layers have of the gaps, the newest first, and return what is left."""
        for layer in layers:
            index = layer.index or self._load(layer)
            runs = layer.runs
            last = bisect_left(runs.starts, gaps[-1][1]) - 1
            if last < 0 or runs.ends[last] <= gaps[0][0]:
                continue
            gaps = self._fill(layer.frames, index.pieces, runs, gaps, buffer, offset)
            if not gaps:
                break
        return gaps

    def _fill(
        self,
        frames: Sequence[Ref],
        told: Sequence[bytes],
        runs: DiskIndex,
        gaps: Gaps,
        buffer: memoryview,
        offset: int,
    ) -> Gaps:
        left: Gaps = []
        for at, end in gaps:
            for hit in runs.find(at, end):
                if hit.offset > at:
                    left.append((at, hit.offset))
                into = buffer[hit.offset - offset : hit.end - offset]
                if hit.at == ZEROS:
                    into[:] = bytes(len(into))
                else:
                    self._indexes.reader.read_into(into, frames[hit.frame], told[hit.frame], hit.at)
                at = hit.end
            if at < end:
                left.append((at, end))
        return left

    def _load(self, layer: Layer) -> FramesIndex:
        if layer.index is None:
            layer.index = self._indexes.of(layer.frames, whole=layer.whole)
            layer.runs = layer.index.disks.get(self._number, layer.runs)
        return layer.index

    def _fuse(self) -> None:
        """Bring the layers of whole segments nearer to being one, once a read has come through them all."""
        fused = self._fused
        if fused is not None and not fused.is_done:
            fused.step()
        elif len(self._whole) >= _MANY and self._whole[-1].index is not None:
            before = [fused.as_layer()] if fused is not None else []
            self._fused = Fused(self._number, [*self._whole, *before])
            self._whole = []


def prepare(log: Log, stop: Callable[[], bool] = lambda: False) -> int:
    """Make the index files of whole segments that have none, and return how many; raises as reads do."""
    indexes, sections, done, made = Indexes(log.reader), Sections(), set[int](), 0
    while not stop():
        with log.reading() as (frames, count):  # for each segment anew: a trim does not wait for all
            sections.follow(frames, count)
            section = next((found for found in sections.whole if found.segment not in done), None)
            if section is None:
                break
            done.add(section.segment)
            if not log.reader.index_files.is_there(section.frames):
                indexes.of(section.frames, whole=True)
                made += 1
    return made


def _joined(ends: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the (offset, length) of (offset, end) runs in any order, merged and ascending."""
    ends.sort()
    found: list[tuple[int, int]] = []
    begin = upto = 0
    for start, end in ends:
        if start > upto:
            if upto > begin:
                found.append((begin, upto - begin))
            begin = start
        upto = max(upto, end)
    if upto > begin:
        found.append((begin, upto - begin))
    return found
