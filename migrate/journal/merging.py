"""Merging: whole segments between two kept checkpoints become one that holds the last write of each run.

    choose ── write the new one ── sync it, then its name ── read it in their place ── trim, when nobody reads

So old history is no larger than its disks, whatever was written. The segment a kept checkpoint lies in
stays. The new one bears the records and tags at both its ends, so the chain goes through it, and begins
behind the floor: no promotion stops within. Its runs bear the last numbers of those records, for they are
right only when all of them are. Its words are true when written: all it holds was durable by then.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Final

from migrate.journal.cover import Merged
from migrate.journal.files import Files
from migrate.journal.frames import Kind, Sealer
from migrate.journal.growing import Growing
from migrate.journal.index import ZEROS, DiskIndex, index_of
from migrate.journal.log import FRAME_BYTES, Log
from migrate.journal.recovery import Ref, read_data, read_mark, read_table, state_after
from migrate.journal.state import State
from migrate.journal.writes import ROW, Write, pack, rows

_GAIN: Final = 0.75  # it has to become that small to be worth its writing
_GROWN: Final = 1.5  # as large as its largest part before it is looked at, so that few bytes move often
_RUNS: Final = 4096  # in a frame at most


@dataclass(frozen=True, slots=True)
class _Part:
    """A whole segment: it stands for the segments ``start`` to ``end`` and ends with record ``last``."""

    number: int
    start: int
    end: int
    last: int
    tag: bytes
    refs: tuple[Ref, ...]

    @property
    def first(self) -> int:
        return self.refs[0].header.first

    @property
    def size_bytes(self) -> int:
        return self.refs[-1].offset + self.refs[-1].header.size_bytes


@dataclass(frozen=True, slots=True)
class _Run:
    """The newest bytes of a place: ``length`` of disk ``disk``, at ``at`` of a frame's data or ZEROS."""

    disk: int
    offset: int
    length: int
    at: int


@dataclass(frozen=True, slots=True)
class _Found:
    """What merging a stretch comes to: where its newest bytes are, in how many frames and runs they go.

    ``before`` are the bytes it takes, ``after`` about those it would.
    """

    newest: dict[int, DiskIndex]
    frames: int
    runs: int
    before: int
    after: int
    is_worth: bool


class Merger:
    """Merges the segments of one group's log. One at a time: ``Log.moving`` sees to it."""

    def __init__(self, files: Files, name: str, level: int = 1) -> None:
        self._files = files
        self._sealer = Sealer(name, files.key)
        self._level = level
        self._poor: dict[int, int] = {}  # by first segment: the size at which it was not worth it
        self._looked: dict[tuple[int, int], int | None] = {}  # by first and last: bytes after, where worth it

    def merge(self, log: Log, pace: Callable[[int], None], most_bytes: int | None = None) -> int:
        """Merge what is worth it and return the bytes that were won.

        ``pace`` is told each few bytes moved and may raise, to stop: nothing is lost then. The log takes
        no more than about ``most_bytes`` meanwhile. Raises JournalCorrupt, OSError, JournalFailed.
        """
        won = 0
        with log.moving:
            log.trim()
            if log.stale:
                return 0  # what an earlier one left half made has to be gone before
            there = {part.number for part in self._parts(log)}
            self._looked = {known: after for known, after in self._looked.items() if there.issuperset(known)}
            kept = log.state.checkpoints
            log.commit()  # those that are not among them are gone durably
            for stretch, found in self._worth(log, kept, pace, most_bytes):
                won += self._merge(log, stretch, found, pace)
                log.trim()
        return won

    def would(
        self, log: Log, without: Iterable[int], pace: Callable[[int], None], most_bytes: int | None = None
    ) -> bool:
        """Tell whether ``merge`` would do something without these checkpoints; raises as that does."""
        with log.moving:
            kept, poor = log.state.checkpoints.keys() - set(without), dict(self._poor)
            try:
                return any(True for _ in self._worth(log, kept, pace, most_bytes))
            finally:
                self._poor = poor  # what is poor with them may be worth it as it is

    def _worth(
        self, log: Log, kept: Iterable[int], pace: Callable[[int], None], most_bytes: int | None
    ) -> Iterator[tuple[Sequence[_Part], _Found]]:
        """Yield the stretches that are worth merging and for which there is room."""
        left = _stretches(self._parts(log), log.state.floor, kept)
        while left:
            stretch = left.pop(0)
            if len(stretch) < 2 or not self._may_be_worth(stretch):
                continue
            known = stretch[0].number, stretch[-1].number
            found = None
            if known not in self._looked:
                found = self._look(stretch, pace)
                self._looked[known] = found.after if found.is_worth else None
            after = self._looked[known]
            if after is None:
                self._poor[stretch[0].number] = sum(part.size_bytes for part in stretch)
            elif most_bytes is not None and log.size_bytes + after > most_bytes:
                half = len(stretch) // 2  # what that wins may be room for more
                left[:0] = [stretch[:half], stretch[half:]]
            else:
                yield stretch, found or self._look(stretch, pace)

    def _parts(self, log: Log) -> list[_Part]:
        """Return the whole segments: all but the last."""
        return [self._part(refs) for refs in _segments(log.frames())[:-1]]

    def _part(self, refs: tuple[Ref, ...]) -> _Part:
        opening, newest = refs[0], refs[-1].header
        if opening.header.kind is Kind.MERGED:
            merged = Merged.load(read_mark(self._files, opening))
            return _Part(opening.segment, merged.start, merged.end, merged.last, merged.tag, refs)
        return _Part(opening.segment, opening.segment, opening.segment, newest.last, newest.tag, refs)

    def _may_be_worth(self, stretch: Sequence[_Part]) -> bool:
        sizes = [part.size_bytes for part in stretch]
        poor = self._poor.get(stretch[0].number, 0)
        return sum(sizes) >= _GROWN * max(sizes) and sum(sizes) >= _GROWN * poor

    def _merge(self, log: Log, stretch: Sequence[_Part], found: _Found, pace: Callable[[int], None]) -> int:
        number = log.merged_number()
        try:
            made = self._write(number, log.state.floor, stretch, found, pace)
        except BaseException:
            log.abandon(number)
            raise
        log.replaced([part.number for part in stretch], made)
        return found.before - made[-1].offset - made[-1].header.size_bytes

    def _look(self, stretch: Sequence[_Part], pace: Callable[[int], None]) -> _Found:
        """Look what merging a stretch would win, by its tables."""
        newest = self._newest(stretch, pace)
        frames = runs = data = 0
        for batch in self._batches(stretch, newest):
            pace(0)
            frames, runs = frames + 1, runs + len(batch)
            data += sum(run.length for _ref, run in batch if run.at != ZEROS)
        headers = [ref.header for part in stretch for ref in part.refs]
        raw, stored = sum(header.raw for header in headers), sum(header.data for header in headers)
        after = runs * ROW.size + (data * stored // raw if raw else 0)
        before = sum(part.size_bytes for part in stretch)
        fits = runs <= stretch[-1].last - stretch[0].first  # each needs a number, and the opening one
        return _Found(newest, frames, runs, before, after, fits and after <= _GAIN * before)

    def _newest(self, stretch: Sequence[_Part], pace: Callable[[int], None]) -> dict[int, DiskIndex]:
        """Return where the newest bytes of each disk are; frames are counted over the whole stretch."""
        layers: dict[int, list[DiskIndex]] = {}
        base = 0
        for part in stretch:
            writes = _writes(part)
            tables = [(ref.header, read_table(self._files, ref)) for ref in writes]
            pace(sum(len(table) for _header, table in tables))
            for disk, index in index_of(tables).disks.items():
                for at, frame in enumerate(index.frames):
                    index.frames[at] = base + frame
                layers.setdefault(disk, []).append(index)
            base += len(writes)
        return {disk: _laid_over(found) for disk, found in layers.items()}

    def _batches(
        self, stretch: Sequence[_Part], newest: dict[int, DiskIndex]
    ) -> Iterator[list[tuple[Ref, _Run]]]:
        """Yield what is left of the frames, in their order, as much at once as a frame holds."""
        batch: list[tuple[Ref, _Run]] = []
        weight = 0
        for frame, ref in enumerate(ref for part in stretch for ref in _writes(part)):
            for row in rows(ref.header, read_table(self._files, ref)):
                if not row.length:
                    continue
                for hit in newest[row.disk].find(row.offset, row.offset + row.length):
                    at = ZEROS if row.at < 0 else row.at + hit.offset - row.offset
                    if (hit.frame, hit.at) != (frame, at):
                        continue  # somebody wrote over it
                    length = hit.end - hit.offset
                    if batch and (weight + length > FRAME_BYTES or len(batch) == _RUNS):
                        yield batch
                        batch, weight = [], 0
                    batch.append((ref, _Run(row.disk, hit.offset, length, at)))
                    weight += 0 if at == ZEROS else length
        if batch:
            yield batch

    def _write(
        self,
        number: int,
        floor: int,
        stretch: Sequence[_Part],
        found: _Found,
        pace: Callable[[int], None],
    ) -> list[Ref]:
        """Write the segment that stands for a stretch, durably."""
        first, last = stretch[0], stretch[-1]
        told = Merged(
            first.start, last.end, last.last, last.tag, found.frames, _state(self._files, stretch).dump()
        )
        segment = Growing(self._files, self._sealer, number, first.refs[0].header.previous)
        put = partial(segment.put, durable=last.last, floor=floor)
        opening = json.dumps(told.dump(), separators=(",", ":")).encode("utf-8", "surrogatepass")
        refs = [put(Kind.MERGED, 1, first.first, opening)]
        record = last.last + 1 - found.runs
        held, data = -1, memoryview(b"")
        for batch in self._batches(stretch, found.newest):
            writes = []
            for ref, run in batch:
                if run.at != ZEROS and ref.header.first != held:
                    held, data = ref.header.first, memoryview(read_data(self._files, ref))
                    pace(ref.header.size_bytes)
                part = None if run.at == ZEROS else data[run.at : run.at + run.length]
                writes.append(Write(run.disk, run.offset, run.length, part))
            table, stored, raw = pack(writes, self._level)
            refs.append(put(Kind.WRITES, len(batch), record, table, stored, raw))
            pace(len(table) + len(stored))
            record += len(batch)
        segment.name()
        return refs


def _segments(frames: Sequence[Ref]) -> list[tuple[Ref, ...]]:
    return [tuple(refs) for _number, refs in groupby(frames, key=lambda ref: ref.segment)]


def _state(files: Files, stretch: Sequence[_Part]) -> State:
    return state_after(files, [ref for part in stretch for ref in part.refs])


def _writes(part: _Part) -> list[Ref]:
    return [ref for ref in part.refs if ref.header.kind is Kind.WRITES]


def _stretches(parts: Sequence[_Part], floor: int, checkpoints: Iterable[int]) -> list[list[_Part]]:
    """Return the runs of two or more parts behind the floor in which no kept checkpoint lies.

    What is behind the newest checkpoint is left: how much was written since then has to be known.
    """
    kept = sorted(checkpoints)
    found: list[list[_Part]] = []
    upto = 0  # the next kept checkpoint behind the beginning of the last stretch
    for part in parts:
        if part.first <= floor or not kept or part.last > kept[-1]:
            continue
        following = kept[bisect_left(kept, part.first)]
        if following < part.last:
            upto = 0  # it lies within this one
        elif part.last <= upto:
            found[-1].append(part)
        else:
            found.append([part])
            upto = following
    return [stretch for stretch in found if len(stretch) > 1]


def _laid_over(layers: Sequence[DiskIndex]) -> DiskIndex:
    """Return the newest bytes of all layers, of which each is newer than those before it."""
    if len(layers) == 1:
        return layers[0]
    half = len(layers) // 2
    return _over(_laid_over(layers[half:]), _laid_over(layers[:half]))


def _over(new: DiskIndex, old: DiskIndex) -> DiskIndex:
    found, at = DiskIndex(), 0
    for start, end, frame, place in zip(old.starts, old.ends, old.frames, old.ats, strict=True):
        left = start
        while at < len(new.starts) and new.starts[at] < end:
            if new.starts[at] > left:
                found.add(left, new.starts[at], frame, place if place == ZEROS else place + left - start)
            left = max(left, new.ends[at])
            if new.ends[at] > end:
                break  # the next old one may begin under it
            found.add(new.starts[at], new.ends[at], new.frames[at], new.ats[at])
            at += 1
        if left < end:
            found.add(left, end, frame, place if place == ZEROS else place + left - start)
    for later in range(at, len(new.starts)):
        found.add(new.starts[later], new.ends[later], new.frames[later], new.ats[later])
    return found
