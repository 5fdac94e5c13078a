"""Turn a run of a source disk into what has to travel: read, find zeros, compare, hash, pack.

This is the part of a pass that costs processor time; it runs in several threads and shares nothing
but the disk and a pool of buffers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from blake3 import blake3

from migrate.disks.ports import ReadableDisk
from migrate.replication.wire import BLOCK_MAX, DIGEST_BYTES, FLAG_ZSTD, WINDOW_MAX, Kind, body_digest
from migrate.replication.zeros import GRAIN, ZERO_MIB, zero_runs

if TYPE_CHECKING:
    from zstandard import ZstdCompressor

_PROBE_BYTES = 4096
UNKNOWN_DIGEST = bytes(DIGEST_BYTES)


@dataclass(frozen=True, slots=True)
class Item:
    """A run of the plan: read it, or (``read`` False) declare it as ``gap``.

    ``digests`` are the receiver's for each grain of the run, when it is being compared. The run does
    not cross a multiple of the block size then, and starts on a grain.
    """

    offset: int
    length: int
    read: bool
    gap: Kind = Kind.KEEP
    digests: bytes | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A frame to be: a run of data, zeros, or what may stay. ``digest`` is its body's."""

    kind: Kind
    offset: int
    length: int
    body: bytes | memoryview = b""
    flags: int = 0
    digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """The pieces of one item in order; give ``buffer`` back when they are sent.

    ``read_s`` and ``pack_s`` are what reading and the rest took, for whoever asks what binds.
    """

    item: Item
    pieces: tuple[Piece, ...]
    buffer: bytearray | None
    read_s: float = 0.0
    pack_s: float = 0.0


def block_digest(data: bytes | bytearray | memoryview, key: bytes) -> bytes:
    """Return the digest by which both sides compare a grain, keyed so that it fits one conversation only."""
    return bytes(blake3(data, key=key).digest(DIGEST_BYTES))


@lru_cache(maxsize=16)
def zero_digest(length: int, key: bytes) -> bytes:
    """Return the ``block_digest`` of that many zeros, at most 1 MiB."""
    return block_digest(memoryview(ZERO_MIB)[:length], key)


class BlockReader:
    """Makes blocks of items. ``read`` may be called from several threads at once.

    ``zeros`` is what becomes of a run of zeros that was read: ZERO, or KEEP where the target is
    known to hold zeros already. ``level`` is zstd's, 0 sends raw bytes; it may be changed at any time
    and holds for the blocks that begin after that.
    """

    def __init__(
        self, disk: ReadableDisk, *, level: int, zeros: Kind, key: bytes, clock: Callable[[], float]
    ) -> None:
        self._disk = disk
        self.level = level
        self._clock = clock
        self._zeros = zeros
        self._key = key
        self._pool: SimpleQueue[bytearray] = SimpleQueue()
        self._local = threading.local()

    def read(self, item: Item) -> Block:
        """Return the block of an item; raises OSError."""
        if not item.read:
            if item.digests is None:
                return Block(item, (Piece(item.gap, item.offset, item.length),), None)
            return Block(item, tuple(self._gap_against(item, item.digests)), None)
        try:
            buffer = self._pool.get_nowait()
        except Empty:
            buffer = bytearray(BLOCK_MAX)
        view = memoryview(buffer)[: item.length]
        begun = self._clock()
        self._disk.read_into(view, item.offset)
        read = self._clock()
        pieces = tuple(self._pieces(item, buffer, view, self.level))
        return Block(item, pieces, buffer, read - begun, self._clock() - read)

    def give_back(self, block: Block) -> None:
        """Return a block's buffer to the pool; its pieces are void after that."""
        if block.buffer is not None:
            self._pool.put(block.buffer)

    def _pieces(self, item: Item, buffer: bytearray, view: memoryview, level: int) -> Iterator[Piece]:
        for start, end, zero in zero_runs(buffer, item.length):
            if item.digests is None:
                yield self._piece(item.offset + start, view[start:end], zero, level)
                continue
            for low, high, differs in _differing(view, start, end, item.digests, self._key, zero):
                if differs:
                    yield self._piece(item.offset + low, view[low:high], zero, level)
                else:
                    yield Piece(Kind.KEEP, item.offset + low, high - low)

    def _gap_against(self, item: Item, digests: bytes) -> Iterator[Piece]:
        zeros = memoryview(ZERO_MIB)[: item.length]
        for low, high, differs in _differing(zeros, 0, item.length, digests, self._key, True):
            yield Piece(Kind.ZERO if differs else Kind.KEEP, item.offset + low, high - low)

    def _piece(self, offset: int, data: memoryview, zero: bool, level: int) -> Piece:
        if zero:
            return Piece(self._zeros, offset, len(data))
        packed = self._packed(data, level) if level else None
        digest = body_digest(data, packed)
        if packed is not None:
            return Piece(Kind.DATA, offset, len(data), packed, FLAG_ZSTD, digest)
        return Piece(Kind.DATA, offset, len(data), data, 0, digest)

    def _packed(self, data: memoryview, level: int) -> bytes | None:
        """Return the data compressed, None when that saves too little to be worth unpacking."""
        packer = self._packer(level)
        if len(data) > 4 * _PROBE_BYTES and not any(
            len(packer.compress(data[at : at + _PROBE_BYTES])) < _PROBE_BYTES * 0.95
            for at in (0, len(data) // 2, len(data) - _PROBE_BYTES)
        ):
            return None
        packed = packer.compress(data)
        return packed if len(packed) < len(data) * 0.97 else None

    def _packer(self, level: int) -> ZstdCompressor:
        """Return the thread's packer; one is kept, for those of high levels are large."""
        kept: tuple[int, ZstdCompressor] | None = getattr(self._local, "packer", None)
        if kept is None or kept[0] != level:
            import zstandard

            shape = zstandard.ZstdCompressionParameters.from_level(level, source_size=BLOCK_MAX)
            assert 1 << shape.window_log <= WINDOW_MAX
            kept = level, zstandard.ZstdCompressor(compression_params=shape)
            self._local.packer = kept
        return kept[1]


def _differing(
    view: memoryview, start: int, end: int, digests: bytes, key: bytes, zero: bool
) -> Iterator[tuple[int, int, bool]]:
    """Yield (low, high, differs) runs of grains in ``view[start:end]`` against the peer's digests."""
    low, kind = start, False
    for at in range(start, end, GRAIN):
        high = min(at + GRAIN, end)
        index = at // GRAIN * DIGEST_BYTES
        mine = zero_digest(high - at, key) if zero else block_digest(view[at:high], key)
        differs = digests[index : index + DIGEST_BYTES] != mine
        if at == start:
            kind = differs
        elif differs != kind:
            yield low, at, kind
            low, kind = at, differs
    if end > start:
        yield low, end, kind
