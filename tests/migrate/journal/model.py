"""A group of small disks with its journal on storage that loses power, and what must be true after it.

The memory of what was asked is plain: writes by record, checkpoints, notes. What the journal offers after
any death is held against it, by replaying frames and through images.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from typing import ClassVar

from migrate.journal.cover import MERGED_FROM
from migrate.journal.disk import JournalledDisk
from migrate.journal.frames import Kind
from migrate.journal.image import Image
from migrate.journal.leases import Lease
from migrate.journal.log import Log, open_log
from migrate.journal.merging import Merger
from migrate.journal.overlay import Indexes
from migrate.journal.promotion import promote, replay
from migrate.journal.reading import FrameReader
from migrate.journal.state import checkpoint_mark, drop_mark, epoch_mark, note_mark, torn_mark
from migrate.journal.writes import Write
from migrate.sites.ports import Consistency
from tests.migrate.journal.storage import DISK_BYTES, SECTOR, Died, Power, SimulatedFiles, SimulatedReplica

__all__ = ["DISK_BYTES", "SECTOR", "Died", "Power", "SimulatedFiles", "SimulatedReplica", "World", "read"]

DISKS = 2
SEGMENT_BYTES = 1500
OPERATIONS = (
    "append",
    "join",
    "checkpoint",
    "commit",
    "promote",
    "rotate",
    "trim",
    "drop",
    "pin",
    "result",
    "torn",
    "epoch",
    "look",
    "merge",
)


class World:
    """A group's journal in use, and the memory of everything that was asked of it."""

    storage: ClassVar[type[SimulatedFiles]] = SimulatedFiles
    replica: ClassVar[type[SimulatedReplica]] = SimulatedReplica

    def __init__(self, open_it: Callable[..., Log] = open_log, move: Callable[..., None] = promote) -> None:
        self._open, self._move = open_it, move
        self.files = self.storage()
        self.disks = {number: self.replica(self.files) for number in range(DISKS)}
        self.writes: dict[int, Write] = {}  # by record, as far as the log gave them one
        self.made: dict[int, bool] = {}  # checkpoints, and whether they were acknowledged
        self.told: dict[int, tuple[str, int | str]] = {}  # other marks by record: what, and of what
        self.acknowledged = 0
        self.withdrawn = 0  # a promotion to here was begun
        self.dropped: set[int] = set()
        self.lost: list[int] = []  # records that were acknowledged
        self.images: list[tuple[Lease, list[bytes]]] = []
        self.log = self._open(self.files, "group", segment_bytes=SEGMENT_BYTES, level=0)

    def do(self, operation: str, rng: random.Random) -> None:
        """Do one operation; raises Died."""
        getattr(self, "_" + operation)(rng)
        self.look_again()

    def _append(self, rng: random.Random) -> None:
        batch = [_write(rng) for _ in range(rng.randint(1, 3))]
        first = self.log.last + 1
        self.writes.update(enumerate(batch, first))
        self.log.append(batch)

    def _join(self, rng: random.Random) -> None:
        """Write to a disk of the group, as a pass does."""
        write = _write(rng)
        disk = JournalledDisk(write.disk, self.disks[write.disk], self.log)
        self.writes[self.log.last + 1] = write
        if write.data is None:
            disk.zero(write.offset, write.length)
        else:
            disk.write(write.data, write.offset)

    def _checkpoint(self, rng: random.Random) -> None:
        record = self.log.last + 1
        self.made[record] = False
        self.log.mark(checkpoint_mark(rng.randrange(10**6), Consistency.CRASH, ""))

    def _commit(self, _rng: random.Random) -> None:
        self._acknowledge(self.log.commit())

    def _acknowledge(self, record: int) -> None:
        self.acknowledged = max(self.acknowledged, record)
        for made in self.made:
            self.made[made] |= made <= self.acknowledged

    def _promote(self, rng: random.Random) -> None:
        self._commit(rng)
        held = self.log.leases.oldest()
        offered = [record for record in self._offered() if held is None or record <= held]
        if offered:
            record = rng.choice(offered)
            self.withdrawn = max(self.withdrawn, record)
            self._move(self.log, self.files, self.disks, record)
            self._acknowledge(record)

    def _rotate(self, rng: random.Random) -> None:
        """Fill the segment until it is changed for a new one, which trims as well."""
        before = self.files.numbers()
        while self.files.numbers() == before:
            self._append(rng)
            self._commit(rng)
        self.log.trim()

    def _trim(self, _rng: random.Random) -> None:
        self.log.trim()

    def _drop(self, rng: random.Random) -> None:
        if points := list(self.log.state.checkpoints):
            gone = rng.sample(points, rng.randint(1, min(2, len(points))))
            self.dropped.update(gone)
            self.log.mark(drop_mark(gone))

    def _pin(self, rng: random.Random) -> None:
        if points := list(self.log.state.checkpoints):
            record = rng.choice(points)
            self.told[self.log.last + 1] = "pin", record
            self.log.mark(note_mark(record, pinned=True))

    def _result(self, rng: random.Random) -> None:
        if points := list(self.log.state.checkpoints):
            record = rng.choice(points)
            self.told[self.log.last + 1] = "result", record
            self.log.mark(note_mark(record, result=f"rehearsed as {self.log.last + 1}"))

    def _torn(self, rng: random.Random) -> None:
        why = rng.choice(["", "between two points", "the tap fell behind"])
        self.told[self.log.last + 1] = "torn", why
        self.log.mark(torn_mark(why))

    def _epoch(self, _rng: random.Random) -> None:
        self.told[self.log.last + 1] = "epoch", "compared"
        self.log.mark(epoch_mark("compared"))

    def _merge(self, _rng: random.Random) -> None:
        Merger(self.files, "group", 0).merge(self.log, lambda _bytes: None)

    def _look(self, rng: random.Random) -> None:
        """Open images of a checkpoint and hold them, or close those that are held."""
        if self.images:
            while self.images:
                self.images.pop()[0].close()
        elif offered := self._offered():
            record = rng.choice(offered)
            self.images.append((self.log.lease(record), self.expected(record)))

    def look_again(self) -> None:
        """Check that images still read as their checkpoints were when they were opened."""
        for lease, expected in self.images:
            indexes = Indexes(FrameReader(self.files))  # of its own: what was read before is not remembered
            images = [Image(number, disk, lease, indexes) for number, disk in self.disks.items()]
            assert [read(image) for image in images] == expected, "an image changed while it was open"

    def _offered(self) -> list[int]:
        return [record for record in self.log.state.checkpoints if record <= self.log.durable]

    def fork(self) -> World:
        """Return a world of its own as it is now; its process is gone, so ``crash`` and ``reopen``."""
        forked = copy.copy(self)
        forked.files = self.files.fork()
        forked.disks = {number: disk.fork(forked.files) for number, disk in self.disks.items()}
        forked.writes, forked.made, forked.told = dict(self.writes), dict(self.made), dict(self.told)
        forked.dropped, forked.lost, forked.images = set(self.dropped), list(self.lost), []
        return forked

    def crash(self, rng: random.Random, *, power: bool = True) -> None:
        """End the process, and lose power with it unless ``power`` is False."""
        self.files.power = Power()
        self.images = []
        if power:
            self.files.lose_power(rng)
            for disk in self.disks.values():
                disk.lose_power(rng)

    def reopen(self) -> None:
        """Open the journal anew; raises JournalCorrupt, Died. What is there then is promised from now on."""
        self.log = self._open(self.files, "group", segment_bytes=SEGMENT_BYTES, level=0)
        frames = self.log.frames()
        # of records in front of a merged segment's end it need not hold each, but what they came to
        merged = [at for at, ref in enumerate(frames) if ref.segment >= MERGED_FROM]
        oldest = frames[merged[-1] + 1 if merged else 0].header.first
        kinds = {n: ref.header.kind for ref in frames for n in range(ref.header.first, ref.header.last + 1)}
        lost = [n for n in self.writes if n >= oldest and kinds.get(n) is not Kind.WRITES]
        marks = (*self.made, *self.told)
        lost += [n for n in marks if n >= oldest and kinds.get(n) is not Kind.MARK]
        self.lost += [number for number in lost if number <= self.acknowledged]
        for number in lost:
            for known in (self.writes, self.made, self.told):
                known.pop(number, None)
        self._acknowledge(self.log.durable)

    def contents(self, records: list[int]) -> Iterator[list[bytes]]:
        """Yield what the disks hold at each of ascending records: replicas, and the journal over them."""
        found = [bytearray(disk.seen) for disk in self.disks.values()]
        after = self.log.state.promoted
        for record in records:
            for row, data in replay(self.files, self.log.frames(), after, record):
                found[row.disk][row.offset : row.offset + row.length] = data
            after = max(after, record)
            yield [bytes(disk) for disk in found]

    def content(self, record: int) -> list[bytes]:
        """Return what the disks hold at a record."""
        return next(self.contents([record]))

    def expected(self, record: int) -> list[bytes]:
        """Return what the disks held at a record, by what was asked."""
        return next(self.expectations([record]))

    def expectations(self, records: list[int]) -> Iterator[list[bytes]]:
        """Yield what the disks held at each of ascending records, by what was asked."""
        found = [bytearray(DISK_BYTES) for _ in range(DISKS)]
        numbers = sorted(self.writes)
        at = 0
        for record in records:
            while at < len(numbers) and numbers[at] <= record:
                write = self.writes[numbers[at]]
                data = bytes(write.length) if write.data is None else write.data
                found[write.disk][write.offset : write.offset + write.length] = data
                at += 1
            yield [bytes(disk) for disk in found]

    def wrong(self) -> str:
        """Return what is wrong with the journal as it stands, empty when nothing is."""
        if self.lost:
            return f"records {self.lost} were acknowledged and are gone"
        offered = sorted(self.log.state.checkpoints)
        if invented := set(offered) - set(self.made):
            return f"checkpoints {invented} are offered and were never made"
        for record, acknowledged in self.made.items():
            gone = record < self.withdrawn or record in self.dropped
            if acknowledged and not gone and record not in offered:
                return f"checkpoint {record} was acknowledged and is not offered"
        records = [*offered, self.log.last]
        for record, found, expected in zip(
            records, self.contents(records), self.expectations(records), strict=True
        ):
            if found != expected:
                return f"checkpoint {record} is not what it was, or the newest content is not"
        return self._forgotten() or self._misread(self._offered())

    def _forgotten(self) -> str:
        """Return what marks are not as they were told."""
        state = self.log.state
        torn = [why for what, why in self.told.values() if what == "torn"]
        epochs = sum(what == "epoch" for what, _ in self.told.values())
        if state.torn != (torn[-1] if torn else "") or state.epoch != epochs:
            return f"torn {state.torn!r} or epoch {state.epoch} is not what was told"
        for record, point in state.checkpoints.items():
            notes = [(number, what) for number, (what, of) in self.told.items() if of == record]
            results = tuple(f"rehearsed as {number}" for number, what in notes if what == "result")
            if point.pinned is not any(what == "pin" for _, what in notes) or point.results != results:
                return f"the notes of checkpoint {record} are not what was told"
        return ""

    def _misread(self, offered: list[int]) -> str:
        """Return what an image of the oldest checkpoint, or a disk as it is now, reads wrongly."""
        for record in offered[:1]:
            indexes = Indexes(self.log.reader)
            for number, expected in enumerate(self.expected(record)):
                image = Image(number, self.disks[number], self.log.lease(record), indexes)
                if read(image) != expected:
                    return f"an image of checkpoint {record} is not what it was"
                image.close()
        now = [JournalledDisk(number, disk, self.log) for number, disk in self.disks.items()]
        if [read(disk) for disk in now] != self.expected(self.log.last):
            return "a disk of the group does not read as what was written"
        return ""


def _write(rng: random.Random) -> Write:
    offset = rng.randrange(DISK_BYTES - 1)
    length = rng.randint(1, min(200, DISK_BYTES - offset))
    data = rng.randbytes(length) if rng.random() < 0.85 else None
    return Write(rng.randrange(DISKS), offset, length, data)


def read(disk: Image | JournalledDisk, offset: int = 0, length: int = DISK_BYTES) -> bytes:
    """Return bytes of a disk."""
    buffer = bytearray(length)
    disk.read_into(memoryview(buffer), offset)
    return bytes(buffer)
