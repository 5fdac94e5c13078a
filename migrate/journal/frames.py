"""Frames: the only thing a segment of the journal is made of.

    magic | version | kind | count | segment | first | durable | floor | sizes | group | previous | body | tag

A frame carries ``count`` records, numbered from ``first``. Its tag covers the header, and with it the
tag of the frame before and the digest of the body, so it stands in one place of one journal only.
``durable`` is the newest record that was known durable when the frame was made: a frame that lies
behind a broken one proves by it whether the broken one had been durable (rot) or not (a torn tail).
``floor`` is the state's, in each frame, so that no single broken one can hide how far replicas moved.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar, Final

from blake3 import blake3

from planner.errors import Corrupt
from planner.units import MIB

MAGIC: Final = b"WJN1"
VERSION: Final = 1
DIGEST_BYTES: Final = 16
BODY_MAX: Final = 64 * MIB
COUNT_MAX: Final = 2**16 - 1  # records of one frame
_PREFIX: Final = struct.Struct("<4sBBHIQQQIII8s16s16s")
HEADER_BYTES: Final = _PREFIX.size + DIGEST_BYTES
NOTHING: Final = bytes(DIGEST_BYTES)  # the tag before the first frame of all


class JournalCorrupt(Corrupt):
    """A journal holds what was never written there; what lies before it may still be used."""

    code: ClassVar[str] = "journal-corrupt"


class Kind(IntEnum):
    """What a frame holds."""

    OPEN = 1  # a segment begins: what was known when it did
    WRITES = 2
    MARK = 3  # a checkpoint, or what became of one
    MERGED = 4  # a segment begins that stands for older ones


@dataclass(frozen=True, slots=True)
class Header:
    """A frame's header. ``table`` and ``data`` are bytes of its body, ``raw`` those of data unpacked."""

    kind: Kind
    count: int
    first: int
    durable: int
    floor: int
    segment: int
    table: int
    data: int
    raw: int
    group: bytes
    previous: bytes
    digest: bytes
    tag: bytes

    @property
    def last(self) -> int:
        """The number of its last record."""
        return self.first + self.count - 1

    @property
    def size_bytes(self) -> int:
        """Bytes of the whole frame."""
        return HEADER_BYTES + self.table + self.data


@dataclass(frozen=True, slots=True)
class Sealer:
    """Makes and opens the frames of one group's journal; ``name`` is the group's.

    Whoever writes data does not know ``key``, so no data looks like a frame behind a broken one.
    """

    name: str
    key: bytes = b""

    @property
    def group(self) -> bytes:
        """Eight bytes that stand for the group in each frame."""
        return bytes(blake3(self.name.encode("utf-8", "surrogatepass")).digest(8))

    def seal(
        self,
        kind: Kind,
        *,
        count: int,
        first: int,
        durable: int,
        floor: int,
        segment: int,
        previous: bytes,
        table: bytes,
        data_bytes: int = 0,
        raw_bytes: int = 0,
    ) -> bytes:
        """Return the header of a frame; its body is ``table``, then data that ``table`` has digests of."""
        prefix = _PREFIX.pack(
            MAGIC, VERSION, kind, count, segment, first, durable, floor, len(table), data_bytes, raw_bytes,
            self.group, previous, blake3(table).digest(DIGEST_BYTES),
        )  # fmt: skip
        return prefix + self._tag(prefix)

    def parse(self, raw: bytes) -> Header | None:
        """Return the header in the first bytes of ``raw``, None when there is none of any journal."""
        if len(raw) < HEADER_BYTES:
            return None
        prefix, tag = raw[: _PREFIX.size], raw[_PREFIX.size : HEADER_BYTES]
        (
            magic, version, kind, count, segment, first, durable, floor, table, data, unpacked,
            group, previous, digest,
        ) = _PREFIX.unpack(prefix)  # fmt: skip
        if magic != MAGIC or self._tag(prefix) != tag or table + data > BODY_MAX:
            return None
        if version != VERSION:
            raise JournalCorrupt(
                f"a journal is of version {version}, this release reads {VERSION}", "use the newer release"
            )
        return Header(
            Kind(kind),
            count,
            first,
            durable,
            floor,
            segment,
            table,
            data,
            unpacked,
            group,
            previous,
            digest,
            tag,
        )

    def _tag(self, prefix: bytes) -> bytes:
        return bytes(blake3(prefix, key=self._tag_key()).digest(DIGEST_BYTES))

    def _tag_key(self) -> bytes:
        return bytes(blake3(self.key, derive_key_context="wherry journal 1 frame").digest())


def is_table(header: Header, table: bytes) -> bool:
    """Tell whether ``table`` is the one the header was made for."""
    return len(table) == header.table and blake3(table).digest(DIGEST_BYTES) == header.digest
