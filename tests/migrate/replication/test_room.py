"""What the passes of one process keep in memory: blocks by their room, packers by the processors."""

from __future__ import annotations

import random
import threading
from contextlib import ExitStack

import pytest

from migrate.replication.packers import Packers
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.room import LEAST, Room
from planner.units import MIB
from tests.migrate.replication.model import MemoryDisk, World

SIZE = 40 * MIB


class Counted(MemoryDisk):
    """A source that knows into how many pieces of memory it was read."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.buffers: dict[int, object] = {}  # kept alive, so that no two have one id

    def read_into(self, buffer: memoryview, offset: int) -> None:
        self.buffers[id(buffer.obj)] = buffer.obj
        super().read_into(buffer, offset)


def test_shares_are_even_and_never_nothing() -> None:
    room = Room(16)
    with ExitStack() as passes:
        shares = []
        for _ in range(20):
            passes.enter_context(room.taken())
            shares.append((room.share, room.window(3), room.ahead(), room.batch(4)))
    assert shares[0] == (16, 3, 7, 2)
    assert shares[1] == (8, 2, 3, 1)
    assert set(shares[7:]) == {(LEAST, 1, 0, 1)}
    assert room.share == 16


@pytest.mark.parametrize("mode", [Mode.SEED, Mode.COMPARE])
@pytest.mark.parametrize("others", [0, 63])
def test_a_pass_beside_many_keeps_few_blocks_and_goes_on(mode: Mode, others: int) -> None:
    source = Counted(random.Random(1).randbytes(SIZE))
    world = World(MemoryDisk(SIZE), overlap=True)
    room = Room(16)
    with ExitStack() as passes:
        for _ in range(others):
            passes.enter_context(room.taken())
        spec = PassSpec("v", "p", SIZE)
        result = world.send(source, spec, mode, workers=2, block_bytes=MIB, room=room)
    assert isinstance(result, PassResult), result
    assert bytes(world.disk.durable) == bytes(source.durable)
    assert len(source.buffers) <= (LEAST if others else 16)
    assert room.share == 16  # given back


def test_the_room_is_given_back_by_a_pass_that_fails() -> None:
    class Failing(MemoryDisk):
        def read_into(self, buffer: memoryview, offset: int) -> None:
            raise OSError(5, "injected")

    room = Room(16)
    with pytest.raises(OSError, match="injected"):
        World(MemoryDisk(MIB)).send(
            Failing(random.Random(1).randbytes(MIB)), PassSpec("v", "p", MIB), Mode.SEED, room=room
        )
    with room.taken():
        assert room.share == 16


def test_no_more_packers_are_lent_than_there_are() -> None:
    packers = Packers(2)
    at_work = most = 0
    lock = threading.Lock()

    def pack(level: int) -> None:
        nonlocal at_work, most
        for _ in range(50):
            with packers.lent(level) as packer:
                with lock:
                    at_work += 1
                    most = max(most, at_work)
                assert packer.compress(b"a" * 1000)
                with lock:
                    at_work -= 1

    with packers.lent(1) as one, packers.lent(1) as two:
        assert one is not two
    threads = [threading.Thread(target=pack, args=(level,)) for level in (1, 1, 3, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert most <= 2


def test_a_packer_of_its_level_is_lent_again_and_one_that_failed_is_not_lost() -> None:
    packers = Packers(1)
    with pytest.raises(RuntimeError), packers.lent(1) as first:
        raise RuntimeError
    with packers.lent(1) as second:
        assert second is first
    with packers.lent(3) as other:
        assert other is not first
    with packers.lent(1) as again:
        assert again is not first  # there was place for one
