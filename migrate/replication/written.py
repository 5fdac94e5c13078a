"""WRITES frames: many writes of a tap at once, packed as the journal stores them.

    header: up to which number │ writes, table, bytes unpacked, number before │ table │ data

A write larger than a frame comes in pieces; the number is reached with the last one. What is opened was
checked to the last byte: it goes into a journal as it is.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from migrate.journal.frames import JournalCorrupt
from migrate.journal.writes import (
    COUNT_BYTES,
    PIECE_BYTES,
    PLACE_BYTES,
    ROW,
    Packed,
    Row,
    Write,
    is_stored,
    must_match,
    pack,
    pieces,
    place,
    rows_of,
)
from migrate.replication.channel import Buffer
from migrate.replication.wire import Frame, WireError, inflate
from planner.units import GIB, KIB

RAW_MAX: Final = 256 * KIB  # as in the journal: what a small read of an image has to unpack
ROWS_MAX: Final = 4096
_ZEROS_MAX: Final = GIB
_PREFIX: Final = struct.Struct("<IIIQ")


@dataclass(frozen=True, slots=True)
class Written:
    """What a frame brings: writes behind number ``after`` up to ``upto``, the last perhaps in part."""

    after: int
    upto: int
    packed: Packed


@dataclass(frozen=True, slots=True)
class _Part:
    writes: list[Write]
    before: int
    reached: int


def frames_of(
    writes: Sequence[Write], after: int, numbers: Sequence[int], level: int, executor: Executor | None = None
) -> Iterator[tuple[int, bytes]]:
    """Return (number reached, body) of the frames of writes numbered from ``after`` + 1 on.

    ``numbers`` are those of the disks in the journal. ``level`` is zstd's, 0 for none. An ``executor``
    packs several at once, and begins at once.
    """

    def packed(part: _Part) -> tuple[int, bytes]:
        return part.reached, _body(part.writes, part.before, level)

    parts = list(_parts(writes, after, numbers))
    return executor.map(packed, parts) if executor is not None and len(parts) > 1 else map(packed, parts)


def _parts(writes: Sequence[Write], after: int, numbers: Sequence[int]) -> Iterator[_Part]:
    """Cut writes into what goes into one frame each."""
    batch: list[Write] = []
    weight, reached, before = 0, after, after
    for number, write in enumerate(writes, after + 1):
        disk, _offset, length, data = write
        is_one = length <= RAW_MAX and disk == numbers[disk]
        for piece in (write,) if is_one else _pieces(write, numbers[disk]):
            more = 0 if data is None else piece.length
            if batch and (weight + more > RAW_MAX or len(batch) == ROWS_MAX):
                yield _Part(batch, before, reached)
                batch, weight, before = [], 0, reached
            batch.append(piece)
            weight += more
        reached = number
    if batch:
        yield _Part(batch, before, reached)


def packed_in(body: bytes) -> Packed:
    """Return what a body that was made here has for a journal, unchecked."""
    count, table_bytes, raw_bytes, _after = _PREFIX.unpack_from(body)
    data_at = _PREFIX.size + table_bytes
    return Packed(count, body[_PREFIX.size : data_at], body[data_at:], raw_bytes)


def covered(body: Buffer) -> memoryview:
    """Return the part of a body that has digests of all the rest; raises WireError where it is too short.

    Whoever checked that part, and then opened the frame, has checked every bit of it.
    """
    view = memoryview(body)
    if len(view) < _PREFIX.size:
        raise WireError("a frame of writes is too short")
    return view[: _PREFIX.size + _PREFIX.unpack_from(view)[1]]


def opened(frame: Frame, sizes: Mapping[int, int]) -> Written:
    """Return what a frame brings; raises WireError. ``sizes`` are bytes of the disks by their number."""
    body = memoryview(frame.body)
    if len(body) < _PREFIX.size:
        raise WireError("a frame of writes is too short")
    count, table_bytes, raw_bytes, after = _PREFIX.unpack_from(body)
    data_at = _PREFIX.size + table_bytes
    if not 0 < count <= ROWS_MAX or raw_bytes > RAW_MAX or not count * ROW.size < table_bytes <= len(body):
        raise WireError(f"a frame announces {count} writes of {raw_bytes} bytes")
    if not after <= frame.offset <= after + count:
        raise WireError(f"a frame of {count} writes goes from number {after} to {frame.offset}")
    table, stored = bytes(body[_PREFIX.size : data_at]), bytes(body[data_at:])
    found = rows_of(count, table)
    _must_fit(found, sizes, raw_bytes)
    data = memoryview(_unpacked(table, count * ROW.size, stored, raw_bytes))
    try:
        for row in found:
            must_match(row, data)
    except JournalCorrupt as error:
        raise WireError("a write in a frame does not match its digest") from error
    return Written(after, frame.offset, Packed(count, table, stored, raw_bytes))


def _unpacked(table: bytes, rows_bytes: int, stored: bytes, raw_bytes: int) -> bytes:
    """Return the data; behind its rows a table has nothing but what is of pieces."""
    parts = pieces(table)
    count = -(-raw_bytes // PIECE_BYTES)
    alone = len(parts) == len(table) - rows_bytes - COUNT_BYTES
    if not alone or len(stored) > raw_bytes or not is_stored(table, stored):
        raise WireError("the data of a frame of writes is not what its table is of")
    if len(parts) != count * PLACE_BYTES:
        raise WireError(f"a frame of {raw_bytes} bytes has not {count} pieces")
    found: list[bytes | memoryview] = []
    for number, at in enumerate(range(0, raw_bytes, PIECE_BYTES)):
        start, end, _digest = place(parts, number)
        part, length = memoryview(stored)[start:end], min(PIECE_BYTES, raw_bytes - at)
        found.append(part if len(part) == length else inflate(part, length))
    return b"".join(found)


def _must_fit(found: Sequence[Row], sizes: Mapping[int, int], raw_bytes: int) -> None:
    brought = 0
    for row in found:
        size = sizes.get(row.disk)
        if size is None:
            raise WireError(f"a write is for disk {row.disk}, which is not of this stream")
        if not row.length or row.offset + row.length > size:
            raise WireError(f"a write of {row.length} bytes at {row.offset} lies outside disk {row.disk}")
        brought += row.length if row.at >= 0 else 0
    if brought != raw_bytes:
        raise WireError(f"writes of {brought} bytes arrive as {raw_bytes}")


def _pieces(write: Write, disk: int) -> Iterator[Write]:
    step = _ZEROS_MAX if write.data is None else RAW_MAX
    if write.length <= step:
        yield write if write.disk == disk else Write(disk, write.offset, write.length, write.data)
        return
    data = None if write.data is None else memoryview(write.data)
    for at in range(0, write.length, step):
        length = min(step, write.length - at)
        yield Write(disk, write.offset + at, length, None if data is None else data[at : at + length])


def _body(batch: Sequence[Write], before: int, level: int) -> bytes:
    table, stored, raw_bytes = pack(batch, level)
    return b"".join((_PREFIX.pack(len(batch), len(table), raw_bytes, before), table, stored))
