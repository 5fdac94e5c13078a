"""Questions of a comparison go ahead of its blocks: their order, their bound, older ends, ends that die."""

from __future__ import annotations

import errno
import random
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor

import pytest

from migrate.replication import wire
from migrate.replication.asking import AHEAD, Asking
from migrate.replication.blocks import UNKNOWN_DIGEST, Item
from migrate.replication.channel import ChannelClosed
from migrate.replication.holdings import ASK_MAX, Holdings
from migrate.replication.link import Link
from migrate.replication.messages import Hello
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.plan_pass import items, stretches
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.sender import greet
from migrate.replication.sums import sums_of
from migrate.replication.wire import DIGEST_BYTES, Frame, Kind, WireError
from migrate.replication.zeros import GRAIN
from migrate.sites.ports import Extent
from planner.errors import StepFailed
from planner.units import MIB
from tests.migrate.replication.model import KIB, MemoryDisk, MemoryLog, World, change, pipe

SIZE = 100 * MIB
NONCE = "00" * 16
SUMS = sums_of(NONCE, gmac=True)


class Sparse(MemoryDisk):
    """A disk most of which nobody has to read: one page in each 4 MiB."""

    def allocated(self) -> Iterator[tuple[int, int]]:
        yield from ((at, 4096) for at in range(0, self.size_bytes, 4 * MIB))


def content(seed: int) -> bytes:
    rng = random.Random(seed)
    made = bytearray(SIZE)
    for at in range(0, SIZE, 4 * MIB):
        made[at : at + 4096] = rng.randbytes(4096)
    return bytes(made)


def holdings(disk: MemoryDisk, hasher: Executor | None = None) -> Holdings:
    return Holdings(disk, ProgressLog(MemoryLog(), "v"), SUMS, disk.size_bytes, hasher)


def asking_link(target: MemoryDisk) -> tuple[Link, Callable[[], None]]:
    """Return a link on which a comparison was agreed, and how to end both ends of it."""
    near, far = pipe()
    receiver = Receiver(lambda _volume: target, lambda volume: ProgressLog(MemoryLog(), volume))

    def serve() -> None:
        with pytest.raises(ChannelClosed):
            receiver.serve(far)
        far.close()

    thread = threading.Thread(target=serve)
    thread.start()
    hello = Hello(
        purpose="pass", volume="v", size_bytes=target.size_bytes, nonce=NONCE, pass_id="p", mode="compare"
    )
    link, _welcome = greet(near, hello)

    def end() -> None:
        near.close()
        thread.join(60)
        assert not thread.is_alive()

    return link, end


@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("workers", [0, 2])
def test_many_stretches_are_compared_in_order(overlap: bool, workers: int) -> None:
    world = World(Sparse(content(1)), overlap=overlap)
    newer = bytearray(content(1))
    for at in (0, 12 * MIB, 16 * MIB, 20 * MIB, 64 * MIB, 96 * MIB):
        newer[at : at + 4096] = random.Random(at).randbytes(4096)
    result = world.send(
        Sparse(bytes(newer)), PassSpec("v", "p", SIZE), Mode.COMPARE, workers=workers, block_bytes=MIB
    )
    assert isinstance(result, PassResult), result
    assert bytes(world.disk.durable) == bytes(newer)
    assert result.sent_bytes == 6 * 4096
    assert result.read_bytes == SIZE


def test_a_receiver_keeps_back_what_others_follow_and_no_more() -> None:
    link, end = asking_link(Sparse(content(1)))
    try:
        for number in range(4):  # the first two answers may wait
            link.send(Kind.ASK_DIGESTS, offset=number * ASK_MAX, length=ASK_MAX, flags=wire.FLAG_MORE)
        assert [link.receive().offset for _ in range(2)] == [0, ASK_MAX]
        link.send(Kind.ASK_DIGESTS, offset=4 * ASK_MAX, length=ASK_MAX)
        assert [link.receive().offset for _ in range(3)] == [2 * ASK_MAX, 3 * ASK_MAX, 4 * ASK_MAX]
    finally:
        end()


def test_an_older_sender_gets_each_answer_at_once() -> None:
    link, end = asking_link(Sparse(content(1)))
    try:
        for offset in (0, ASK_MAX):
            link.send(Kind.ASK_DIGESTS, offset=offset, length=ASK_MAX)
            frame = link.receive(Kind.DIGESTS)
            assert (frame.offset, len(frame.body)) == (offset, ASK_MAX // GRAIN * DIGEST_BYTES)
    finally:
        end()


class Prompt:
    """An older receiver's end: it answers each question at once, whatever its flags."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.most = self._told = 0
        self._lengths: list[int] = []

    def send(self, kind: Kind, *, offset: int, length: int, flags: int) -> None:
        assert kind is Kind.ASK_DIGESTS
        self.asked.append((offset, flags))
        self.most = max(self.most, len(self.asked) - self._told)
        self._lengths.append(length)

    def answer(self) -> Frame:
        (offset, _flags), length = self.asked[self._told], self._lengths[self._told]
        self._told += 1
        return Frame(Kind.DIGESTS, 0, offset, 0, bytes(-(-length // GRAIN) * DIGEST_BYTES))


@pytest.mark.parametrize("only", [None, (Extent(40 * MIB, 4096), Extent(90 * MIB, 4096))])
def test_questions_run_ahead_so_far_and_the_last_says_that_it_is(only: tuple[Extent, ...] | None) -> None:
    far = Prompt()
    asking = Asking(far, only)  # type: ignore[arg-type]
    plan = [Item(at, MIB, read=True) for at in range(0, 200 * MIB, MIB)]
    got = list(asking.compared(plan, lambda: asking.heard(far.answer())))
    assert [item.offset for item in got] == [item.offset for item in plan]
    assert [item.offset for item in got if item.digests is not None] == [
        at for start, _flags in far.asked for at in range(start, min(start + ASK_MAX, 200 * MIB), MIB)
    ]
    flags = [flags for _offset, flags in far.asked]
    if only is None:
        assert flags == [wire.FLAG_MORE] * 12 + [0]
        assert far.most == AHEAD + 1
    else:  # each of them stands alone, and nobody asks behind it before it is answered
        assert far.asked == [(32 * MIB, 0), (80 * MIB, 0)]
        assert far.most == 1


def test_an_answer_to_something_else_is_refused() -> None:
    asking = Asking(Prompt(), None)  # type: ignore[arg-type]
    wrong = Frame(Kind.DIGESTS, 0, MIB, 0, bytes(DIGEST_BYTES * 16))
    with pytest.raises(WireError, match="not asked for"):
        list(asking.compared([Item(0, MIB, read=True)], lambda: asking.heard(wrong)))


def test_a_comparison_that_resumes_within_a_block_asks_for_no_more_than_it_may() -> None:
    plan = items(
        [Extent(0, SIZE)], mode=Mode.COMPARE, size_bytes=SIZE, held=(Extent(0, 9 * GRAIN),), fresh=False,
        block_bytes=MIB,
    )  # fmt: skip
    lengths = [sum(item.length for item in stretch) for stretch in stretches(plan)]
    assert sum(lengths) == SIZE - 9 * GRAIN
    assert max(lengths) <= ASK_MAX


def test_gaps_are_asked_for_in_large_runs_and_told_as_one() -> None:
    plan = items([Extent(0, MIB)], mode=Mode.COMPARE, size_bytes=SIZE, held=(), fresh=False, block_bytes=MIB)
    assert [item.length // MIB for item in plan] == [1, 15, 16, 16, 16, 16, 16, 4]


def test_digests_in_threads_are_those_without() -> None:
    disk = MemoryDisk(random.Random(1).randbytes(5 * MIB + 3 * KIB))
    alone = holdings(disk)
    threaded = holdings(disk, ThreadPoolExecutor(3))
    for each in (alone, threaded):
        each.ask(0, 3 * MIB)
        each.ask(3 * MIB, 2 * MIB + 3 * KIB)
    assert list(alone.told(0)) == list(threaded.told(0))
    threaded.close()


def test_what_a_failed_flush_left_equals_nothing() -> None:
    log = ProgressLog(MemoryLog(), "v")
    log.poison([Extent(GRAIN + 5, 1), Extent(MIB + GRAIN - 1, 2)])
    asked = Holdings(MemoryDisk(bytes(2 * MIB)), log, SUMS, 2 * MIB, None)
    asked.ask(0, 2 * MIB)
    [(_offset, digests)] = asked.told(0)
    told = [digests[at : at + DIGEST_BYTES] for at in range(0, len(digests), DIGEST_BYTES)]
    assert [at for at, digest in enumerate(told) if digest == UNKNOWN_DIGEST] == [1, 16, 17]
    assert len(set(told)) == 2


@pytest.mark.parametrize(("offset", "length"), [(1, GRAIN), (0, 0), (0, ASK_MAX + 1), (SIZE, GRAIN)])
def test_nobody_asks_for_what_is_not_there(offset: int, length: int) -> None:
    with pytest.raises(WireError):
        holdings(Sparse(bytes(SIZE))).ask(offset, length)


class Gated(MemoryDisk):
    """A disk whose reads wait until they may go on."""

    def __init__(self, held: bytes) -> None:
        super().__init__(held)
        self.began, self.go_on = threading.Event(), threading.Event()
        self.reads = 0

    def read_into(self, buffer: memoryview, offset: int) -> None:
        self.reads += 1
        self.began.set()
        assert self.go_on.wait(60)
        super().read_into(buffer, offset)


def test_a_peer_that_dies_is_left_when_the_disk_is_not_read_any_more() -> None:
    disk = Gated(random.Random(1).randbytes(ASK_MAX))
    asked = holdings(disk, ThreadPoolExecutor(1))
    asked.ask(0, ASK_MAX)
    assert disk.began.wait(60)
    closing = threading.Thread(target=asked.close)
    closing.start()
    closing.join(0.05)
    assert closing.is_alive()  # somebody reads
    disk.go_on.set()
    closing.join(60)
    assert not closing.is_alive()
    assert disk.reads == 1  # of sixteen: the rest is nobody's business any more


def test_a_disk_that_cannot_be_read_ends_the_pass() -> None:
    class Failing(Sparse):
        def read_into(self, buffer: memoryview, offset: int) -> None:
            if offset >= 40 * MIB:
                raise OSError(errno.EIO, "injected")
            super().read_into(buffer, offset)

    world = World(Failing(content(1)), overlap=True)
    newer, _areas = change(random.Random(2), content(1))
    result = world.send(Sparse(newer), PassSpec("v", "p", SIZE), Mode.COMPARE)
    assert isinstance(result, StepFailed)
