"""Frames of writes: they come as they were sent, and nothing else goes into a journal."""

from __future__ import annotations

import random
import struct
from functools import cache
from typing import Any

import pytest
import zstandard
from blake3 import blake3
from hypothesis import given, settings
from hypothesis import strategies as st

from migrate.journal.frames import Kind as FrameKind
from migrate.journal.frames import Sealer
from migrate.journal.writes import ROW, Packed, Write, cut, pack, rows_of, unpack
from migrate.replication import wire
from migrate.replication.link import Link
from migrate.replication.wire import Frame, Kind, WireError
from migrate.replication.written import RAW_MAX, ROWS_MAX, covered, frames_of, opened
from planner.units import GIB, KIB, MIB

SIZES = {3: 64 * MIB, 8: 5 * GIB}
PREFIX = struct.Struct("<IIIQ")


def arrived(bodies: list[tuple[int, bytes]]) -> list[tuple[int, int, int, bytes | None]]:
    """Return (disk, offset, length, data) of frames as they are opened; each has to follow the one before."""
    found: list[tuple[int, int, int, bytes | None]] = []
    at = bodies and opened(_frame(*bodies[0]), SIZES).after
    for reached, body in bodies:
        assert len(body) <= wire.BLOCK_MAX
        written = opened(_frame(reached, body), SIZES)
        assert written.after == at
        at = written.upto
        packed = written.packed
        raw = unpacked(packed)
        for row in rows_of(packed.count, packed.table):
            found.append((row.disk, row.offset, row.length, cut(row, raw) if row.at >= 0 else None))
    return found


def unpacked(packed: Packed) -> bytes:
    """Return the data of a frame, as a journal unpacks it."""
    sealer = Sealer("g")
    raw = sealer.seal(
        FrameKind.WRITES, count=packed.count, first=1, durable=0, floor=0, segment=1, previous=bytes(16),
        table=packed.table, data_bytes=len(packed.stored), raw_bytes=packed.raw_bytes,
    )  # fmt: skip
    header = sealer.parse(raw)
    assert header is not None
    return unpack(header, packed.table, packed.stored)


def _frame(reached: int, body: bytes) -> Frame:
    return Frame(Kind.WRITES, 0, reached, len(body), memoryview(body))


write = st.builds(
    lambda disk, offset, length, kind: Write(
        disk, offset, length, None if kind is None else bytes([kind]) * length if kind else _noise(length)
    ),
    st.integers(0, 1),
    st.integers(0, 1000),
    st.sampled_from([1, 511, 4096, 70_000, RAW_MAX, RAW_MAX + 1, 3 * RAW_MAX + 5]),
    st.one_of(st.none(), st.integers(0, 3)),
)


def _noise(length: int) -> bytes:
    return random.Random(length).randbytes(length)


@settings(max_examples=60, deadline=None)
@given(st.lists(write, max_size=12), st.integers(0, 2**40), st.sampled_from([0, 1]))
def test_writes_arrive_as_they_were_made(writes: list[Write], after: int, level: int) -> None:
    bodies = list(frames_of(writes, after, (3, 8), level))
    assert [reached for reached, _body in bodies][-1:] == ([after + len(writes)] if writes else [])
    pieces = arrived(bodies)
    for one in writes:
        data = b""
        at = one.offset
        while at < one.offset + one.length:
            disk, offset, length, part = pieces.pop(0)
            assert (disk, offset) == ((3, 8)[one.disk], at)
            assert (part is None) is (one.data is None)
            data += part or b""
            at += length
        assert at == one.offset + one.length
        assert one.data is None or data == one.data
    assert pieces == []


def test_zeros_larger_than_a_number_can_tell_come_in_pieces() -> None:
    bodies = list(frames_of([Write(1, 0, 5 * GIB)], 9, (3, 8), 1))
    assert [reached for reached, _body in bodies] == [10]
    assert sum(length for _disk, _offset, length, _data in arrived(bodies)) == 5 * GIB


def test_many_small_writes_need_several_frames() -> None:
    bodies = list(frames_of([Write(0, n, 1, b"x") for n in range(ROWS_MAX * 2 + 1)], 0, (3, 8), 1))
    assert [reached for reached, _body in bodies] == [ROWS_MAX, 2 * ROWS_MAX, 2 * ROWS_MAX + 1]


def body(writes: list[Write], *, after: int = 0, raw: int | None = None, count: int | None = None) -> bytes:
    table, stored, raw_bytes = pack(writes, 1)
    prefix = PREFIX.pack(count or len(writes), len(table), raw_bytes if raw is None else raw, after)
    return prefix + table + stored


@cache
def lies() -> dict[str, tuple[int, bytes]]:
    """Return frames (number reached, body) that are not what they say."""
    good = [Write(3, 0, 4096, b"x" * 4096), Write(8, 4096, 512)]
    swapped = bytearray(body(good))
    swapped[PREFIX.size + 16] ^= 1  # the digest of a row
    torn = bytearray(body(good))
    torn[-1] ^= 1
    bomb = zstandard.ZstdCompressor(level=3).compress(bytes(64 * MIB))

    def packed(*parts: bytes, back: int = 0) -> bytes:
        """Return a frame whose data is in these pieces."""
        table, end = ROW.pack(3, 0, 4096, blake3(b"".join(parts)).digest(16)), 0
        for part in parts:
            end += len(part)
            table += struct.pack("<I16s", end - back, blake3(part).digest(16))
        table += struct.pack("<I", len(parts))
        return PREFIX.pack(1, len(table), 4096, 0) + table + b"".join(parts)

    def longer(frame: bytes) -> bytes:
        count, table, raw, after = PREFIX.unpack_from(frame)
        rest = frame[PREFIX.size :]
        return (
            PREFIX.pack(count, table + 20, raw, after)
            + rest[: 2 * ROW.size]
            + bytes(20)
            + rest[2 * ROW.size :]
        )

    return {
        "nothing": (1, b""),
        "no writes": (0, PREFIX.pack(0, 4, 0, 0) + bytes(4)),
        "a table longer than the frame": (2, body(good, count=5000)),
        "more writes than there may be": (1, PREFIX.pack(ROWS_MAX + 1, 150_000, 0, 0) + bytes(200 * KIB)),
        "all the memory there is": (2, body(good, raw=2**32 - 1)),
        "more bytes than came": (2, body(good, raw=4097)),
        "fewer bytes than came": (2, body(good, raw=4095)),
        "an unknown disk": (1, body([Write(4, 0, 1, b"x")])),
        "the end of the disk": (1, body([Write(3, 64 * MIB - 1, 2, b"xx")])),
        "far behind the disk": (1, body([Write(3, 2**63, 2, b"xx")])),
        "no bytes": (1, body([Write(3, 0, 0, b"")])),
        "zeros behind the disk": (1, body([Write(3, 64 * MIB, 1)])),
        "numbers that go back": (2, body(good, after=3)),
        "more numbers than writes": (3, body(good)),
        "a row of another digest": (2, bytes(swapped)),
        "broken data": (2, bytes(torn)),
        "a table of nothing": (2, PREFIX.pack(2, 0, 0, 0) + body(good)[PREFIX.size :]),
        "a table with a tail": (2, longer(body(good))),
        "a bomb": (1, packed(bomb[: 4096 - 1])),
        "two pieces": (1, packed(b"x" * 2048, b"x" * 2048)),
        "a piece that goes back": (1, packed(b"x" * 4096, back=5)),
        "no piece": (1, packed()),
    }


@pytest.mark.parametrize("lie", list(lies()))
def test_a_lie_is_refused(lie: str) -> None:
    with pytest.raises(WireError):
        opened(_frame(*lies()[lie]), SIZES)


def test_what_was_changed_on_its_way_or_by_a_sender_is_never_taken_for_something_else() -> None:
    rng = random.Random(8)
    writes = [
        Write(rng.randint(0, 1), rng.randrange(1000) * 4096, 4096, rng.randbytes(40) * 103) for _ in range(9)
    ]
    writes = [Write(one.disk, one.offset, 4096, (one.data or b"")[:4096]) for one in writes]
    [(reached, good)] = list(frames_of([*writes, Write(0, 0, 8192)], 5, (3, 8), 1))
    meant = arrived([(reached, good)])
    refused = 0
    for _ in range(3000):
        bad = bytearray(good)
        for _ in range(rng.choice((1, 1, 2, 9))):
            bad[rng.randrange(len(bad) if rng.random() < 0.5 else 400)] ^= 1 << rng.randrange(8)
        try:
            found: Any = arrived([(reached, bytes(bad))])
        except WireError:
            refused += 1
            continue
        # Where a run belongs is the sender's word, which the frame's tag vouches for; its bytes are checked.
        assert [data for *_place, data in found if data] == [data for *_place, data in meant if data]
    assert refused > 2000


class Line:
    """A channel that keeps what is sent, to be heard."""

    def __init__(self) -> None:
        self.kept = b""

    def send(self, parts: Any) -> None:
        self.kept += b"".join(map(bytes, parts))

    def recv_into(self, buffer: memoryview) -> None:
        buffer[:], self.kept = self.kept[: len(buffer)], self.kept[len(buffer) :]


def _heard(sent: bytes, is_agreed: bool = True) -> int:
    """Return how many writes arrive in a frame with tags over tables; raises WireError."""
    line: Any = Line()
    line.kept = sent
    link = Link(line)
    link.covered = covered if is_agreed else None
    return opened(link.receive(Kind.WRITES), SIZES).packed.count


@pytest.mark.parametrize("level", [0, 1])
def test_with_tags_over_tables_no_bit_of_a_frame_can_be_another(level: int) -> None:
    writes = [Write(0, 4096, 700, b"ab" * 350), Write(1, 0, 900, _noise(900)), Write(0, 0, 4096)]
    [(reached, body)] = list(frames_of(writes, 5, (3, 8), level))
    line: Any = Line()
    link = Link(line)
    link.covered = covered
    link.send(Kind.WRITES, body, offset=reached)
    sent = line.kept
    assert _heard(sent) == 3
    with pytest.raises(WireError, match="digest"):
        _heard(sent, is_agreed=False)
    for bit in range(len(sent) * 8):
        bad = bytearray(sent)
        bad[bit // 8] ^= 1 << bit % 8
        with pytest.raises(WireError):
            _heard(bytes(bad))


def test_a_table_that_goes_beyond_its_frame_is_covered_as_far_as_it_is_there() -> None:
    with pytest.raises(WireError, match="too short"):
        covered(bytes(PREFIX.size - 1))
    assert len(covered(PREFIX.pack(1, 2**32 - 1, 0, 0) + b"abc")) == PREFIX.size + 3
