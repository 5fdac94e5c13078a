"""Index files are a cache: whatever becomes of one, not a byte reads otherwise, and it is made anew."""

from __future__ import annotations

import errno
import os
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from migrate.journal.directory import DirectoryFiles
from migrate.journal.disk import JournalledDisk
from migrate.journal.frames import HEADER_BYTES, JournalCorrupt, Kind
from migrate.journal.image import Image
from migrate.journal.index_files import IndexFiles
from migrate.journal.layers import Sections
from migrate.journal.log import Log, open_log
from migrate.journal.overlay import Indexes, prepare
from migrate.journal.promotion import promote
from migrate.journal.reading import FrameReader
from migrate.journal.recovery import Ref
from migrate.journal.writes import Write
from planner.units import KIB
from tests.migrate.replication.model import MemoryDisk

SIZE = 256 * KIB
SEGMENT_BYTES = 24 * KIB


class Watched(DirectoryFiles):
    """Remembers which parts of segments were read, and lets one be looked at first."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.reads: list[tuple[int, int, int]] = []
        self.before: Callable[[], None] = lambda: None

    def read(self, number: int, offset: int, length: int) -> bytes:
        self.before()
        self.reads.append((number, offset, length))
        return super().read(number, offset, length)


class Unwritable(Watched):
    """Has no room for anything beside a segment."""

    def write_aside(self, number: int, data: bytes) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Journal:
    """A journal of one disk in a folder, with some checkpoints and what the disk held at each."""

    def __init__(self, folder: Path, seed: int = 1) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        rng = random.Random(seed)
        self.replica = MemoryDisk(rng.randbytes(SIZE))
        self.known: dict[int, bytes] = {}
        content = bytearray(self.replica.seen)
        files = DirectoryFiles(folder)
        log = open_log(files, "group", segment_bytes=SEGMENT_BYTES)
        for _ in range(12):
            for _ in range(8):
                writes = []
                for _ in range(rng.randint(1, 5)):
                    offset = rng.randrange(SIZE // 512 - 8) * 512
                    length = rng.randint(1, 8) * 512
                    data = None if rng.random() < 0.2 else rng.randbytes(length // 2) * 2
                    content[offset : offset + length] = data or bytes(length)
                    writes.append(Write(0, offset, length, data))
                log.append(writes)
                log.commit()
            self.known[log.checkpoint(1).record] = bytes(content)
        files.close()

    def open(self, kind: type[Watched] = Watched) -> tuple[Watched, Log]:
        """Open it as the next process would."""
        files = kind(self.folder)
        log = open_log(files, "group", segment_bytes=SEGMENT_BYTES)
        files.reads.clear()
        return files, log

    def images(self, log: Log) -> dict[int, bytes]:
        """Return what every checkpoint reads as."""
        found = {}
        for record in self.known:
            image = Image(0, self.replica, log.lease(record), Indexes(log.reader))
            buffer = bytearray(SIZE)
            image.read_into(memoryview(buffer), 0)
            image.close()
            found[record] = bytes(buffer)
        return found

    def asides(self) -> list[Path]:
        return sorted(self.folder.glob("*.index"))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    """A journal whose index files are there; who damages them mends them."""
    journal = Journal(tmp_path_factory.mktemp("made"))
    _files, log = journal.open()
    assert prepare(log) == len(whole(log)) > 4
    assert prepare(log) == 0
    return journal


def whole(log: Log) -> list[list[Ref]]:
    """Return the frames of writes of each whole segment."""
    with log.reading() as (frames, count):
        sections = Sections()
        sections.follow(frames, count)
    return [section.frames for section in sections.whole]


def tables(files: Watched, log: Log) -> set[int]:
    """Return the segments of which the table of a frame was read."""
    known = {(ref.segment, ref.offset + HEADER_BYTES, ref.header.table) for ref in log.frames()}
    writes = {ref.segment for ref in log.frames() if ref.header.kind is Kind.WRITES}
    return {read[0] for read in files.reads if read in known} & writes


def test_a_read_takes_the_indexes_from_their_files_and_no_table(made: Journal) -> None:
    files, log = made.open()
    newest = max(made.known)
    image = Image(0, made.replica, log.lease(newest), Indexes(log.reader))
    buffer = bytearray(SIZE)
    image.read_into(memoryview(buffer), 0)
    image.close()
    assert buffer == made.known[newest]
    assert tables(files, log).isdisjoint({frames[0].segment for frames in whole(log)})
    files, log = made.open()
    for path in made.asides():
        path.rename(path.with_suffix(".away"))
    try:
        assert made.images(log) == made.known
        assert tables(files, log) >= {frames[0].segment for frames in whole(log)}
        assert len(made.asides()) == len(whole(log))  # they are made anew
        assert [path.read_bytes() for path in made.asides()] == [
            path.read_bytes() for path in sorted(made.folder.glob("*.away"))
        ]
    finally:
        for path in made.folder.glob("*.away"):
            path.rename(path.with_suffix(".index"))


def torn(path: Path, _made: Journal, rng: random.Random) -> None:
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])


def zeroed(path: Path, _made: Journal, rng: random.Random) -> None:
    start = rng.randrange(path.stat().st_size)
    path.write_bytes(path.read_bytes()[:start].ljust(path.stat().st_size, b"\0"))


def flipped(path: Path, _made: Journal, rng: random.Random) -> None:
    raw = bytearray(path.read_bytes())
    raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
    path.write_bytes(raw)


def empty(path: Path, _made: Journal, _rng: random.Random) -> None:
    path.write_bytes(b"")


def anothers(path: Path, made: Journal, rng: random.Random) -> None:
    others = [other for other in made.asides() if other != path]
    path.write_bytes(rng.choice(others).read_bytes())


def foreign(path: Path, made: Journal, _rng: random.Random) -> None:
    """The same segment of another journal, which wrote other bytes to other places."""
    other = made.folder.parent / "foreign"
    if not other.exists():
        prepare(Journal(other, seed=2).open()[1])
    path.write_bytes((other / path.name).read_bytes())


def folder(path: Path, _made: Journal, _rng: random.Random) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("damage", [torn, zeroed, flipped, empty, anothers, foreign, folder])
def test_a_damaged_file_changes_no_byte(
    made: Journal, damage: Callable[[Path, Journal, random.Random], None]
) -> None:
    rng = random.Random(7)
    paths = made.asides()
    kept = {path: path.read_bytes() for path in paths}
    try:
        for path in rng.sample(paths, 3):
            damage(path, made, rng)
        _files, log = made.open()
        assert made.images(log) == made.known
        if damage is not folder:
            assert {path: path.read_bytes() for path in made.asides()} == kept  # made anew
    finally:
        for path, raw in kept.items():
            if path.is_dir():
                path.rmdir()
            path.write_bytes(raw)


def test_flipped_bits_and_shorter_files_are_noticed(made: Journal) -> None:
    files, log = made.open()
    frames = min(whole(log), key=len)
    path = made.folder / f"{frames[0].segment:010d}.index"
    raw = path.read_bytes()
    try:
        for bit in range(0, len(raw) * 8, 23):
            wrong = bytearray(raw)
            wrong[bit // 8] ^= 1 << bit % 8
            path.write_bytes(wrong)
            assert IndexFiles(files).load(frames, whole=True) is None, bit
        for length in range(0, len(raw), 41):
            path.write_bytes(raw[:length])
            assert IndexFiles(files).load(frames, whole=True) is None, length
        path.write_bytes(raw)
        assert IndexFiles(files).load(frames, whole=True) is not None
        assert IndexFiles(files).load(frames[:-1], whole=True) is None
    finally:
        path.write_bytes(raw)


def test_an_index_that_cannot_be_kept_only_costs_time(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    _files, log = journal.open(Unwritable)
    assert prepare(log) > 4
    assert journal.images(log) == journal.known
    assert journal.asides() == []


def test_index_files_go_with_their_segments(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    files, log = journal.open()
    prepare(log)
    left = journal.folder / "0000000000.index"  # its segment is gone
    left.write_bytes(b"left")
    points = list(journal.known)
    promote(log, files, {0: journal.replica}, points[len(points) // 2])
    there = {path.stem for path in tmp_path.glob("*.segment")}
    assert {path.stem for path in journal.asides()} - {left.stem} < there
    assert len(there) < len(points)
    for path in journal.asides():
        path.unlink() if path != left else None
    files, log = journal.open()
    prepare(log)
    assert {path.stem for path in journal.asides()} < there
    journal.known = {record: journal.known[record] for record in points[len(points) // 2 :]}
    assert journal.images(log) == journal.known


def test_a_read_of_what_is_newest_finds_its_segments_while_they_are_trimmed(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    files, log = journal.open()
    newest = max(journal.known)
    reached, go_on = threading.Event(), threading.Event()

    def wait() -> None:
        if threading.current_thread() is not threading.main_thread():
            files.before = lambda: None
            reached.set()
            assert go_on.wait(60)

    found = bytearray(SIZE)
    disk = JournalledDisk(0, journal.replica, log)
    reader = threading.Thread(target=disk.read_into, args=(memoryview(found), 0))
    files.before = wait
    reader.start()
    assert reached.wait(60)
    before = files.numbers()
    promote(log, DirectoryFiles(tmp_path), {0: MemoryDisk(bytes(SIZE))}, newest)
    assert log.frames()[0].segment > before[0]
    go_on.set()
    reader.join(60)
    assert bytes(found) == journal.known[newest]
    log.trim()
    assert files.numbers()[0] > before[0]
    after = bytearray(SIZE)
    promoted = MemoryDisk(journal.known[newest])
    JournalledDisk(0, promoted, log).read_into(memoryview(after), 0)
    assert after == found


@pytest.mark.parametrize("seed", range(3))
def test_reads_say_the_same_while_layers_are_fused_and_the_log_grows(tmp_path: Path, seed: int) -> None:
    journal = Journal(tmp_path, seed)
    files, log = journal.open()
    rng = random.Random(seed)
    content = bytearray(journal.known[max(journal.known)])
    disk = JournalledDisk(0, journal.replica, log)
    point = rng.choice(list(journal.known))
    image = Image(0, journal.replica, log.lease(point), Indexes(log.reader))
    for turn in range(300):
        if turn in {100, 200}:  # replicas move, and segments go once nobody reads them
            promote(log, files, {0: journal.replica}, point if turn == 100 else log.checkpoint(1).record)
        offset = rng.randrange(SIZE - 1)
        length = min(rng.choice([1, 512, 4096, 9000]), SIZE - offset)
        buffer = bytearray(length)
        if turn < 200:
            image.read_into(memoryview(buffer), offset)
            assert buffer == journal.known[point][offset : offset + length]
        if turn == 199:
            image.close()
        disk.read_into(memoryview(buffer), offset)
        assert buffer == content[offset : offset + length]
        if rng.random() < 0.2:
            data = rng.randbytes(512)
            start = rng.randrange(SIZE // 512) * 512
            disk.write(data, start)
            content[start : start + 512] = data
            log.commit()


def test_a_flipped_bit_in_the_data_is_noticed_by_the_read_that_comes_to_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    _files, log = journal.open()
    newest = max(journal.known)
    rng = random.Random(3)
    noticed = 0
    for frames in whole(log):
        ref = rng.choice([ref for ref in frames if ref.header.data])
        path = tmp_path / f"{ref.segment:010d}.segment"
        raw = path.read_bytes()
        wrong = bytearray(raw)
        at = ref.offset + HEADER_BYTES + ref.header.table + rng.randrange(ref.header.data)
        wrong[at] ^= 1 << rng.randrange(8)
        path.write_bytes(wrong)
        image = Image(0, journal.replica, log.lease(newest), Indexes(FrameReader(DirectoryFiles(tmp_path))))
        for offset in range(0, SIZE, 512):
            buffer = bytearray(512)
            try:
                image.read_into(memoryview(buffer), offset)
            except JournalCorrupt:
                noticed += 1
                continue
            assert buffer == journal.known[newest][offset : offset + 512]
        image.close()
        path.write_bytes(raw)
    assert noticed > 5
