"""Images: any checkpoint reads as the disks were then, while the group goes on and its replicas move."""

from __future__ import annotations

import random

import pytest

from migrate.journal.image import Image
from migrate.journal.overlay import Indexes
from migrate.journal.promotion import promote
from planner.errors import NotFound, ProjectBusy
from tests.migrate.journal.model import DISK_BYTES, World


class Replica:
    """A replica as it is read beside its writer."""

    size_bytes = DISK_BYTES

    def __init__(self, seen: bytearray) -> None:
        self._seen = seen

    def read_into(self, buffer: memoryview, offset: int) -> None:
        buffer[:] = self._seen[offset : offset + len(buffer)]

    def allocated(self) -> list[tuple[int, int]]:
        return [(at, 1) for at in range(DISK_BYTES) if self._seen[at]]

    def close(self) -> None:
        self._seen = bytearray()


def images(world: World, record: int) -> list[Image]:
    indexes = Indexes(world.log.reader)
    return [
        Image(number, Replica(disk.seen), world.log.lease(record), indexes)  # type: ignore[arg-type]
        for number, disk in world.disks.items()
    ]


def read(image: Image, offset: int = 0, length: int = DISK_BYTES) -> bytes:
    buffer = bytearray(length)
    image.read_into(memoryview(buffer), offset)
    return bytes(buffer)


def lived(seed: int, steps: int) -> World:
    rng = random.Random(seed)
    world = World()
    for operation in rng.choices(["append", "checkpoint", "commit", "rotate"], [5, 2, 2, 1], k=steps):
        world.do(operation, rng)
    world.do("commit", rng)
    return world


@pytest.mark.parametrize("seed", range(6))
def test_every_checkpoint_reads_as_the_disks_were(seed: int) -> None:
    world = lived(seed, 60)
    rng = random.Random(seed)
    records = list(world.log.state.checkpoints)
    assert len(records) > 3
    for record in records:
        for image, expected in zip(images(world, record), world.expected(record), strict=True):
            assert read(image) == expected
            for _ in range(20):
                offset = rng.randrange(DISK_BYTES)
                length = rng.randint(0, DISK_BYTES - offset)
                assert read(image, offset, length) == expected[offset : offset + length]
            held = {at for start, length in image.allocated() for at in range(start, start + length)}
            assert not any(expected[at] for at in set(range(DISK_BYTES)) - held)
            image.close()


def test_an_image_stays_while_the_group_goes_on_and_its_replicas_move() -> None:
    world = lived(1, 60)
    rng = random.Random(1)
    record = list(world.log.state.checkpoints)[3]
    opened, expected = images(world, record), world.expected(record)
    later = list(world.log.state.checkpoints)[4]
    with pytest.raises(ProjectBusy, match=f"an image of checkpoint {record} is open"):
        promote(world.log, world.files, world.disks, later)  # type: ignore[arg-type]
    promote(world.log, world.files, world.disks, record)  # type: ignore[arg-type]
    assert 1 in world.files.numbers()  # nothing was deleted below it
    for operation in ("append", "rotate", "checkpoint", "commit"):
        world.do(operation, rng)
    assert [read(image) for image in opened] == expected
    for image in opened:
        image.close()
        image.close()
    promote(world.log, world.files, world.disks, later)  # type: ignore[arg-type]
    assert 1 not in world.files.numbers()
    with pytest.raises(NotFound, match=f"no checkpoint {record}"):
        world.log.lease(record)
