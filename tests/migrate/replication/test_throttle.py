"""The channel behind a throttle: what it sends, when it waits, and what wakes it."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence

import pytest

from migrate.replication.adapt import Binds
from migrate.replication.channel import Buffer, ChannelClosed
from migrate.replication.line import Policy, line_of
from migrate.replication.passes import Mode, PassResult, PassSpec, Progress
from migrate.replication.throttle import Throttle, ThrottledChannel
from planner.settings import Link
from tests.migrate.replication.model import KIB, MemoryDisk, World

SLOW = Policy(line_of(Link(rate_mbit=8, share=1)))
CLOSED = Policy(line_of(Link(rate_mbit=8, share=1, reserve_mbit=7.999999999999)))


class Sink:
    """A channel that keeps what it is given."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.sizes: list[int] = []
        self.closed = False
        self.moved = threading.Event()

    def send(self, parts: Sequence[Buffer]) -> None:
        before = len(self.data)
        for part in parts:
            self.data += part
        self.sizes.append(len(self.data) - before)
        self.moved.set()

    def recv_into(self, buffer: memoryview) -> None:
        buffer[:] = bytes(len(buffer))

    def close(self) -> None:
        self.closed = True


class Waiting:
    """A thread that sends; ``error`` is what came of it."""

    def __init__(self, channel: ThrottledChannel, parts: Sequence[Buffer]) -> None:
        self.error: Exception | None = None
        self.done = threading.Event()

        def send() -> None:
            try:
                channel.send(parts)
            except ChannelClosed as error:
                self.error = error
            self.done.set()

        threading.Thread(target=send, daemon=True).start()


def test_without_a_line_everything_goes_at_once() -> None:
    sink = Sink()
    parts = [b"a" * 100, memoryview(b"b" * 300_000), b""]
    Throttle().through(sink, "v").send(parts)
    assert sink.sizes == [300_100]


def test_pieces_are_small_and_the_bytes_the_same() -> None:
    sink = Sink()
    now = [1000.0]

    def clock() -> float:
        now[0] += 0.01
        return now[0]

    parts: list[Buffer] = [random.Random(n).randbytes(n * 7001) for n in (0, 1, 3, 20, 5)]
    Throttle(lambda: SLOW, clock=clock).through(sink, "v").send(parts)
    assert bytes(sink.data) == b"".join(parts)
    assert max(sink.sizes) <= 16 * KIB
    assert len(sink.data) <= (now[0] - 1000) * 1e6 + 64 * KIB


def test_close_wakes_who_waits_and_closes_the_channel() -> None:
    sink = Sink()
    channel = Throttle(lambda: CLOSED).through(sink, "v")
    waiting = Waiting(channel, [b"x" * 100_000])
    assert not waiting.done.wait(0.05)
    channel.close()
    assert waiting.done.wait(30)
    assert isinstance(waiting.error, ChannelClosed)
    assert sink.closed
    assert not sink.data


def test_who_was_stopped_leaves_on_credit() -> None:
    sink = Sink()
    stopped = threading.Event()
    throttle = Throttle(lambda: CLOSED)
    waiting = Waiting(throttle.through(sink, "v", stopped.is_set), [b"x" * 100_000])
    assert not waiting.done.wait(0.05)
    stopped.set()
    throttle.wake()
    assert waiting.done.wait(30)
    assert waiting.error is None
    assert len(sink.data) == 100_000


def test_a_change_of_policy_counts_for_those_who_wait() -> None:
    sink = Sink()
    policy = [CLOSED]
    channel = Throttle(lambda: policy[0]).through(sink, "v")
    waiting = Waiting(channel, [b"x" * 100_000])
    assert not waiting.done.wait(0.05)
    policy[0] = Policy()
    assert waiting.done.wait(30)
    assert len(sink.data) == 100_000


def test_the_weight_is_that_of_the_policy_now() -> None:
    policy = [Policy(SLOW.line, {"v": 3.0})]
    now = [0.0]
    throttle = Throttle(lambda: policy[0], clock=lambda: now[0])
    channel = throttle.through(Sink(), "v")
    flow = channel._flow
    assert flow.weight == 3.0
    policy[0] = Policy(SLOW.line, {"v": 0.5})
    now[0] = 1.0
    channel.send([b"x"])
    assert flow.weight == 0.5


@pytest.mark.parametrize("adapts", [True, False])
def test_a_pass_behind_a_throttle_says_that_the_line_binds_and_packs_more(adapts: bool) -> None:
    size = 3 * 1024 * KIB
    rng = random.Random(7)
    words = [rng.randbytes(rng.randint(2, 9)).hex().encode() for _ in range(4000)]
    content = b" ".join(rng.choices(words, k=size // 8))[:size]
    throttle = Throttle(lambda: Policy(line_of(Link(rate_mbit=10, share=1))))
    world = World(MemoryDisk(size), wrap=lambda near: throttle.through(near, "v"))
    seen: list[Progress] = []
    result = world.send(
        MemoryDisk(content),
        PassSpec("v", "p", size),
        Mode.SEED,
        level=-5,
        adapts=adapts,
        workers=2,
        progress=seen.append,
    )
    assert isinstance(result, PassResult)
    assert bytes(world.disk.durable) == content
    assert seen[-1].binds is Binds.LINK
    assert (seen[-1].level > -5) is adapts
