"""A group of small disks with its journal on storage that loses power, and what must be true after it.

Sectors of what was appended and not synced persist in any subset, names of segments in any subset, and
pages of disks in any subset; a sector may be torn in the middle.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from migrate.journal.frames import Kind
from migrate.journal.log import Log, open_log
from migrate.journal.promotion import promote, replay
from migrate.journal.state import checkpoint_mark, drop_mark, note_mark
from migrate.journal.writes import Write
from migrate.sites.ports import Consistency

SECTOR = 64  # small, so that small logs have many
DISK_BYTES = 512
DISKS = 2
SEGMENT_BYTES = 1500


class Died(Exception):
    """The process ends here."""


class Power:
    """Counts the moments at which a process may die, and lets it die at one of them."""

    def __init__(self, dies_at: int = -1) -> None:
        self.moments = 0
        self.dies_at = dies_at

    def moment(self) -> None:
        """Pass a moment, or die."""
        if self.moments == self.dies_at:
            raise Died
        self.moments += 1


@dataclass(slots=True)
class _Segment:
    durable: bytes = b""
    seen: bytearray = field(default_factory=bytearray)


class SimulatedFiles:
    """Segments in memory; see ``migrate.journal.files.Files``."""

    def __init__(self) -> None:
        self.power = Power()
        self._names: dict[int, _Segment] = {}  # as a process sees them
        self._durable: dict[int, _Segment] = {}

    def numbers(self) -> list[int]:
        return sorted(self._names)

    def size(self, number: int) -> int:
        return len(self._names[number].seen)

    def read(self, number: int, offset: int, length: int) -> bytes:
        return bytes(self._names[number].seen[offset : offset + length])

    def create(self, number: int) -> None:
        self.power.moment()
        self._names[number] = _Segment()

    def append(self, number: int, parts: Sequence[bytes | memoryview]) -> None:
        for part in parts:
            self.power.moment()
            self._names[number].seen += part

    def sync(self, number: int) -> None:
        self.power.moment()
        segment = self._names[number]
        segment.durable = bytes(segment.seen)
        self.power.moment()

    def sync_names(self) -> None:
        self.power.moment()
        self._durable = dict(self._names)
        self.power.moment()

    def settle(self, number: int) -> None:
        self.sync(number)

    def delete(self, number: int) -> None:
        self.power.moment()
        del self._names[number]

    def lose_power(self, rng: random.Random) -> None:
        """Keep what was synced, and of the rest whatever the storage pleases."""
        names = dict(self._durable)
        for number in self._names.keys() | self._durable.keys():
            if rng.random() < 0.5:  # the change of this name was written, or was not
                if number in self._names:
                    names[number] = self._names[number]
                else:
                    names.pop(number, None)
        for segment in names.values():
            segment.seen = _survived(rng, segment.durable, bytes(segment.seen))
            segment.durable = bytes(segment.seen)
        self._names, self._durable = names, dict(names)

    def flip(self, number: int, bit: int) -> None:
        """Let one bit rot."""
        segment = self._names[number]
        segment.seen[bit // 8] ^= 1 << bit % 8
        segment.durable = bytes(segment.seen)

    def copy(self) -> SimulatedFiles:
        """Return storage of its own that holds the same, all of it durable."""
        copied = SimulatedFiles()
        copied._names = {n: _Segment(bytes(s.seen), bytearray(s.seen)) for n, s in self._names.items()}
        copied._durable = dict(copied._names)
        return copied


def _survived(rng: random.Random, durable: bytes, seen: bytes) -> bytearray:
    """Return the durable bytes and a subset of the sectors behind them, the file cut at any place."""
    length = rng.randint(len(durable), len(seen))
    found = bytearray(length)
    found[: len(durable)] = durable
    for start in range(len(durable), length, SECTOR):
        end = min(start + SECTOR, length)
        fate = rng.random()
        if fate < 0.5:
            found[start:end] = seen[start:end]
        elif fate < 0.6:
            half = (start + end) // 2
            found[start:half] = seen[start:half]
    return found


class SimulatedReplica:
    """A replica disk in memory."""

    def __init__(self, files: SimulatedFiles) -> None:
        self._files = files
        self.size_bytes = DISK_BYTES
        self._durable = bytes(DISK_BYTES)
        self.seen = bytearray(DISK_BYTES)

    def write(self, data: bytes | memoryview, offset: int) -> None:
        self._files.power.moment()
        self.seen[offset : offset + len(data)] = data

    def zero(self, offset: int, length: int) -> None:
        self.write(bytes(length), offset)

    def flush(self) -> None:
        self._files.power.moment()
        self._durable = bytes(self.seen)
        self._files.power.moment()

    def lose_power(self, rng: random.Random) -> None:
        """Keep what was flushed and any subset of the sectors written since."""
        for start in range(0, DISK_BYTES, SECTOR):
            if rng.random() < 0.5:
                self.seen[start : start + SECTOR] = self._durable[start : start + SECTOR]
        self._durable = bytes(self.seen)


OPERATIONS = ("append", "checkpoint", "commit", "promote", "rotate", "drop", "pin")


class World:
    """A group's journal in use, and the memory of everything that was asked of it."""

    def __init__(self, open_it: Callable[..., Log] = open_log, move: Callable[..., None] = promote) -> None:
        self._open, self._move = open_it, move
        self.files = SimulatedFiles()
        self.disks = {number: SimulatedReplica(self.files) for number in range(DISKS)}
        self.writes: dict[int, Write] = {}  # by record, as far as the log gave them one
        self.made: dict[int, bool] = {}  # checkpoints, and whether they were acknowledged
        self.acknowledged = 0
        self.withdrawn = 0  # a promotion to here was begun
        self.dropped: set[int] = set()
        self.lost: list[int] = []  # writes that were acknowledged
        self.log = self._open(self.files, "group", segment_bytes=SEGMENT_BYTES, level=0)

    def do(self, operation: str, rng: random.Random) -> None:
        """Do one operation; raises Died."""
        getattr(self, "_" + operation)(rng)

    def _append(self, rng: random.Random) -> None:
        batch = []
        for _ in range(rng.randint(1, 3)):
            offset = rng.randrange(DISK_BYTES - 1)
            length = rng.randint(1, min(200, DISK_BYTES - offset))
            data = rng.randbytes(length) if rng.random() < 0.85 else None
            batch.append(Write(rng.randrange(DISKS), offset, length, data))
        first = self.log.last + 1
        self.writes.update(enumerate(batch, first))
        self.log.append(batch)

    def _checkpoint(self, rng: random.Random) -> None:
        record = self.log.last + 1
        self.made[record] = False
        self.log.mark(checkpoint_mark(rng.randrange(10**6), Consistency.CRASH, ""))

    def _commit(self, _rng: random.Random) -> None:
        self.acknowledged = self.log.commit()
        for record in self.made:
            self.made[record] |= record <= self.acknowledged

    def _promote(self, rng: random.Random) -> None:
        self._commit(rng)
        offered = [record for record in self.log.state.checkpoints if record <= self.log.durable]
        if offered:
            record = rng.choice(offered)
            self.withdrawn = max(self.withdrawn, record)
            self._move(self.log, self.files, self.disks, record)
            self.acknowledged = max(self.acknowledged, record)

    def _rotate(self, rng: random.Random) -> None:
        """Fill the segment until it is changed for a new one, which trims as well."""
        before = self.files.numbers()
        while self.files.numbers() == before:
            self._append(rng)
            self._commit(rng)
        self.log.trim()

    def _drop(self, rng: random.Random) -> None:
        if self.log.state.checkpoints:
            record = rng.choice(list(self.log.state.checkpoints))
            self.dropped.add(record)
            self.log.mark(drop_mark([record]))

    def _pin(self, rng: random.Random) -> None:
        if self.log.state.checkpoints:
            record = rng.choice(list(self.log.state.checkpoints))
            self.log.mark(note_mark(record, pinned=True, result="rehearsed"))

    def crash(self, rng: random.Random) -> None:
        """Lose power."""
        self.files.power = Power()
        self.files.lose_power(rng)
        for disk in self.disks.values():
            disk.lose_power(rng)

    def reopen(self) -> None:
        """Open the journal anew; raises JournalCorrupt, Died."""
        self.log = self._open(self.files, "group", segment_bytes=SEGMENT_BYTES, level=0)
        frames = self.log.frames()
        oldest = frames[0].header.first
        kinds = {n: ref.header.kind for ref in frames for n in range(ref.header.first, ref.header.last + 1)}
        lost = [n for n in self.writes if n >= oldest and kinds.get(n) is not Kind.WRITES]
        self.lost += [number for number in lost if number <= self.acknowledged]
        for number in lost:
            del self.writes[number]
        self.made = {n: acknowledged for n, acknowledged in self.made.items() if acknowledged or n in kinds}
        self.made = {n: a for n, a in self.made.items() if a or kinds[n] is Kind.MARK}

    def content(self, record: int) -> list[bytes]:
        """Return what the disks hold at a record: replicas, and the journal over them."""
        found = [bytearray(disk.seen) for disk in self.disks.values()]
        for row, data in replay(self.files, self.log.frames(), self.log.state.promoted, record):
            found[row.disk][row.offset : row.offset + row.length] = data
        return [bytes(disk) for disk in found]

    def expected(self, record: int) -> list[bytes]:
        """Return what the disks held at a record, by what was asked."""
        found = [bytearray(DISK_BYTES) for _ in range(DISKS)]
        for number in sorted(self.writes):
            if number <= record:
                write = self.writes[number]
                data = bytes(write.length) if write.data is None else write.data
                found[write.disk][write.offset : write.offset + write.length] = data
        return [bytes(disk) for disk in found]

    def wrong(self) -> str:
        """Return what is wrong with the journal as it stands, empty when nothing is."""
        if self.lost:
            return f"records {self.lost} were acknowledged and are gone"
        offered = self.log.state.checkpoints
        for record, acknowledged in self.made.items():
            gone = record < self.withdrawn or record in self.dropped
            if acknowledged and not gone and record not in offered:
                return f"checkpoint {record} was acknowledged and is not offered"
        for record in offered:
            if self.content(record) != self.expected(record):
                return f"checkpoint {record} is not what it was"
        if self.content(self.log.last) != self.expected(self.log.last):
            return "the newest content is not what it was"
        return ""
