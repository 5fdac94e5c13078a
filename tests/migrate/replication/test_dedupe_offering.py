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
from migrate.replication.wire import FLAG_PROBE, PREFIX, Frame, Kind, WireError
from migrate.replication.zeros import GRAIN

BLOCK = 4 * GRAIN


class Far:
    """A receiver that answers the oldest offer when it is heard: ``held`` are the blocks it has."""

    def __init__(self, held: set[int]) -> None:
        self.held = held
        self.offered: list[int] = []
        self.waiting: deque[int] = deque()
        self.most = 0
        self.held_grains = b"\xf7"  # what is wanted of the others: one grain is held
        self.probes: set[int] = set()
        self.bend = lambda frame: frame
        self.offering = Offering(Link(self))

    def send(self, parts: list[Buffer]) -> None:
        (header, body) = parts
        assert len(body) == BLOCK // GRAIN * 16
        offset = int.from_bytes(bytes(header[20:28]), "little")
        self.offered.append(offset // BLOCK)
        self.waiting.append(offset)
        if PREFIX.unpack(bytes(header[: PREFIX.size]))[3] & FLAG_PROBE:
            self.probes.add(offset // BLOCK)
        self.most = max(self.most, len(self.waiting))

    def recv_into(self, buffer: memoryview) -> None:
        raise AssertionError

    def close(self) -> None: ...

    def hear(self) -> None:
        offset = self.waiting.popleft()
        wanted = b"\0" if offset // BLOCK in self.held else self.held_grains
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
    told = list(far.offering.decided(looks(30, zero=9), far.hear))
    assert [look.item.offset for look, _ in told] == [number * BLOCK for number in range(30)]
    assert far.most == AHEAD + 1
    for number, (_, held) in enumerate(told):
        whole = {number * BLOCK + at * GRAIN for at in range(4)}
        expected = set() if number == 9 else whole if number in far.held else {number * BLOCK + 3 * GRAIN}
        assert held == expected


def drained(far: Far, decided: Iterator[tuple[Look, frozenset[int]]]) -> Iterator[int]:
    """Go through all blocks, hearing what came whenever one is sent; yields their numbers."""
    for look, _ in decided:
        yield look.item.offset // BLOCK
        while far.waiting:
            far.hear()


def test_where_nothing_is_found_only_some_blocks_are_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offerings, "SEEN_BYTES", 32 * BLOCK)
    far = Far(NOTHING)
    assert list(drained(far, far.offering.decided(looks(400), far.hear))) == list(range(400))
    late = [number for number in far.offered if number >= 64]
    assert len(late) == (400 - 64) // PROBE
    assert len(far.offered) < 32 + 2 * AHEAD + 400 // PROBE
    assert set(late) <= far.probes


def test_nobody_waits_for_the_answer_to_a_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offerings, "SEEN_BYTES", 32 * BLOCK)
    far = Far(set(range(300, 400)))
    far.held_grains = b"\xff"
    told = list(far.offering.decided(looks(400), far.hear))  # nobody hears anything but what is waited for
    assert len(far.waiting) >= (400 - 64) // PROBE
    assert all(not held for look, held in told if look.item.offset >= 300 * BLOCK)


def test_enough_hits_of_probes_bring_offers_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offerings, "SEEN_BYTES", 32 * BLOCK)
    far = Far(NOTHING)
    for number in drained(far, far.offering.decided(looks(600), far.hear)):
        if number == 300:
            far.held = set(range(300, 600))
    after = [number for number in far.offered if number > 300 + 2 * PROBE]
    assert after == list(range(after[0], 600))
    assert far.probes.isdisjoint(after)


def test_a_hit_now_and_then_does_not_bring_offers_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offerings, "SEEN_BYTES", 256 * BLOCK)
    far = Far(NOTHING)
    for number in drained(far, far.offering.decided(looks(4000), far.hear)):
        if number == 1000:
            far.held = {1200, 1840}
            far.held_grains = b"\xff"
    assert set(far.offered[-100:]) <= far.probes


@pytest.mark.parametrize(("shift", "bits"), [(GRAIN, b"\xff"), (0, b"\xff\xff"), (0, b"")])
def test_an_answer_to_something_else_ends_the_pass(shift: int, bits: bytes) -> None:
    far = Far(NOTHING)
    far.bend = lambda frame: Frame(Kind.WANT, 0, frame.offset + shift, 1, bits)
    with pytest.raises(WireError, match="not made"):
        list(far.offering.decided(looks(3), far.hear))


class Hearer:
    """What a sender is to its offers."""

    def __init__(self, channel: Far) -> None:
        self.offering = Offering(Link(channel))

    def hear(self) -> None:
        raise AssertionError


@pytest.mark.parametrize("early", [False, True])
def test_offers_that_are_over_hold_nothing(early: bool) -> None:
    """Buffers of a pass go when it is over, not when Python looks for circles some day."""
    hearer = Hearer(Far(NOTHING))
    decided = hearer.offering.decided(looks(3, zero=0) if early else (), hearer.hear)
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
