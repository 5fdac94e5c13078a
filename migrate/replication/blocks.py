"""Turn a run of a source disk into what has to travel: read, find zeros, compare, hash, pack.

This is the part of a pass that costs processor time; it runs in several threads and shares nothing
but the disk and a pool of buffers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from migrate.disks.ports import ReadableDisk
from migrate.replication import buffers
from migrate.replication.buffers import BUFFER_BYTES, Buffer
from migrate.replication.packers import OURS
from migrate.replication.sums import Sums
from migrate.replication.wire import (
    BLOCK_MAX,
    DIGEST_BYTES,
    FINE,
    FLAG_ZSTD,
    Kind,
    body_digest,
    grain_digests,
)
from migrate.replication.zeros import GRAIN, zero_runs

_PROBE_BYTES = 4096
_MEMORY_S = 0.0005  # for a block; a fast disk takes twice as long
_OF_LATE = 8  # reads
assert BUFFER_BYTES == BLOCK_MAX
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

    ``read_s`` and ``pack_s`` are what reading and the rest took, for whoever asks what binds. Of
    ``refined_bytes`` that were asked about a second time ``spared_bytes`` need not be sent.
    """

    item: Item
    pieces: tuple[Piece, ...]
    buffer: Buffer | None
    read_s: float = 0.0
    pack_s: float = 0.0
    refined_bytes: int = 0
    spared_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Compared:
    """An item held against the receiver's digests, not packed yet; runs are (start, end, zero, differs).

    ``doubtful`` are the offsets, on the disk, of grains that differ and are no zeros. ``buffer`` is None
    where there are none.
    """

    item: Item
    buffer: Buffer | None
    runs: tuple[tuple[int, int, bool, bool], ...]
    doubtful: tuple[int, ...] = ()
    read_s: float = 0.0
    look_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Look:
    """An item that was read and hashed, not packed yet; ``runs`` are (start, end, zero, digests)."""

    item: Item
    buffer: Buffer | None
    runs: tuple[tuple[int, int, bool, bytes], ...] = ()
    read_s: float = 0.0
    look_s: float = 0.0


class BlockReader:
    """Makes blocks of items. ``read`` may be called from several threads at once.

    ``zeros`` is what becomes of a run of zeros that was read: ZERO, or KEEP where the target is
    known to hold zeros already. ``spare()`` buffers at most wait for use. ``level`` is
    zstd's, 0 sends raw bytes; it may be changed at any time and holds for the blocks that begin after that.
    """

    def __init__(
        self,
        disk: ReadableDisk,
        *,
        level: int,
        zeros: Kind,
        sums: Sums,
        clock: Callable[[], float],
        spare: Callable[[], int] = lambda: 16,
    ) -> None:
        self._disk = disk
        self.level = level
        self._clock = clock
        self._zeros = zeros
        self._sums = sums
        self._spare = spare
        self._read_s = 2 * _MEMORY_S  # what a read of a comparison took of late
        self._pool: list[Buffer] = []  # the last one first: it may still be in the processor's cache

    @property
    def is_quick(self) -> bool:
        """Whether reads come from memory of late: they leave nothing to be done beside them."""
        return self._read_s < _MEMORY_S

    def read(self, item: Item) -> Block:
        """Return the block of an item; raises OSError."""
        if item.digests is not None:
            return self.settle(self.compare(item))
        if not item.read:
            return _gap(item)
        buffer = self._buffer()
        view = buffer.view[: item.length]
        begun = self._clock()
        self._disk.read_into(view, item.offset)
        read = self._clock()
        pieces = tuple(
            self._piece(item.offset + start, view[start:end], zero)
            for start, end, zero in zero_runs(buffer, item.length)
        )
        return Block(item, pieces, buffer, read - begun, self._clock() - read)

    def compare(self, item: Item) -> Compared:
        """Hold an item against the receiver's digests of it; ``settle`` makes the block. Raises OSError.

        One of which nobody asked, because a repair leaves it alone, stays a gap.
        """
        if item.digests is None:
            return Compared(item, None, ())
        if not item.read:
            mine = self._sums.of_zeros(item.length)
            gaps = _differing(0, item.length, mine, item.digests)
            return Compared(item, None, tuple((low, high, True, differs) for low, high, differs in gaps))
        buffer = self._buffer()
        view = buffer.view[: item.length]
        begun = self._clock()
        self._disk.read_into(view, item.offset)
        read = self._clock()
        self._read_s += (read - begun - self._read_s) / _OF_LATE
        runs: list[tuple[int, int, bool, bool]] = []
        for start, end, zero in zero_runs(buffer, item.length):
            mine = self._sums.of_zeros(end - start) if zero else self._sums.of(view[start:end])
            for low, high, differs in _differing(start, end, mine, item.digests):
                runs.append((low, high, zero, differs))
        doubtful = tuple(
            item.offset + at
            for start, end, zero, differs in runs
            if differs and not zero
            for at in range(start, end, GRAIN)
        )
        if not doubtful:
            self._put(buffer)
        kept = buffer if doubtful else None
        return Compared(item, kept, tuple(runs), doubtful, read - begun, self._clock() - read)

    def settle(self, compared: Compared, theirs: bytes = b"") -> Block:
        """Return the block of a comparison; ``theirs`` are the receiver's digests of the doubtful grains.

        They are of 4 KiB each; without them these grains are sent whole.
        """
        item, buffer = compared.item, compared.buffer
        if item.digests is None:
            return _gap(item)
        begun = self._clock()
        view = memoryview(b"") if buffer is None else buffer.view
        pieces: list[Piece] = []
        at = spared = 0
        for start, end, zero, differs in compared.runs:
            if not differs:
                _keep(pieces, item.offset + start, end - start)
            elif zero:
                pieces.append(Piece(Kind.ZERO, item.offset + start, end - start))
            elif not theirs:
                pieces.append(self._data(item.offset + start, view[start:end], self.level))
            else:
                mine = self._sums.of(view[start:end], FINE)
                for low, high, new in _runs(start, end, mine, theirs[at : at + len(mine)], FINE):
                    if new:
                        pieces.append(self._data(item.offset + low, view[low:high], self.level))
                    else:
                        spared += high - low
                        _keep(pieces, item.offset + low, high - low)
                at += len(mine)
        pack_s = compared.look_s + self._clock() - begun
        refined = sum(end - start for start, end, zero, differs in compared.runs if differs and not zero)
        return Block(item, tuple(pieces), buffer, compared.read_s, pack_s, refined if theirs else 0, spared)

    def look(self, item: Item, key: bytes) -> Look:
        """Read an item and hash its grains with ``key``; ``pack`` makes the block of it. Raises OSError."""
        if not item.read:
            return Look(item, None)
        buffer = self._buffer()
        view = buffer.view[: item.length]
        begun = self._clock()
        self._disk.read_into(view, item.offset)
        read = self._clock()
        runs = tuple(
            (start, end, zero, b"" if zero else grain_digests(view[start:end], key))
            for start, end, zero in zero_runs(buffer, item.length)
        )
        return Look(item, buffer, runs, read - begun, self._clock() - read)

    def pack(self, look: Look, held: frozenset[int]) -> Block:
        """Return the block of a look; grains that start at ``held`` offsets of the disk are not sent."""
        item, buffer = look.item, look.buffer
        if buffer is None:
            return _gap(item)
        view = buffer.view
        begun = self._clock()
        pieces: list[Piece] = []
        for start, end, zero, digests in look.runs:
            if zero:
                pieces.append(Piece(self._zeros, item.offset + start, end - start))
                continue
            for low, high, there in _parted(item.offset, start, end, held):
                at = item.offset + low
                if there:
                    pieces.append(Piece(Kind.HELD, at, high - low))
                    continue
                first, last = (low - start) // GRAIN, -(-(high - start) // GRAIN)
                grains = digests[first * DIGEST_BYTES : last * DIGEST_BYTES]
                pieces.append(self._data(at, view[low:high], self.level, grains))
        return Block(item, tuple(pieces), buffer, look.read_s, look.look_s + self._clock() - begun)

    def give_back(self, block: Block) -> None:
        """Return a block's buffer to the pool; its pieces are void after that."""
        if block.buffer is not None:
            self._put(block.buffer)

    def _put(self, buffer: Buffer) -> None:
        if len(self._pool) < self._spare():
            self._pool.append(buffer)

    def _buffer(self) -> Buffer:
        try:
            return self._pool.pop()
        except IndexError:
            return buffers.lend()

    def _piece(self, offset: int, data: memoryview, zero: bool) -> Piece:
        if zero:
            return Piece(self._zeros, offset, len(data))
        return self._data(offset, data, self.level)

    def _data(self, offset: int, data: memoryview, level: int, grains: bytes = b"") -> Piece:
        packed = _packed(data, level) if level else None
        digest = body_digest(grains or data, packed)
        if packed is not None:
            return Piece(Kind.DATA, offset, len(data), packed, FLAG_ZSTD, digest)
        return Piece(Kind.DATA, offset, len(data), data, 0, digest)


def _packed(data: memoryview, level: int) -> bytes | None:
    """Return the data compressed, None when that saves too little to be worth unpacking."""
    with OURS.lent(level) as packer:
        if len(data) > 4 * _PROBE_BYTES and not any(
            len(packer.compress(data[at : at + _PROBE_BYTES])) < _PROBE_BYTES * 0.95
            for at in (0, len(data) // 2, len(data) - _PROBE_BYTES)
        ):
            return None
        packed = packer.compress(data)
    return packed if len(packed) < len(data) * 0.97 else None


def _keep(pieces: list[Piece], offset: int, length: int) -> None:
    """Add a run that stays, to the one before it where that ends there."""
    last = pieces[-1] if pieces else None
    if last is not None and last.kind is Kind.KEEP and last.offset + last.length == offset:
        pieces[-1] = Piece(Kind.KEEP, last.offset, last.length + length)
    else:
        pieces.append(Piece(Kind.KEEP, offset, length))


def _gap(item: Item) -> Block:
    return Block(item, (Piece(item.gap, item.offset, item.length),), None)


def _parted(offset: int, start: int, end: int, held: frozenset[int]) -> Iterator[tuple[int, int, bool]]:
    """Yield (low, high, held) runs of the grains in ``start`` to ``end`` of a block at ``offset``."""
    low = start
    while low < end:
        there = offset + low in held
        high = min(low + GRAIN, end)
        while high < end and (offset + high in held) is there:
            high = min(high + GRAIN, end)
        yield low, high, there
        low = high


def _differing(start: int, end: int, mine: bytes, theirs: bytes) -> Iterator[tuple[int, int, bool]]:
    """Yield (low, high, differs) runs of the grains in ``start`` to ``end`` of a block.

    ``mine`` are the digests of the run, ``theirs`` those of the whole block.
    """
    first = start // GRAIN * DIGEST_BYTES
    return _runs(start, end, mine, theirs[first : first + len(mine)], GRAIN)


def _runs(start: int, end: int, mine: bytes, theirs: bytes, grain: int) -> Iterator[tuple[int, int, bool]]:
    if mine == theirs:  # the usual case
        yield start, end, False
        return
    low, kind = start, False
    for index, at in enumerate(range(start, end, grain)):
        digest = slice(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES)
        differs = mine[digest] != theirs[digest]
        if at == start:
            kind = differs
        elif differs != kind:
            yield low, at, kind
            low, kind = at, differs
    yield low, end, kind
