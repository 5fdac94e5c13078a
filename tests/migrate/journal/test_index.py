"""Indexes: of writes over each other the youngest counts, in one layer, and in layers fused step by step."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from migrate.journal.frames import NOTHING, Header, Kind, Sealer
from migrate.journal.fused import Fused
from migrate.journal.index import ZEROS, DiskIndex, index_of
from migrate.journal.layers import Layer
from migrate.journal.recovery import Ref
from migrate.journal.writes import Write, pack

BYTES = 64
Place = tuple[int, int]  # frame and place in its data
_SEALER = Sealer("group")


def framed(first: int, writes: Sequence[Write]) -> tuple[Header, bytes]:
    """Return header and table of a frame."""
    table, stored, raw_bytes = pack(writes, 0)
    raw = _SEALER.seal(
        Kind.WRITES, count=len(writes), first=first, durable=0, floor=0, segment=1, previous=NOTHING,
        table=table, data_bytes=len(stored), raw_bytes=raw_bytes,
    )  # fmt: skip
    header = _SEALER.parse(raw)
    assert header is not None
    return header, table


def drawn(rng: random.Random, first: int) -> list[Write]:
    """Return writes over each other, some that follow on each other, some of nothing, some of zeros."""
    writes: list[Write] = []
    for _ in range(rng.randint(1, 6)):
        offset = rng.randrange(BYTES - 4)
        if writes and rng.random() < 0.3:
            offset = min(writes[-1].offset + writes[-1].length, BYTES - 4)
        length = rng.randint(0, BYTES - offset)
        writes.append(Write(rng.randrange(2), offset, length, None if rng.random() < 0.2 else bytes(length)))
    return writes


def written(frames: Sequence[tuple[int, Sequence[Write]]]) -> dict[int, list[Place | None]]:
    """Return where each byte of each disk comes from, worked out byte by byte."""
    found: dict[int, list[Place | None]] = {0: [None] * BYTES, 1: [None] * BYTES}
    for frame, writes in frames:
        at = 0
        for write in writes:
            for byte in range(write.length):
                found[write.disk][write.offset + byte] = (frame, ZEROS if write.data is None else at + byte)
            at += 0 if write.data is None else write.length
    return found


def told(index: DiskIndex, low: int, high: int) -> list[Place | None]:
    """Return what an index says of the bytes ``low`` to ``high``."""
    found: list[Place | None] = [None] * BYTES
    upto = low
    for hit in index.find(low, high):
        assert upto <= hit.offset < hit.end <= high
        upto = hit.end
        for byte in range(hit.offset, hit.end):
            found[byte] = (hit.frame, ZEROS if hit.at == ZEROS else hit.at + byte - hit.offset)
    return found[low:high]


def test_of_writes_over_each_other_the_youngest_counts() -> None:
    rng = random.Random(2)
    for _ in range(300):
        first, frames, tables = 1, [], []
        for number in range(rng.randint(1, 5)):
            writes = drawn(rng, first)
            frames.append((number, writes))
            tables.append(framed(first, writes))
            first += len(writes)
        index = index_of(tables)
        expected = written(frames)
        assert len(index.pieces) == len(frames)
        for disk in (0, 1):
            low = rng.randrange(BYTES)
            high = rng.randint(low + 1, BYTES)
            runs = index.disks.get(disk, DiskIndex())
            assert told(runs, 0, BYTES) == expected[disk]
            assert told(runs, low, high) == expected[disk][low:high]


def test_writes_that_follow_on_each_other_are_one_run() -> None:
    writes = [Write(0, at * 4096, 4096, bytes(4096)) for at in range(50)]
    runs = index_of([framed(1, writes)]).disks[0]
    assert (list(runs.starts), list(runs.ends), list(runs.ats)) == ([0], [50 * 4096], [0])


@pytest.mark.parametrize("seed", range(40))
def test_layers_that_are_fused_say_what_they_said_apart(seed: int) -> None:
    rng = random.Random(seed)
    layers: list[Layer] = []
    everything: list[tuple[int, Sequence[Write]]] = []
    first, frames = 1, 0
    for _ in range(rng.randint(1, 7)):
        mine = [drawn(rng, first) for _ in range(rng.randint(1, 4))]
        tables = []
        for writes in mine:
            tables.append(framed(first, writes))
            first += len(writes)
        index = index_of(tables)
        refs = [Ref(1, 0, header) for header, _table in tables]
        layers.insert(0, Layer(refs, True, index, index.disks.get(0, DiskIndex())))
        everything += [(frames + at, writes) for at, writes in enumerate(mine)]
        frames += len(mine)
    expected = written(everything)[0]
    order = [ref for layer in reversed(layers) for ref in layer.frames]
    fused = Fused(0, layers)
    while not fused.is_done:
        fused.step(rng.choice([1, 2, 8]))
        upto = min(fused.upto, BYTES)
        assert [named(fused, order, place) for place in told(fused.runs, 0, upto)] == expected[:upto]


def named(fused: Fused, order: Sequence[Ref], place: Place | None) -> Place | None:
    """Return a place by the number its frame has in order of age."""
    if place is None:
        return None
    ref = fused.frames[place[0]]
    return next(at for at, one in enumerate(order) if one is ref), place[1]
