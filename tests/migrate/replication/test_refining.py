"""The second question of a comparison: what of a grain that differs is there already."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from migrate.disks.ports import WritableDisk
from migrate.replication import refining, wire
from migrate.replication.blocks import UNKNOWN_DIGEST, Block, Compared, Item
from migrate.replication.channel import Buffer, Channel, ChannelClosed
from migrate.replication.dedupe.pools import Pool
from migrate.replication.extents import whole_grains
from migrate.replication.holdings import Holdings
from migrate.replication.link import Link
from migrate.replication.messages import Hello, Welcome
from migrate.replication.passes import Mode, PassResult, PassSpec
from migrate.replication.progress import ProgressLog
from migrate.replication.receiver import Receiver
from migrate.replication.refining import Refining
from migrate.replication.sender import greet
from migrate.replication.sums import sums_of
from migrate.replication.wire import DIGEST_BYTES, FINE, Frame, Kind, WireError
from migrate.replication.zeros import GRAIN
from migrate.sites.ports import Extent
from planner.units import MIB
from tests.migrate.replication import model
from tests.migrate.replication.model import KIB, MemoryDisk, MemoryLog, World, pipe

SIZE = 3 * MIB + 5 * GRAIN + 9 * 512
NONCE = "00" * 16
SUMS = sums_of(NONCE, gmac=True)
PAGES = (0, 5, 6, 17 * 16 + 3, 40 * 16 + 15, SIZE // FINE)  # that differ; the last has but a few bytes


def contents() -> tuple[bytes, bytes]:
    """Return a disk as it was and as it is, some of its pages different."""
    before = random.Random(1).randbytes(SIZE)
    after = bytearray(before)
    for page in PAGES:
        at = page * FINE
        after[at : at + FINE] = random.Random(page).randbytes(min(FINE, SIZE - at))
    return before, bytes(after)


class Counting:
    """A sender's channel that counts the kinds of frames that leave."""

    def __init__(self, inner: Channel, kinds: list[Kind]) -> None:
        self._kinds = kinds
        self._inner = inner
        self.recv_into, self.close = inner.recv_into, inner.close

    def send(self, parts: Sequence[Buffer]) -> None:
        self._kinds += [wire.parse_header(part).kind for part in parts if bytes(part[:4]) == wire.MAGIC]
        self._inner.send(parts)


def compared(world: World, after: bytes, **options: Any) -> tuple[PassResult, list[Kind]]:
    kinds: list[Kind] = []
    world.wrap = lambda near: Counting(near, kinds)
    spec = PassSpec("v", "p", SIZE)
    result = world.send(MemoryDisk(after), spec, Mode.COMPARE, block_bytes=MIB, **options)
    assert isinstance(result, PassResult), result
    assert bytes(world.disk.durable) == after
    return result, kinds


@pytest.mark.parametrize("overlap", [False, True])
@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("level", [0, 1])
def test_no_more_than_the_pages_that_differ_is_sent(overlap: bool, workers: int, level: int) -> None:
    before, after = contents()
    result, kinds = compared(World(MemoryDisk(before), overlap=overlap), after, workers=workers, level=level)
    assert result.sent_bytes == 5 * FINE + SIZE % FINE
    assert kinds.count(Kind.ASK_FINE) == 1  # four blocks in one question
    assert kinds.count(Kind.DATA) == len(PAGES) - 1  # two lie side by side


def test_zeros_are_not_asked_about() -> None:
    before, _after = contents()
    result, kinds = compared(World(MemoryDisk(before)), bytes(SIZE))
    assert (result.sent_bytes, kinds.count(Kind.ASK_FINE)) == (0, 0)


class _Older(Receiver):
    """Knows of no second question."""

    def _take_pass(
        self,
        link: Link,
        disk: WritableDisk,
        hello: Hello,
        hello_bytes: bytes,
        pool: Pool | None,
        flags: int,
    ) -> None:
        super()._take_pass(link, disk, hello, hello_bytes, pool, flags & ~wire.FLAG_FINE)


def test_an_older_receiver_gets_whole_grains(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "Receiver", _Older)
    before, after = contents()
    result, kinds = compared(World(MemoryDisk(before)), after)
    assert Kind.ASK_FINE not in kinds
    assert result.sent_bytes == 3 * GRAIN + SIZE % GRAIN


def test_an_older_sender_hears_nothing_of_it() -> None:
    near, far = pipe()
    target = MemoryDisk(4 * GRAIN)
    receiver = Receiver(lambda _volume: target, lambda volume: ProgressLog(MemoryLog(), volume))

    def serve() -> None:
        with pytest.raises(ChannelClosed):
            receiver.serve(far)

    thread = threading.Thread(target=serve)
    thread.start()
    hello = Hello(purpose="pass", volume="v", size_bytes=4 * GRAIN, nonce=NONCE, pass_id="p", mode="compare")
    _link, welcome = greet(near, hello)
    near.close()
    thread.join(60)
    assert not welcome.fine
    assert b"fine" not in welcome.dump()
    assert Welcome(nonce=NONCE, fine=True).dump().count(b'"fine"') == 1


def test_a_pass_that_broke_within_a_grain_goes_on_at_the_grain() -> None:
    """What was acknowledged ends between two pages; nobody may ask about a part of a grain."""
    before, after = contents()
    whole = World(MemoryDisk(before), ack_bytes=FINE)
    compared(whole, after)
    within = 0
    for cut_at in range(4, whole.sends):
        world = World(MemoryDisk(before), ack_bytes=FINE)
        world.send(MemoryDisk(after), PassSpec("v", "p", SIZE), Mode.COMPARE, block_bytes=MIB, cut_at=cut_at)
        current = ProgressLog(world.log, "v").state.current
        within += current is not None and any(run.end % GRAIN for run in current.held)
        compared(world, after)
    assert within > 3


def test_held_parts_of_grains_do_not_count() -> None:
    size = 4 * GRAIN + 512
    assert list(whole_grains([Extent(0, GRAIN + FINE), Extent(2 * GRAIN - FINE, FINE)], size)) == [
        Extent(0, GRAIN)
    ]
    assert list(whole_grains([Extent(GRAIN // 2, size - GRAIN // 2)], size)) == [Extent(GRAIN, size - GRAIN)]
    assert list(whole_grains([Extent(1, GRAIN)], size)) == []


def holdings(log: ProgressLog | None = None) -> Holdings:
    disk = MemoryDisk(random.Random(1).randbytes(4 * GRAIN + 5 * FINE + 1))
    return Holdings(disk, log or ProgressLog(MemoryLog(), "v"), SUMS, disk.size_bytes, None)


def test_answers_are_of_the_grains_that_were_asked_about() -> None:
    disk = random.Random(1).randbytes(4 * GRAIN + 5 * FINE + 1)
    told = holdings().finely(GRAIN, bytes([0b1001]))
    assert told == b"".join(SUMS.of(memoryview(disk)[at : at + GRAIN], FINE) for at in (GRAIN, 4 * GRAIN))
    assert len(told) == (16 + 6) * DIGEST_BYTES


@pytest.mark.parametrize(
    ("offset", "bits"), [(1, b"\1"), (0, b""), (0, b"\0"), (0, b"\2"), (5 * GRAIN, b"\1"), (4 * GRAIN, b"\3")]
)
def test_nobody_asks_finely_for_what_is_not_there(offset: int, bits: bytes) -> None:
    with pytest.raises(WireError):
        holdings().finely(offset, bits)


def test_what_a_failed_flush_left_equals_nothing_in_4_kib_either() -> None:
    log = ProgressLog(MemoryLog(), "v")
    log.poison([Extent(GRAIN + FINE - 1, 2), Extent(4 * GRAIN + 5 * FINE, 1)])
    told = holdings(log).finely(GRAIN, bytes([0b1001]))
    parts = [told[at : at + DIGEST_BYTES] for at in range(0, len(told), DIGEST_BYTES)]
    assert [at for at, part in enumerate(parts) if part == UNKNOWN_DIGEST] == [0, 1, 16 + 5]


class Far:
    """A receiver's end that remembers questions, and answers the oldest with digests of nothing."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, bytes]] = []
        self.told = 0

    def answer(self) -> Frame:
        offset, bits = self.asked[self.told]
        self.told += 1
        return Frame(Kind.FINE, 0, offset, 0, bytes(256 * int.from_bytes(bits, "little").bit_count()))

    def send(self, kind: Kind, body: bytes, *, offset: int) -> None:
        assert kind is Kind.ASK_FINE
        self.asked.append((offset, body))


def doubtful(number: int) -> Compared:
    at = number * MIB
    return Compared(Item(at, MIB, True), bytearray(1), ((0, GRAIN, False, True),), (at,))


def test_what_nobody_asked_is_refused() -> None:
    asking = Refining(Far(), MIB)  # type: ignore[arg-type]
    with pytest.raises(WireError, match="not asked"):
        asking.heard(Frame(Kind.FINE, 0, 0, 0, b""))
    for offset, body in ((GRAIN, bytes(256)), (0, bytes(240)), (0, bytes(272))):
        wrong = Frame(Kind.FINE, 0, offset, 0, body)
        with pytest.raises(WireError, match="not asked"):
            list(asking.decided([doubtful(0)], lambda wrong=wrong: asking.heard(wrong)))  # type: ignore[misc]


def test_few_blocks_are_kept_and_few_questions_asked() -> None:
    far = Far()
    asking = Refining(far, 1000 * MIB)  # type: ignore[arg-type]
    given = 0

    def blocks() -> Any:
        nonlocal given
        for given in range(1, 401):
            # every second one up to 200, hardly any behind that
            number = given - 1
            if number % 2 and (number < 200 or number % 50 == 1):
                yield doubtful(number)
            else:
                yield Compared(Item(number * MIB, MIB, True), None, ((0, MIB, False, False),))

    most = 0
    for count, (block, theirs) in enumerate(asking.decided(blocks(), lambda: asking.heard(far.answer()))):
        most = max(most, given - count)
        assert block.item.offset == count * MIB
        assert len(theirs) == (256 if block.doubtful else 0)
    assert far.told == len(far.asked) == 100 // refining.BATCH + 4  # those far apart are asked about alone
    assert most <= 66


def test_where_nothing_is_spared_one_block_of_many_is_asked_about() -> None:
    far = Far()
    asking = Refining(far, 1000 * MIB)  # type: ignore[arg-type]

    def run(spared: int) -> int:
        asked = 0
        for block, theirs in asking.decided(map(doubtful, range(64)), lambda: asking.heard(far.answer())):
            looked = MIB if theirs else 0
            asked += bool(theirs)
            asking.saw(Block(block.item, (), None, 0, 0, looked, spared if theirs else 0))
        return asked

    assert run(spared=0) < 40
    assert run(spared=0) == 4
    assert run(spared=MIB // 2) > 10


def test_a_receiver_that_compares_nothing_is_not_asked() -> None:
    world = World(MemoryDisk(GRAIN))
    kinds: list[Kind] = []
    world.wrap = lambda near: Counting(near, kinds)
    result = world.send(MemoryDisk(bytes(KIB) * 64), PassSpec("v", "p", GRAIN), Mode.SEED)
    assert isinstance(result, PassResult)
    assert Kind.ASK_FINE not in kinds
