"""Offers run ahead of what is sent, within bounds, and become rare where nothing is found."""

from __future__ import annotations

import gc
import random
import weakref
from collections import deque
from collections.abc import Iterator

import pytest

from migrate.replication.blocks import Item, Look
from migrate.replication.channel import Buffer
from migrate.replication.dedupe import offering as offerings
from migrate.replication.dedupe.offering import AHEAD, PROBE, Offering
from migrate.replication.link import Link
from migrate.replication.wire import Frame, Kind, WireError
from migrate.replication.zeros import GRAIN

BLOCK = 4 * GRAIN


class Far:
    """A receiver that answers the oldest offer when it is heard: ``held`` are the blocks it has."""

    def __init__(self, held: set[int]) -> None:
        self.held = held
        self.offered: list[int] = []
        self.waiting: deque[int] = deque()
        self.most = 0
        self.bend = lambda frame: frame
        self.offering = Offering(Link(self), self.hear)

    def send(self, parts: list[Buffer]) -> None:
        (header, body) = parts
        assert len(body) == BLOCK // GRAIN * 16
        offset = int.from_bytes(bytes(header[20:28]), "little")
        self.offered.append(offset // BLOCK)
        self.waiting.append(offset)
        self.most = max(self.most, len(self.waiting))

    def recv_into(self, buffer: memoryview) -> None:
        raise AssertionError

    def close(self) -> None: ...

    def hear(self) -> None:
        offset = self.waiting.popleft()
        wanted = b"\0" if offset // BLOCK in self.held else b"\xf7"  # one grain is held of the others
        if self.held is NOTHING:
            wanted = b"\xff"
        self.offering.heard(self.bend(Frame(Kind.WANT, 0, offset, 1, wanted)))


NOTHING: set[int] = set()


def looks(count: int, zero: int = -1) -> Iterator[Look]:
    rng = random.Random(1)
    for number in range(count):
        item = Item(number * BLOCK, BLOCK, read=number != zero)
        runs = () if number == zero else ((0, BLOCK, False, rng.randbytes(64)),)
        yield Look(item, None if number == zero else bytearray(1), runs)


def test_offers_run_ahead_within_bounds_and_answers_meet_their_blocks() -> None:
    far = Far({3, 7, 20})
    told = list(far.offering.decided(looks(30, zero=9)))
    assert [look.item.offset for look, _ in told] == [number * BLOCK for number in range(30)]
    assert far.most == AHEAD + 1
    for number, (_, held) in enumerate(told):
        whole = {number * BLOCK + at * GRAIN for at in range(4)}
        expected = set() if number == 9 else whole if number in far.held else {number * BLOCK + 3 * GRAIN}
        assert held == expected


def test_where_nothing_is_found_only_some_blocks_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offerings, "SEEN_BYTES", 32 * BLOCK)
    far = Far(NOTHING)
    list(far.offering.decided(looks(400)))
    late = [number for number in far.offered if number >= 64]
    assert len(late) == (400 - 64) // PROBE
    assert len(far.offered) < 32 + 2 * AHEAD + 400 // PROBE


def test_one_hit_of_a_probe_brings_offers_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offerings, "SEEN_BYTES", 32 * BLOCK)
    far = Far(NOTHING)
    told = far.offering.decided(looks(600))
    for _ in range(300):
        next(told)
    far.held = set(range(300, 600))
    list(told)
    after = [number for number in far.offered if number > 300 + 2 * PROBE + 2 * AHEAD]
    assert after == list(range(after[0], 600))
    assert after[0] <= 300 + 3 * PROBE + 2 * AHEAD


@pytest.mark.parametrize(("shift", "bits"), [(GRAIN, b"\xff"), (0, b"\xff\xff"), (0, b"")])
def test_an_answer_to_something_else_ends_the_pass(shift: int, bits: bytes) -> None:
    far = Far(NOTHING)
    far.bend = lambda frame: Frame(Kind.WANT, 0, frame.offset + shift, 1, bits)
    with pytest.raises(WireError, match="not made"):
        list(far.offering.decided(looks(3)))


class Hearer:
    """What a sender is to its offers."""

    def __init__(self, channel: Far) -> None:
        self.offering = Offering(Link(channel), self.hear)

    def hear(self) -> None:
        raise AssertionError


@pytest.mark.parametrize("early", [False, True])
def test_offers_that_are_over_hold_nothing(early: bool) -> None:
    """Buffers of a pass go when it is over, not when Python looks for circles some day."""
    hearer = Hearer(Far(NOTHING))
    decided = hearer.offering.decided(looks(3, zero=0) if early else ())
    if early:
        next(decided)
        decided.close()
    else:
        assert list(decided) == []
    gone = weakref.ref(hearer)
    gc.disable()
    try:
        del hearer, decided
        assert gone() is None
    finally:
        gc.enable()
