"""Hashes depend on content alone."""

from __future__ import annotations

import random
import threading

import pytest
from blake3 import blake3

from migrate.replication.hashing import DiskHash, ask_hash, hash_disk
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from planner.errors import BadInput
from tests.migrate.replication.model import KIB, MemoryDisk, MemoryLog, make_content, pipe


class Thick(MemoryDisk):
    def allocated(self):  # type: ignore[no-untyped-def]
        yield 0, len(self.seen)


@pytest.mark.parametrize("size", [0, 1, 512, 300 * KIB + 7, 2500 * KIB])
def test_it_is_blake3_of_the_content_whatever_is_allocated(size: int) -> None:
    content = make_content(random.Random(size), size)
    expected = DiskHash(blake3(content).hexdigest(), size)
    seen: list[int] = []
    assert hash_disk(MemoryDisk(content), progress=seen.append) == expected
    assert hash_disk(Thick(content)) == expected
    assert seen == sorted(seen)
    if size:
        assert seen[-1] == size


@pytest.mark.parametrize("kind", [MemoryDisk, Thick])
def test_a_larger_disk_equals_its_twin_only_when_the_rest_is_zero(kind: type[MemoryDisk]) -> None:
    content = make_content(random.Random(1), 1300 * KIB + 512)
    twin = hash_disk(MemoryDisk(content))
    larger = kind(content + bytes(2000 * KIB))
    assert hash_disk(larger, size_bytes=len(content)) == twin
    larger.seen[-1] = 1
    assert hash_disk(larger, size_bytes=len(content)) != twin
    with pytest.raises(BadInput):
        hash_disk(MemoryDisk(content), size_bytes=len(content) + 1)


def test_the_receiver_hashes_its_own_disk() -> None:
    content = make_content(random.Random(2), 1100 * KIB)
    disk = MemoryDisk(content + bytes(512))
    near, far = pipe()
    receiver = Receiver(lambda _volume: disk, lambda volume: ProgressLog(MemoryLog(), volume))
    thread = threading.Thread(target=receiver.serve, args=(far,))
    thread.start()
    assert ask_hash(near, "v", len(content)) == hash_disk(MemoryDisk(content))
    thread.join(120)
    near, far = pipe()
    thread = threading.Thread(target=pytest.raises, args=(BadInput, receiver.serve, far))
    thread.start()
    with pytest.raises(BadInput, match="cannot equal"):
        ask_hash(near, "v", len(content) * 2)
    near.close()
    thread.join(120)
