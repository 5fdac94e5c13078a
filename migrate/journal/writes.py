"""Writes in a frame: a table of where they belong and their digests, then their bytes, packed in pieces.

    row, row, ... | piece, piece, ... | how many pieces            the table; a piece is its end and digest

The table is read alone when an index is made. A small read takes one piece, checked by the piece's own
digest, and unpacks no more than that.
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from blake3 import blake3

from migrate.journal.frames import DIGEST_BYTES, NOTHING, Header, JournalCorrupt
from planner.units import KIB

if TYPE_CHECKING:
    from zstandard import ZstdCompressor, ZstdDecompressor

ROW: Final = struct.Struct("<IQI16s")
PIECE_BYTES: Final = 32 * KIB  # unpacked: smaller ones are read faster and pack worse
DISKS_MAX: Final = 2**31
ZERO: Final = 2**31  # in the disk's number: the run reads as zeros and brings no bytes
_PIECE: Final = struct.Struct("<I16s")
_local = threading.local()
_COUNT: Final = struct.Struct("<I")
PLACE_BYTES: Final = _PIECE.size
COUNT_BYTES: Final = _COUNT.size


class Write(NamedTuple):  # made a hundred thousand times a second, a third of what a dataclass takes
    """One write: ``data`` to ``offset`` of disk ``disk``; None writes zeros. Offsets are bytes."""

    disk: int
    offset: int
    length: int
    data: bytes | memoryview | None = None


class Row(NamedTuple):
    """A write in the table: ``at`` is where its bytes begin in the unpacked data, -1 for zeros."""

    disk: int
    offset: int
    length: int
    at: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Packed:
    """What ``pack`` made of ``count`` writes."""

    count: int
    table: bytes
    stored: bytes
    raw_bytes: int


def pack(writes: Sequence[Write], level: int) -> tuple[bytes, bytes, int]:
    """Return the table, the data as it is stored, and its bytes unpacked. ``level`` is zstd's, 0 for none."""
    table, parts, row = bytearray(), [], ROW.pack
    for disk, offset, length, data in writes:
        if data is None:
            table += row(disk | ZERO, offset, length, NOTHING)
            continue
        table += row(disk, offset, length, blake3(data).digest(DIGEST_BYTES))
        parts.append(data)
    raw = memoryview(parts[0] if len(parts) == 1 else b"".join(parts))
    stored: list[bytes | memoryview] = []
    compressor = _compressor(level) if level else None
    end = count = 0
    for start in range(0, len(raw), PIECE_BYTES):
        part = _packed(compressor, raw[start : start + PIECE_BYTES])
        end, count = end + len(part), count + 1
        table += _PIECE.pack(end, _digest(part))
        stored.append(part)
    table += _COUNT.pack(count)
    return bytes(table), b"".join(stored), len(raw)


def rows(header: Header, table: bytes) -> list[Row]:
    """Return the rows of a table that is the header's."""
    return rows_of(header.count, table)


def rows_of(count: int, table: bytes) -> list[Row]:
    """Return the first ``count`` rows of a table."""
    found, at = [], 0
    for disk, offset, length, digest in ROW.iter_unpack(memoryview(table)[: count * ROW.size]):
        zero = bool(disk & ZERO)
        found.append(Row(disk & ~ZERO, offset, length, -1 if zero else at, digest))
        at += 0 if zero else length
    return found


def pieces(table: bytes) -> bytes:
    """Return the part of a table that tells of its pieces, nothing when it does not tell of any."""
    if len(table) < _COUNT.size:
        return b""
    end = len(table) - _COUNT.size
    return table[max(end - _COUNT.unpack_from(table, end)[0] * _PIECE.size, 0) : end]


def place(told: bytes, number: int) -> tuple[int, int, bytes]:
    """Return where a piece lies in the stored data, and its digest; ``told`` is what ``pieces`` returned."""
    start = _COUNT.unpack_from(told, (number - 1) * _PIECE.size)[0] if number else 0
    end, digest = _PIECE.unpack_from(told, number * _PIECE.size)
    return start, end, digest


def is_stored(table: bytes, stored: bytes) -> bool:
    """Tell whether ``stored`` is, to the bit, what the table was made for."""
    view, start, told = memoryview(stored), 0, pieces(table)
    if len(told) % _PIECE.size:
        return False
    for end, digest in _PIECE.iter_unpack(told):
        if end > len(view) or _digest(view[start:end]) != digest:
            return False
        start = end
    return start == len(view)


def unpack(header: Header, table: bytes, stored: bytes) -> bytes:
    """Return the data of a frame unpacked; raises JournalCorrupt."""
    view, told, found, unpacker = memoryview(stored), pieces(table), [], unpacking()
    if len(told) != -(-header.raw // PIECE_BYTES) * _PIECE.size:
        raise JournalCorrupt(f"the data of record {header.first} in a journal cannot be unpacked")
    for number, raw in enumerate(range(0, header.raw, PIECE_BYTES)):
        start, end, _ = place(told, number)
        raw_bytes = min(PIECE_BYTES, header.raw - raw)
        found.append(unpack_piece(unpacker, header, view[start:end], raw_bytes))
    return b"".join(found)


def unpacking() -> ZstdDecompressor:
    """Return what unpacks pieces, for one thread; it costs as much to make as a piece to unpack."""
    import zstandard

    return zstandard.ZstdDecompressor()


def unpack_piece(
    unpacker: ZstdDecompressor, header: Header, stored: bytes | memoryview, raw_bytes: int
) -> bytes | memoryview:
    """Return ``raw_bytes`` of data out of a piece; raises JournalCorrupt."""
    if len(stored) == raw_bytes:
        return stored
    import zstandard

    try:
        if zstandard.frame_content_size(stored) == raw_bytes:
            return unpacker.decompress(stored)
    except zstandard.ZstdError:
        pass
    raise JournalCorrupt(f"the data of record {header.first} in a journal cannot be unpacked")


def cut(row: Row, data: bytes) -> bytes:
    """Return the bytes of a write out of its frame's unpacked data; raises JournalCorrupt."""
    if row.at < 0:
        return bytes(row.length)
    must_match(row, memoryview(data))
    return data[row.at : row.at + row.length]


def must_match(row: Row, data: memoryview) -> None:
    """Raise JournalCorrupt unless the bytes of a write are in its frame's unpacked data."""
    if row.at >= 0 and _digest(data[row.at : row.at + row.length]) != row.digest:
        raise JournalCorrupt("a write in a journal is not what was written")


def _compressor(level: int) -> ZstdCompressor:
    """Return this thread's: making one costs as much as packing a frame."""
    made: dict[int, ZstdCompressor] = _local.__dict__.setdefault("compressors", {})
    if level not in made:
        import zstandard

        made[level] = zstandard.ZstdCompressor(level=level)
    return made[level]


def _packed(compressor: ZstdCompressor | None, part: memoryview) -> bytes | memoryview:
    """Return a piece packed, or as it is when that would win next to nothing and cost every reader."""
    if compressor is None:
        return part
    packed = compressor.compress(part)
    return packed if len(packed) <= len(part) - len(part) // 32 - 1 else part


def _digest(data: bytes | memoryview) -> bytes:
    return bytes(blake3(data).digest(DIGEST_BYTES))
