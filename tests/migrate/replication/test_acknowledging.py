"""When acknowledgements leave: behind a flush that began after the frames, and beside frames that follow."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

import pytest

from migrate.replication import lane
from migrate.replication.channel import ChannelClosed
from migrate.replication.link import Link
from migrate.replication.messages import Ack, Hello
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import greet
from migrate.replication.wire import Kind
from migrate.replication.zeros import GRAIN
from tests.migrate.replication.model import MemoryDisk, MemoryLog, World, pipe

BODY = random.Random(1).randbytes(GRAIN)
BLOCKS = 8  # each is a stretch


class Slow(MemoryDisk):
    """A disk that flushes when it may, and says how many blocks were written."""

    def __init__(self) -> None:
        super().__init__(BLOCKS * GRAIN)
        self.may_flush = threading.Semaphore(1)  # for what an earlier conversation left
        self.written = threading.Semaphore(0)

    def write(self, data: bytes | memoryview, offset: int) -> None:
        super().write(data, offset)
        self.written.release()

    def flush(self) -> None:
        assert self.may_flush.acquire(timeout=60)
        super().flush()


@contextmanager
def seeding(disk: Slow) -> Iterator[Link]:
    near, far = pipe()
    receiver = Receiver(
        lambda _volume: disk, lambda volume: ProgressLog(MemoryLog(), volume), ack_bytes=GRAIN
    )

    def serve() -> None:
        with pytest.raises(ChannelClosed):
            receiver.serve(far)
        far.close()

    thread = threading.Thread(target=serve)
    thread.start()
    hello = Hello(purpose="pass", volume="v", size_bytes=disk.size_bytes, nonce="00" * 16, pass_id="p")
    link, _welcome = greet(near, hello)
    try:
        yield link
    finally:
        disk.may_flush.release(100)
        near.close()
        thread.join(60)
        assert not thread.is_alive()


def test_a_disk_that_flushes_slowly_takes_in_two_stretches_more_and_then_no_other() -> None:
    disk = Slow()
    with seeding(disk) as link:
        for number in range(4):
            link.send(Kind.DATA, BODY, offset=number * GRAIN)
        for _ in range(3):
            assert disk.written.acquire(timeout=60)
        assert not disk.written.acquire(timeout=0.05)  # the fourth waits for the first to be durable
        disk.may_flush.release()
        assert Ack.load(link.receive(Kind.ACK).body).number == 1
        assert bytes(disk.durable[:GRAIN]) == BODY
        assert disk.written.acquire(timeout=60)


def test_what_is_durable_is_acknowledged_at_the_next_frame() -> None:
    disk = Slow()
    with seeding(disk) as link:
        link.send(Kind.DATA, BODY, offset=0)
        assert disk.written.acquire(timeout=60)
        disk.may_flush.release()
        heard = threading.Thread(target=lambda: link.receive(Kind.ACK))
        heard.start()
        for small in range(15):  # frames that end no stretch, until one comes after the flush
            link.send(Kind.ZERO, offset=GRAIN + small * 512, length=512)
            heard.join(0.01 if small < 5 else 1.0)
            if not heard.is_alive():
                break
        assert not heard.is_alive()


@pytest.mark.parametrize("ahead", [2, 3])
@pytest.mark.parametrize("overlap", [False, True])
def test_a_sender_that_waits_for_words_earlier_gets_them(ahead: int, overlap: bool) -> None:
    content = BODY * 12
    world = World(MemoryDisk(len(content)), ack_bytes=GRAIN, overlap=overlap)
    with patch.object(lane, "_ACKS_AHEAD", ahead):  # 2 is what releases before this one have
        sent = world.send(MemoryDisk(content), PassSpec("v", "p", len(content)), Mode.SEED)
    assert isinstance(sent, PassResult)
    assert bytes(world.disk.durable) == content
