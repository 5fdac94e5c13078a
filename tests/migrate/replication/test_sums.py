"""How a comparison tells grains apart: by GMAC where both ends know it, else by blake3."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from migrate.disks.ports import WritableDisk
from migrate.replication import wire
from migrate.replication.channel import ChannelClosed
from migrate.replication.dedupe.pools import Pool
from migrate.replication.holdings import Holdings
from migrate.replication.link import Link
from migrate.replication.messages import Hello, Welcome
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import greet
from migrate.replication.sums import sums_of
from migrate.replication.wire import DIGEST_BYTES, FINE, WireError
from migrate.replication.zeros import GRAIN
from tests.migrate.replication import model
from tests.migrate.replication.model import MemoryDisk, MemoryLog, World, pipe

NONCE = "00" * 16
SIZE = 5 * GRAIN + 7
BOTH = pytest.mark.parametrize("gmac", [False, True])


def nth(sums: bytes, number: int) -> bytes:
    return sums[number * DIGEST_BYTES : (number + 1) * DIGEST_BYTES]


@BOTH
def test_each_grain_has_a_sum_and_zeros_have_theirs(gmac: bool) -> None:
    sums = sums_of(NONCE, gmac=gmac)
    data = random.Random(1).randbytes(SIZE)
    told = sums.of(memoryview(data))
    assert len(told) == 6 * DIGEST_BYTES
    assert len({nth(told, number) for number in range(6)}) == 6
    assert nth(told, 5) == sums.of(memoryview(data)[5 * GRAIN :])
    assert nth(sums.of(memoryview(data), FINE), 16) == sums.of(memoryview(data)[GRAIN : GRAIN + FINE])
    for length in (0, 1, GRAIN, 3 * GRAIN + 5):
        assert sums.of_zeros(length) == sums.of(memoryview(bytes(length)))


def test_the_sum_is_gmac_by_another_way_of_the_library() -> None:
    data = random.Random(2).randbytes(GRAIN)
    made = Cipher(AES(wire.derive_key("compare", NONCE.encode())), GCM(bytes(12))).encryptor()
    made.authenticate_additional_data(data)
    made.finalize()
    assert sums_of(NONCE, gmac=True).of(memoryview(data)) == made.tag


@BOTH
def test_another_bit_length_place_or_conversation_is_another_sum(gmac: bool) -> None:
    sums, rng = sums_of(NONCE, gmac=gmac), random.Random(3)
    data = rng.randbytes(FINE)
    whole = {sums.of(memoryview(data))}
    for bit in range(FINE * 8):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        whole.add(sums.of(memoryview(flipped)))
    assert len(whole) == FINE * 8 + 1
    assert len({sums.of(memoryview(bytes(length))) for length in range(1, FINE)}) == FINE - 1
    assert sums.of(memoryview(data[16:] + data[:16])) not in whole
    assert sums_of("11" * 16, gmac=gmac).of(memoryview(data)) not in whole


@BOTH
def test_threads_make_the_same_sums(gmac: bool) -> None:
    sums = sums_of(NONCE, gmac=gmac)
    parts = [random.Random(seed).randbytes(GRAIN) for seed in range(64)]
    alone = [sums.of(memoryview(part), FINE) for part in parts]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(lambda part: sums.of(memoryview(part), FINE), parts * 4)) == alone * 4


class _Older(Receiver):
    """Knows blake3 alone."""

    def _take_pass(
        self,
        link: Link,
        disk: WritableDisk,
        hello: Hello,
        hello_bytes: bytes,
        pool: Pool | None,
        flags: int,
    ) -> None:
        super()._take_pass(link, disk, hello, hello_bytes, pool, flags & ~wire.FLAG_GMAC)


class _Mistaken(Receiver):
    """Agrees on one kind of sums, and tells the other."""

    class holds(Holdings):
        def __init__(self, *asked: Any) -> None:
            super().__init__(*asked)
            self._sums = sums_of("00" * 16, gmac=True)


def compared(monkeypatch: pytest.MonkeyPatch, receiver: type[Receiver]) -> PassResult:
    """Bring a disk of which a page is new to a receiver of that kind."""
    monkeypatch.setattr(model, "Receiver", receiver)
    before = random.Random(4).randbytes(SIZE)
    after = before[:GRAIN] + bytes(5) + before[GRAIN + 5 :]
    world = World(MemoryDisk(before))
    result = world.send(MemoryDisk(after), PassSpec("v", "p", SIZE), Mode.COMPARE)
    assert isinstance(result, PassResult), result
    assert bytes(world.disk.durable) == after
    return result


@pytest.mark.parametrize("receiver", [Receiver, _Older])
def test_either_receiver_is_sent_what_differs(
    monkeypatch: pytest.MonkeyPatch, receiver: type[Receiver]
) -> None:
    assert compared(monkeypatch, receiver).sent_bytes == FINE


def test_sums_of_another_kind_are_all_different(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that what agreed is known to be what was used."""
    assert compared(monkeypatch, _Mistaken).sent_bytes == SIZE


@pytest.mark.parametrize("knows", [False, True])
@pytest.mark.parametrize("mode", ["seed", "compare"])
def test_who_did_not_ask_hears_nothing_of_it(knows: bool, mode: str) -> None:
    near, far = pipe()
    target = MemoryDisk(4 * GRAIN)
    receiver = Receiver(lambda _volume: target, lambda volume: ProgressLog(MemoryLog(), volume))

    def serve() -> None:
        with pytest.raises(ChannelClosed):
            receiver.serve(far)

    thread = threading.Thread(target=serve)
    thread.start()
    hello = Hello(
        purpose="pass", volume="v", size_bytes=4 * GRAIN, nonce=NONCE, pass_id="p", mode=mode  # type: ignore[arg-type]
    )  # fmt: skip
    _link, welcome = greet(near, hello, gmac=knows)
    near.close()
    thread.join(60)
    assert welcome.gmac == (knows and mode == "compare")
    assert (b"gmac" in welcome.dump()) == welcome.gmac


def test_a_receiver_that_was_not_asked_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    class Eager(Receiver):
        def _say_welcome(self, link: Link, hello_bytes: bytes, welcome: Welcome) -> None:
            super()._say_welcome(link, hello_bytes, welcome.model_copy(update={"gmac": True}))

    monkeypatch.setattr(model, "Receiver", Eager)
    world = World(MemoryDisk(SIZE))
    refused = world.send(MemoryDisk(bytes(SIZE)), PassSpec("v", "p", SIZE), Mode.SEED)
    assert isinstance(refused, WireError)
