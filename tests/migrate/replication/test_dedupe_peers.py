"""Peers that offer what makes no sense, leave out what is not there, or offer without end."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from blake3 import blake3

from migrate.disks.flat import FlatDisk
from migrate.replication import wire
from migrate.replication.dedupe.answering import SETTLED_MAX, Answering
from migrate.replication.dedupe.pools import Pool, Pools
from migrate.replication.messages import Hello
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import greet
from migrate.replication.sink import DiskSink
from migrate.replication.wire import Kind, WireError
from migrate.replication.zeros import GRAIN
from tests.migrate.replication.model import KIB, MemoryDisk, MemoryLog, pipe

SIZE = 1024 * KIB + 1536


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    pools = Pools(tmp_path, lambda volume: pytest.fail(f"{volume} was opened"))
    made = pools.of()
    assert made is not None
    yield made
    pools.close()


class Peer:
    """A sender by hand against a receiver with a pool, at the point where frames begin."""

    def __init__(self, pool: Pool | None, *, offers: bool = True) -> None:
        self.near, self.far = pipe()
        self.error: BaseException | None = None
        receiver = Receiver(lambda _v: MemoryDisk(SIZE), lambda v: ProgressLog(MemoryLog(), v))
        self.thread = threading.Thread(target=self._serve, args=(receiver, pool))
        self.thread.start()
        hello = Hello(purpose="pass", volume="v", size_bytes=SIZE, nonce="0" * 32, pass_id="1")
        self.link, self.welcome = greet(self.near, hello, offers=offers)

    def _serve(self, receiver: Receiver, pool: Pool | None) -> None:
        try:
            receiver.serve(self.far, pool=lambda: pool)
        except BaseException as error:  # noqa: BLE001
            self.error = error
        finally:
            self.far.close()

    def end(self) -> BaseException | None:
        self.near.close()
        self.thread.join(60)
        assert not self.thread.is_alive()
        return self.error

    def refusal(self) -> BaseException | None:
        with pytest.raises(WireError):
            self.link.receive(Kind.BYE)
        return self.end()


@pytest.mark.parametrize("offers", [True, False])
def test_an_offer_that_was_not_agreed_is_refused(pool: Pool, offers: bool) -> None:
    peer = Peer(None if offers else pool, offers=offers)
    assert not peer.welcome.dedupe
    peer.link.send(Kind.OFFER, bytes(16), offset=0)
    assert isinstance(peer.refusal(), WireError)


@pytest.mark.parametrize(
    ("offset", "length"), [(1, 16), (0, 15), (0, 0), (17 * GRAIN, 16), (16 * GRAIN, 48), (0, 257 * 16)]
)
def test_offers_that_make_no_sense_are_refused(pool: Pool, offset: int, length: int) -> None:
    peer = Peer(pool)
    peer.link.send(Kind.OFFER, bytes(length), offset=offset)
    assert isinstance(peer.refusal(), WireError)


@pytest.mark.parametrize("length", [GRAIN, 1, 2**40])
def test_what_was_not_settled_cannot_be_left_out(pool: Pool, length: int) -> None:
    peer = Peer(pool)
    peer.link.send(Kind.HELD, offset=0, length=length)
    assert isinstance(peer.refusal(), WireError)


def test_offers_without_end_are_cut_off(pool: Pool, tmp_path: Path) -> None:
    """Memory is bounded whatever a peer offers; half a disk may wait, more than that may not."""
    size = (SETTLED_MAX + 257) * GRAIN
    zeros = bytes(blake3(bytes(GRAIN), key=pool.table.key).digest(wire.DIGEST_BYTES))
    file = tmp_path / "large.img"
    file.touch()
    os.truncate(file, size)
    number = pool.volumes.number("v")
    assert number is not None
    pool.table.learn(zeros, number, size - GRAIN)
    disk = FlatDisk(file, True)
    answering = Answering(pool, "v", size, disk)
    for index in range(SETTLED_MAX // 256):
        answering.settle(index * 256 * GRAIN, zeros * 256, DiskSink(disk))
    with pytest.raises(WireError, match="far more"):
        answering.settle(SETTLED_MAX * GRAIN, zeros * 256, DiskSink(disk))
    assert SETTLED_MAX < sum(1 for _ in answering.settled()) <= SETTLED_MAX + 256
    answering.close()
    disk.close()
