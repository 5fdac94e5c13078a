"""Real threads on real files: a writer, committers, readers of images and of disks, and a promoter.

Nothing is drawn here and nothing timed: everybody does a fixed amount, as fast as the machine likes.
"""

from __future__ import annotations

import errno
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from migrate.journal.directory import DirectoryFiles
from migrate.journal.disk import JournalledDisk
from migrate.journal.image import Image
from migrate.journal.log import JournalFailed, Log, open_log
from migrate.journal.overlay import Indexes
from migrate.journal.promotion import promote
from migrate.journal.state import checkpoint_mark, promoted_mark
from migrate.journal.writes import Write
from migrate.sites.ports import Consistency
from planner.errors import NotFound, ProjectBusy
from tests.migrate.journal.storage import SimulatedFiles
from tests.migrate.journal.target import SIZE, Replica

ROUNDS = 150
DISKS = 2


class Group:
    """A journal, its replicas, and what its disks held at each checkpoint."""

    def __init__(self, folder: Path) -> None:
        self.files = DirectoryFiles(folder)
        self.log = open_log(self.files, "group", segment_bytes=64 * 1024)
        self.replicas = [Replica(bytearray(SIZE)) for _ in range(DISKS)]
        self.disks = [
            JournalledDisk(number, replica, self.log) for number, replica in enumerate(self.replicas)
        ]
        self.known: dict[int, list[bytes]] = {}
        self.versions = [bytes(SIZE)]  # of disk 1, a new one before it is written
        self.written = 0  # of them, for certain
        self.errors: list[BaseException] = []
        self.over = threading.Event()
        self.reads = self.promotions = 0

    def write(self) -> None:
        """Write a generation to all disks at once, so that what is torn shows, and make it a checkpoint."""
        rng = random.Random(1)
        now = [bytearray(SIZE) for _ in range(DISKS)]
        for generation in range(ROUNDS):
            for number, content in enumerate(now):
                offset = rng.randrange(SIZE - 512)
                content[offset : offset + 512] = bytes([generation % 256]) * 512
                if number:
                    self.versions.append(bytes(content))
                self.disks[number].write(bytes(content[offset : offset + 512]), offset)
            self.written = generation + 1
            record = self.log.mark(checkpoint_mark(generation, Consistency.CRASH, ""))
            self.known[record] = [bytes(content) for content in now]
            self.log.commit()

    def commit(self) -> None:
        while not self.over.is_set():
            self.disks[0].flush()

    def promote(self) -> None:
        rng = random.Random(2)
        while not self.over.is_set():
            offered = [record for record in list(self.log.state.checkpoints) if record <= self.log.durable]
            if len(offered) < 3:
                continue
            try:
                promote(
                    self.log,
                    self.files,
                    dict(enumerate(self.replicas)),
                    rng.choice(offered[: len(offered) // 2]),
                )
                self.promotions += 1
            except (NotFound, ProjectBusy):
                continue

    def look(self) -> None:
        """Open images and read them piece by piece while everything goes on."""
        rng = random.Random(threading.get_ident())
        while not self.over.is_set():
            offered = [record for record in list(self.log.state.checkpoints) if record <= self.log.durable]
            if not offered:
                continue
            record, number = rng.choice(offered), rng.randrange(DISKS)
            if record not in self.known:  # made a moment ago
                continue
            try:
                lease = self.log.lease(record)
            except NotFound:
                continue
            image = Image(number, self.replicas[number], lease, Indexes(self.log.reader))
            for _ in range(4):
                offset = rng.randrange(SIZE)
                buffer = bytearray(rng.randint(1, SIZE - offset))
                image.read_into(memoryview(buffer), offset)
                assert buffer == self.known[record][number][offset : offset + len(buffer)], record
                self.reads += 1
            image.close()

    def read_now(self) -> None:
        """Read a disk as it is: some version it had meanwhile, and none that was half written."""
        while not self.over.is_set():
            written = self.written
            buffer = bytearray(SIZE)
            self.disks[1].read_into(memoryview(buffer), 0)
            assert any(buffer == version for version in self.versions[written:])

    def run(self, *work: Callable[[], None]) -> None:
        threads = [threading.Thread(target=self._caught, args=(one,)) for one in work]
        for thread in threads:
            thread.start()
        try:
            self._caught(self.write)
        finally:
            self.over.set()
            for thread in threads:
                thread.join()
        if self.errors:
            raise self.errors[0]

    def _caught(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - told to the one who waits
            self.errors.append(error)
            self.over.set()


def test_everybody_at_once(tmp_path: Path) -> None:
    group = Group(tmp_path)
    group.run(group.commit, group.promote, group.look, group.look, group.read_now)
    print(f"{group.reads} reads of images, {group.promotions} promotions, {len(group.known)} checkpoints")
    assert group.reads
    assert group.promotions
    group.files.close()
    log = open_log(DirectoryFiles(tmp_path), "group")
    newest = max(group.known)
    assert newest in log.state.checkpoints
    for number, replica in enumerate(group.replicas):
        buffer = bytearray(SIZE)
        Image(number, replica, log.lease(newest), Indexes(log.reader)).read_into(memoryview(buffer), 0)
        assert bytes(buffer) == group.known[newest][number]


class _OnceTold(SimulatedFiles):
    """A sync that fails is told to one caller only, as kernels do; others hear that all is well."""

    def __init__(self) -> None:
        super().__init__()
        self.log: Log | None = None
        self.outcome: list[object] = []
        self._fails = False

    def fail(self, log: Log) -> None:
        self.log, self._fails = log, True

    def sync(self, number: int) -> None:
        if not self._fails:
            super().sync(number)
            return
        self._fails = False
        other = threading.Thread(target=self._commit)
        other.start()
        other.join(0.3)  # it comes in here now, or waits until we are told
        raise OSError(errno.EIO, "injected")

    def _commit(self) -> None:
        assert self.log is not None
        try:
            self.outcome.append(self.log.commit())
        except JournalFailed as error:
            self.outcome.append(error)


def test_a_sync_that_failed_is_told_to_everybody_who_commits() -> None:
    files = _OnceTold()
    log = open_log(files, "group")
    log.append([Write(0, 0, 4, b"data")])
    files.fail(log)
    with pytest.raises(OSError, match="injected"):
        log.commit()
    while not files.outcome:
        threading.Event().wait(0.01)
    assert isinstance(files.outcome[0], JournalFailed)


def test_nothing_is_trimmed_before_it_is_durable_that_replicas_hold_it() -> None:
    files = SimulatedFiles()
    log = open_log(files, "group", segment_bytes=300)
    for turn in range(4):
        log.append([Write(0, 0, 200, bytes([turn]) * 200)])
        point = log.checkpoint(turn).record
    log.withdraw(point)
    log.mark(promoted_mark(point))
    before = files.numbers()
    assert len(before) > 3
    log.trim()  # by somebody else, between the mark and its commit
    assert files.numbers() == before
    lost = files.fork()
    lost.lose_power(random.Random(0))
    assert open_log(lost, "group").state.promoted in {0, point}
    log.commit()
    assert log.trim() > 0
