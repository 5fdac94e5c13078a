"""Passes that a receiver takes into a journal: each cycle is a checkpoint, and reads as its sources."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from migrate.journal.directory import DirectoryFiles
from migrate.journal.disk import JournalledDisk
from migrate.journal.image import Image
from migrate.journal.log import Log, open_log
from migrate.journal.overlay import Indexes
from migrate.journal.promotion import promote
from migrate.journal.state import checkpoint_mark
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.sites.ports import Consistency, Extent
from planner.units import KIB, MIB
from tests.migrate.replication.model import MemoryDisk, World, make_content

SIZE = 2 * MIB
DISKS = 2


def changed(rng: random.Random, content: bytes) -> tuple[bytes, list[Extent]]:
    """Return the content after some writes, and where they were."""
    now, runs = bytearray(content), []
    for _ in range(rng.randint(3, 12)):
        offset = rng.randrange(SIZE // (4 * KIB)) * 4 * KIB
        length = min(rng.randint(1, 40) * 4 * KIB, SIZE - offset)
        now[offset : offset + length] = bytes(length) if rng.random() < 0.2 else rng.randbytes(length)
        runs.append(Extent(offset, length))
    return bytes(now), runs


class Group:
    """Two disks at a target, their replicas seeded, their later passes journalled."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.rng = random.Random(seed)
        self.folder = folder
        self.sources = [make_content(self.rng, SIZE) for _ in range(DISKS)]
        self.replicas = [MemoryDisk(bytes(SIZE)) for _ in range(DISKS)]
        self.worlds = [World(replica) for replica in self.replicas]
        self.cycle = 0
        for number in range(DISKS):
            self.send(number, Mode.SEED, None)
        self.log: Log = open_log(DirectoryFiles(folder), "group", segment_bytes=MIB)

    def send(self, number: int, mode: Mode, runs: list[Extent] | None, cut_at: int | None = None) -> object:
        spec = PassSpec(
            f"disk-{number}", f"pass-{self.cycle}", SIZE, change=f"change-{self.cycle}",
            base=f"change-{self.cycle - 1}" if mode is Mode.DELTA else "",
        )  # fmt: skip
        source = MemoryDisk(self.sources[number])
        return self.worlds[number].send(source, spec, mode, extents=runs, cut_at=cut_at)

    def journal(self) -> None:
        """Have what comes go to the journal from now on."""
        for number, world in enumerate(self.worlds):
            world.open_disk = lambda disk, number=number: JournalledDisk(number, disk, self.log)  # type: ignore[assignment, misc, return-value]

    def run(self, cut: bool = False) -> int:
        """Bring all disks to their next content and return the checkpoint of it."""
        self.cycle += 1
        for number in range(DISKS):
            self.sources[number], runs = changed(self.rng, self.sources[number])
            if cut:
                self.send(number, Mode.DELTA, runs, cut_at=3)
            result = self.send(number, Mode.DELTA, runs)
            assert isinstance(result, PassResult), result
            assert result.complete
        record = self.log.mark(checkpoint_mark(self.cycle, Consistency.CRASH, ""))
        self.log.commit()
        return record

    def restart(self) -> None:
        self.log = open_log(DirectoryFiles(self.folder), "group", segment_bytes=MIB)

    def image(self, record: int) -> list[bytes]:
        indexes = Indexes(self.log.reader)
        found = []
        for number, replica in enumerate(self.replicas):
            buffer = bytearray(SIZE)
            image = Image(number, replica, self.log.lease(record), indexes)
            image.read_into(memoryview(buffer), 0)
            image.close()
            found.append(bytes(buffer))
        return found


@pytest.mark.parametrize("seed", range(3))
def test_each_cycle_is_a_checkpoint_and_reads_as_its_sources(tmp_path: Path, seed: int) -> None:
    group = Group(tmp_path, seed)
    group.journal()
    seeded = [bytes(replica.seen) for replica in group.replicas]
    assert seeded == group.sources
    known: dict[int, list[bytes]] = {}
    for cycle in range(6):
        record = group.run(cut=cycle % 2 == 1)
        known[record] = list(group.sources)
        if cycle == 2:
            group.restart()
    assert [bytes(replica.seen) for replica in group.replicas] == seeded  # a replica moves by promotion only
    for record, contents in known.items():
        assert group.image(record) == contents
    middle = list(known)[3]
    promote(group.log, DirectoryFiles(tmp_path), dict(enumerate(group.replicas)), middle)
    assert [bytes(replica.seen) for replica in group.replicas] == known[middle]
    for record in list(known)[3:]:
        assert group.image(record) == known[record]


def test_a_comparison_reads_what_the_journal_holds(tmp_path: Path) -> None:
    group = Group(tmp_path, 5)
    group.journal()
    group.run()
    group.cycle += 1
    group.sources[0], runs = changed(group.rng, group.sources[0])
    result = group.send(0, Mode.COMPARE, None)
    assert isinstance(result, PassResult)
    assert result.complete
    assert result.sent_bytes + result.zero_bytes <= sum(run.length for run in runs) * 3 + 128 * KIB
    disk = JournalledDisk(0, group.replicas[0], group.log)
    found = bytearray(SIZE)
    disk.read_into(memoryview(found), 0)
    assert found == group.sources[0]
    held = bytearray(SIZE)
    for offset, length in disk.allocated():
        held[offset : offset + length] = b"\1" * length
    assert not any(byte and not there for byte, there in zip(found, held, strict=True))
