"""What is left of a journal after its process died, told apart from what rotted.

A broken frame at the end of the last segment is a torn tail when nothing valid behind it proves that it
had been durable: it was never acknowledged and is left out. Any other broken frame is rot, and refused.
A merged segment is read only where one that it stands for is gone; that it was durable then is certain.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from migrate.journal.cover import MERGED_FROM, Merged, Part, cover
from migrate.journal.files import Files
from migrate.journal.frames import (
    HEADER_BYTES,
    MAGIC,
    NOTHING,
    Header,
    JournalCorrupt,
    Kind,
    Sealer,
    is_table,
)
from migrate.journal.state import State
from migrate.journal.writes import is_stored, unpack
from planner.units import MIB


@dataclass(frozen=True, slots=True)
class Ref:
    """A frame and where it is."""

    segment: int
    offset: int
    header: Header


@dataclass(frozen=True, slots=True)
class Found:
    """A journal as it stands: its frames in order, its state, and how many bytes of a torn tail there are.

    ``last`` is the newest record and ``tag`` that of its frame; ``segment`` is the newest segment's number.
    ``stale`` are segments that are not of the log any more, or never were.
    """

    state: State = field(default_factory=State)
    frames: tuple[Ref, ...] = ()
    last: int = 0
    tag: bytes = NOTHING
    segment: int = 0
    torn_bytes: int = 0
    stale: tuple[int, ...] = ()


class Rotten(JournalCorrupt):
    """Something that had been durable is broken; ``before`` is what stands in front of it.

    The floor of ``before`` is the highest that any frame knows of, so every checkpoint it offers can be
    had. What came after is lost here, and the source has to be compared.
    """

    def __init__(self, segment: int, offset: int, before: Found, said: str = "") -> None:
        super().__init__(
            said
            or f"segment {segment} of a journal is broken at byte {offset}, and what lies behind shows "
            "that it had been durable",
            "end the receiver and run wherry checkpoints GROUP --mend, checkpoints before the damage stay",
        )
        self.before = before


def recover(files: Files, sealer: Sealer) -> Found:
    """Read a journal; raises Rotten, JournalCorrupt, OSError."""
    found = scan(files, sealer)
    if found.frames and found.frames[0].header.first > found.state.promoted + 1:
        raise Rotten(
            found.frames[0].segment,
            0,
            Found(replace(found.state, checkpoints={}), last=found.last),
            f"the journal begins with record {found.frames[0].header.first}, its replicas end with "
            f"{found.state.promoted}: segments between are missing",
        )
    return found


def scan(files: Files, sealer: Sealer) -> Found:
    """Read a journal whatever its replicas hold; raises Rotten, JournalCorrupt, OSError.

    Names and the newest segment are settled first: what was read may be the last word of a process that
    died before it was synced, and nothing may be promised on that.
    """
    numbers = files.numbers()
    files.sync_names()
    plain = [number for number in numbers if number < MERGED_FROM]
    found = _Scan(files, sealer)
    last = 0
    if plain:
        files.settle(plain[-1])
        if not found.is_begun(plain[-1]):
            last = plain.pop()  # its process died while it made it, or it broke
            if plain:
                files.settle(plain[-1])
    parts = [Part(number, number, number) for number in plain]
    parts += [part for number in numbers if number >= MERGED_FROM and (part := found.merged(number))]
    chosen = cover(parts)
    for part, later in zip(chosen, [*chosen, None][1:], strict=True):
        found.take(part, later)
    if last:
        found.check_unbegun(last)
    begun = {*plain, *(number for number in numbers if number >= MERGED_FROM)}
    return replace(found.found, stale=tuple(sorted(begun - {part.number for part in chosen})))


def read_table(files: Files, ref: Ref) -> bytes:
    """Return the table of a frame; raises JournalCorrupt when it is not what it was."""
    table = files.read(ref.segment, ref.offset + HEADER_BYTES, ref.header.table)
    if not is_table(ref.header, table):
        raise JournalCorrupt(f"segment {ref.segment} of a journal is broken at byte {ref.offset}")
    return table


def read_mark(files: Files, ref: Ref) -> dict[str, Any]:
    """Return what a frame tells that is not of writes; raises JournalCorrupt."""
    return _plain(read_table(files, ref))


def state_after(files: Files, frames: Iterable[Ref]) -> State:
    """Return what was known behind some frames, of which the first begins a segment."""
    state = State()
    for ref in frames:
        if ref.header.kind is Kind.OPEN:
            state = State.load(read_mark(files, ref))
        elif ref.header.kind is Kind.MERGED:
            state = State.load(Merged.load(read_mark(files, ref)).state)
        elif ref.header.kind is Kind.MARK:
            state = state.marked(read_mark(files, ref), ref.header.first)
    return state


def read_stored(files: Files, ref: Ref) -> bytes:
    """Return the data of a frame as it is stored, not checked."""
    return files.read(ref.segment, ref.offset + HEADER_BYTES + ref.header.table, ref.header.data)


def read_data(files: Files, ref: Ref) -> bytes:
    """Return the data of a frame unpacked; raises JournalCorrupt when it is not what was written."""
    table, stored = read_table(files, ref), read_stored(files, ref)
    if not is_stored(table, stored):
        raise JournalCorrupt(
            f"the data of record {ref.header.first} in segment {ref.segment} of a journal is broken",
            "compare the group with its source",
        )
    return unpack(ref.header, table, stored)


def highest(files: Files, sealer: Sealer) -> tuple[int, int]:
    """Return the highest record that a whole frame of a journal has or knows of, and how many bytes may
    hold higher ones; raises JournalCorrupt, OSError.
    """
    found = _Scan(files, sealer)
    known, behind = 0, 0
    for number in files.numbers():
        headers = found.headers(number, 0)
        newest = max((max(header.last, header.durable) for header in headers), default=0)
        if number < MERGED_FROM:  # those stand for older ones
            behind = files.size(number) + (0 if newest > known else behind)
        known = max(known, newest)
    return known, behind


class _Scan:
    def __init__(self, files: Files, sealer: Sealer) -> None:
        self._files = files
        self._sealer = sealer
        self.found = Found()

    def is_begun(self, number: int) -> bool:
        """Tell whether the beginning of a segment is whole."""
        return self._opening(number) is not None

    def check_unbegun(self, number: int) -> None:
        """Raise Rotten when a segment whose beginning is broken had been begun durably."""
        if any(True for _ in self.headers(number, 1)):  # they come when the beginning is durable
            raise Rotten(number, 0, self._lowered(number, 0))

    def merged(self, number: int) -> Part | None:
        """Return what a merged segment stands for, None when its beginning is not whole."""
        header = self._opening(number)
        if header is None:
            return None
        merged = Merged.load(_plain(self._files.read(number, HEADER_BYTES, header.table)))
        return Part(number, merged.start, merged.end, merged, header)

    def take(self, part: Part, later: Part | None) -> None:
        """Read one segment onto what was found so far; ``later`` is the next."""
        number, until = part.number, NOTHING
        if later is not None:
            after = later.header or self._opening(later.number)
            until = after.previous if after is not None else NOTHING
        if part.merged is not None:
            end = self._take_merged(part, part.merged)
            if end or (later is not None and until != part.merged.tag):
                raise Rotten(number, end, self._lowered(number, 0))
        elif later is not None:
            frames = list(self._frames(number, until))
            self._add(number, frames)
            if self.found.tag != until or until == NOTHING:
                end = _end(frames)
                raise Rotten(number, end, self._lowered(number, end))
        else:
            self._take_newest(number)

    def _take_merged(self, part: Part, merged: Merged) -> int:
        """Read a merged segment; return where it is broken, 0 when it is whole."""
        frames = list(self._frames(part.number, NOTHING))
        whole = len(frames) == merged.frames + 1 and all(
            ref.header.kind is Kind.WRITES and ref.header.last <= merged.last for ref in frames[1:]
        )
        if not whole:
            return _end(frames) or HEADER_BYTES
        state, found = State.load(merged.state), self.found
        self.found = Found(state, (*found.frames, *frames), merged.last, merged.tag, merged.end)
        return 0

    def _take_newest(self, number: int) -> None:
        frames = list(self._frames(number, NOTHING))
        # Behind the end, and in frames whose data is not whole, only what is proven durable was promised.
        behind = self.headers(number, _end(frames))
        known = max((header.durable for header in (*(ref.header for ref in frames), *behind)), default=0)
        whole = self._whole(frames, known)
        end = _end(whole)
        self._add(number, whole)
        if known > self.found.last:
            raise Rotten(number, end, self._lowered(number, end))
        self.found = replace(self.found, torn_bytes=self._files.size(number) - end)

    def _opening(self, number: int) -> Header | None:
        """Return the header of a segment's first frame, None when that is not whole."""
        header = self._header(number, 0)
        if header is None or header.kind is not (Kind.MERGED if number >= MERGED_FROM else Kind.OPEN):
            return None
        return header if is_table(header, self._files.read(number, HEADER_BYTES, header.table)) else None

    def _frames(self, number: int, until: bytes) -> Iterator[Ref]:
        """Yield the frames of a segment that follow on each other, up to the one with the tag ``until``.

        Their tables are checked, their data is not. In a merged one records are left out between frames.
        """
        offset, last, tag = 0, self.found.last, self.found.tag
        first_of_all = not self.found.frames
        while offset == 0 or tag != until:
            header = self._opening(number) if offset == 0 else self._header(number, offset)
            if header is None or (header.kind in {Kind.OPEN, Kind.MERGED}) is not (offset == 0):
                return
            gap = number >= MERGED_FROM and offset > 0
            follows = (header.first > last if gap else header.first == last + 1) and header.previous == tag
            if not (follows or (first_of_all and offset == 0)):
                return
            if not is_table(header, self._files.read(number, offset + HEADER_BYTES, header.table)):
                return
            yield Ref(number, offset, header)
            offset, last, tag = offset + header.size_bytes, header.last, header.tag

    def _header(self, number: int, offset: int) -> Header | None:
        header = self._sealer.parse(self._files.read(number, offset, HEADER_BYTES))
        if header is None or header.segment != number:
            return None
        if header.group != self._sealer.group:
            raise JournalCorrupt(
                f"segment {number} belongs to the journal of another group", "give each group its own folder"
            )
        return header

    def _whole(self, frames: list[Ref], known: int) -> list[Ref]:
        """Return the frames up to the first whose data is broken, of those not proven durable."""
        for index, ref in enumerate(frames):
            header = ref.header
            if header.last <= known or header.kind is not Kind.WRITES:
                continue
            stored = read_stored(self._files, ref)
            if len(stored) < header.data or not is_stored(read_table(self._files, ref), stored):
                return frames[:index]
        return frames

    def _add(self, number: int, frames: list[Ref]) -> None:
        found = self.found
        if not frames:
            return
        state = found.state
        for ref in frames:
            header = ref.header
            if header.kind is Kind.WRITES:
                continue
            mark = read_mark(self._files, ref)
            if header.kind is Kind.MARK:
                state = state.marked(mark, header.first)
            elif not found.frames:
                state = State.load(mark)
        last = frames[-1].header
        self.found = Found(state, (*found.frames, *frames), last.last, last.tag, number)

    def _lowered(self, number: int, offset: int) -> Found:
        """Return what was found, its floor raised to what any valid frame behind the damage knows."""
        behind = list(self.headers(number, offset))
        for other in self._files.numbers():
            if other > number or number >= MERGED_FROM:  # what every frame knows of the floor is true
                behind += self.headers(other, 0)
        floor = max((header.floor for header in behind), default=0)
        state = self.found.state.marked({"mark": "floor", "record": floor}, 0)
        return replace(self.found, state=state)

    def headers(self, number: int, start: int) -> Iterator[Header]:
        """Yield every header of this journal's that stands anywhere behind ``start``."""
        size, step, kept = self._files.size(number), MIB, HEADER_BYTES
        at = start
        while at < size:
            chunk = self._files.read(number, at, step + kept)
            hit = chunk.find(MAGIC)
            while 0 <= hit < step:
                header = self._sealer.parse(chunk[hit : hit + HEADER_BYTES])
                if header is not None and (header.segment, header.group) == (number, self._sealer.group):
                    yield header
                hit = chunk.find(MAGIC, hit + 1)
            at += step


def _end(frames: list[Ref]) -> int:
    return frames[-1].offset + frames[-1].header.size_bytes if frames else 0


def _plain(table: bytes) -> dict[str, Any]:
    try:
        plain = json.loads(table)
    except ValueError as error:
        raise JournalCorrupt("a mark in a journal cannot be read") from error
    if not isinstance(plain, dict):
        raise JournalCorrupt("a mark in a journal is not what marks are")
    return plain
