"""Writes in a frame: a table of where they belong and their digests, then their bytes, packed as one.

The table is read alone when an index is made; a write that is read later is checked by its own digest.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from blake3 import blake3

from migrate.journal.frames import DIGEST_BYTES, NOTHING, Header, JournalCorrupt

ROW: Final = struct.Struct("<IQI16s")
DISKS_MAX: Final = 2**31
_ZERO: Final = 2**31  # in the disk's number: the run reads as zeros and brings no bytes


@dataclass(frozen=True, slots=True)
class Write:
    """One write: ``data`` to ``offset`` of disk ``disk``; None writes zeros. Offsets are bytes."""

    disk: int
    offset: int
    length: int
    data: bytes | memoryview | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A write in the table: ``at`` is where its bytes begin in the unpacked data, -1 for zeros."""

    disk: int
    offset: int
    length: int
    at: int
    digest: bytes


def pack(writes: Sequence[Write], level: int) -> tuple[bytes, bytes, int]:
    """Return the table, the data as it is stored, and its bytes unpacked. ``level`` is zstd's, 0 for none."""
    table, parts = bytearray(), []
    for write in writes:
        if write.data is None:
            table += ROW.pack(write.disk | _ZERO, write.offset, write.length, NOTHING)
            continue
        table += ROW.pack(write.disk, write.offset, write.length, _digest(write.data))
        parts.append(write.data)
    raw = b"".join(parts)
    stored = _packed(raw, level) if level and raw else raw
    table += _digest(stored)
    return bytes(table), stored, len(raw)


def rows(header: Header, table: bytes) -> list[Row]:
    """Return the rows of a table that is the header's."""
    found, at = [], 0
    for disk, offset, length, digest in ROW.iter_unpack(memoryview(table)[: header.count * ROW.size]):
        zero = bool(disk & _ZERO)
        found.append(Row(disk & ~_ZERO, offset, length, -1 if zero else at, digest))
        at += 0 if zero else length
    return found


def is_stored(table: bytes, stored: bytes) -> bool:
    """Tell whether ``stored`` is, to the bit, what the table was made for."""
    return table[-DIGEST_BYTES:] == _digest(stored)


def unpack(header: Header, stored: bytes) -> bytes:
    """Return the data of a frame unpacked; raises JournalCorrupt."""
    if header.raw == header.data:
        return stored
    import zstandard

    try:
        if zstandard.get_frame_parameters(stored).content_size == header.raw:
            return zstandard.ZstdDecompressor().decompress(stored, max_output_size=header.raw)
    except zstandard.ZstdError:
        pass
    raise JournalCorrupt(f"the data of record {header.first} in a journal cannot be unpacked")


def cut(row: Row, data: bytes) -> bytes:
    """Return the bytes of a write out of its frame's unpacked data; raises JournalCorrupt."""
    if row.at < 0:
        return bytes(row.length)
    found = data[row.at : row.at + row.length]
    if _digest(found) != row.digest:
        raise JournalCorrupt("a write in a journal is not what was written")
    return found


def _packed(raw: bytes, level: int) -> bytes:
    import zstandard

    packed = zstandard.ZstdCompressor(level=level).compress(raw)
    return packed if len(packed) < len(raw) else raw


def _digest(data: bytes | memoryview) -> bytes:
    return bytes(blake3(data).digest(DIGEST_BYTES))
