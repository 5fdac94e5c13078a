"""Small writes of passes share frames; nobody sees that, neither who reads beside nor the order."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from migrate.journal.directory import DirectoryFiles
from migrate.journal.disk import JournalledDisk
from migrate.journal.frames import Kind
from migrate.journal.log import FRAME_BYTES, Log, open_log
from migrate.journal.promotion import replay
from migrate.journal.writes import Write
from planner.errors import NoSpace
from planner.units import KIB, MIB
from tests.migrate.replication.model import MemoryDisk

SIZE = 4 * MIB


def frames_of_writes(log: Log) -> list[int]:
    """Return how many records each frame of writes has."""
    return [ref.header.count for ref in log.frames() if ref.header.kind is Kind.WRITES]


def test_small_writes_share_frames_and_large_ones_have_their_own(tmp_path: Path) -> None:
    log = open_log(DirectoryFiles(tmp_path), "group")
    disk = JournalledDisk(0, MemoryDisk(bytes(SIZE)), log)
    for at in range(200):
        disk.write(bytes([at]) * 4096, at * 8 * KIB)
    disk.write(b"x" * (128 * KIB), 2 * MIB)
    disk.zero(3 * MIB, MIB)
    assert log.last == 203  # a segment begins with a record of its own
    disk.flush()
    counts = frames_of_writes(log)
    assert sum(counts) == 202
    assert len(counts) <= -(-200 * (4096 + 32) // FRAME_BYTES) + 3
    assert log.durable == log.last == 203


@pytest.mark.parametrize("seed", range(4))
def test_the_order_is_that_of_the_calls_and_readers_beside_see_each_write(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    files = DirectoryFiles(tmp_path)
    log = open_log(files, "group", segment_bytes=200_000)
    replicas = [MemoryDisk(bytes(64 * KIB)) for _ in range(2)]
    disks = [JournalledDisk(number, replica, log) for number, replica in enumerate(replicas)]
    contents = [bytearray(64 * KIB) for _ in range(2)]
    known: dict[int, list[bytes]] = {}
    expected: list[tuple[int, int, bytes]] = []
    buffer = bytearray(2048)  # that is used again, as those of the wire are
    for _ in range(500):
        number, offset = rng.randrange(2), rng.randrange(60) * KIB
        before = log.last
        if rng.random() < 0.2:
            disks[number].zero(offset, 2048)
            data = bytes(2048)
        else:
            buffer[:] = data = rng.randbytes(1024) * 2
            disks[number].write(memoryview(buffer), offset)
        assert log.last == before + 1
        expected.append((number, offset, data))
        contents[number][offset : offset + 2048] = data
        choice = rng.random()
        if choice < 0.1:
            found = bytearray(64 * KIB)
            beside = JournalledDisk(number, replicas[number], log)
            beside.read_into(memoryview(found), 0)
            assert found == contents[number]
        elif choice < 0.15:
            known[log.checkpoint(1).record] = [bytes(content) for content in contents]
        elif choice < 0.2:
            log.append([Write(number, 0, 512, b"o" * 512)])
            expected.append((number, 0, b"o" * 512))
            contents[number][:512] = b"o" * 512
        elif choice < 0.25:
            disks[number].flush()
    log.commit()
    assert len(frames_of_writes(log)) < 250
    again = open_log(files, "group")
    rows = list(replay(files, again.frames(), 0, again.last))
    assert [(row.disk, row.offset, data) for row, data in rows] == expected
    for record, was in known.items():
        found_at = [bytearray(64 * KIB) for _ in range(2)]
        for row, data in replay(files, again.frames(), 0, record):
            found_at[row.disk][row.offset : row.offset + row.length] = data
        assert [bytes(content) for content in found_at] == was


def test_what_was_not_flushed_may_be_lost_and_what_was_is_not(tmp_path: Path) -> None:
    log = open_log(DirectoryFiles(tmp_path), "group")
    disk = JournalledDisk(0, MemoryDisk(bytes(SIZE)), log)
    disk.write(b"a" * 512, 0)
    disk.flush()
    disk.write(b"b" * 512, 512)
    again = open_log(DirectoryFiles(tmp_path), "group")
    found = bytearray(1024)
    JournalledDisk(0, MemoryDisk(bytes(SIZE)), again).read_into(memoryview(found), 0)
    assert found == b"a" * 512 + bytes(512)


def test_a_limit_counts_what_waits_for_its_frame(tmp_path: Path) -> None:
    log = open_log(DirectoryFiles(tmp_path), "group")
    log.allowance.limit_bytes = log.size_bytes + 20_000
    disk = JournalledDisk(0, MemoryDisk(bytes(SIZE)), log)
    took = 0
    while log.size_bytes + (took + 1) * 544 <= log.allowance.limit_bytes:
        disk.write(random.Random(took).randbytes(512), took * 512)
        took += 1
    with pytest.raises(NoSpace):
        disk.write(bytes(512), 0)
    assert took > 25
    disk.flush()
    assert log.size_bytes <= log.allowance.limit_bytes
    assert sum(frames_of_writes(log)) == took
