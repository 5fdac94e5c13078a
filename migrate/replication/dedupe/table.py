"""The table of one pool: where a grain with that digest was written last. Hints, nothing more.

    page 0: magic, buckets, key | bucket: checksum, count, oldest | tags | places        4 KiB each

Found by part of its digest, in one read; a bucket that is full loses its oldest. Memory is bounded by
what waits to be written. Nothing is ever flushed: a torn, rotten or lost bucket is an empty one, and
what a place really holds is read and hashed by whoever follows the hint.
"""

from __future__ import annotations

import logging
import os
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from blake3 import blake3

from migrate.replication.zeros import GRAIN
from planner.units import KIB

_log = logging.getLogger(__name__)

PAGE: Final = 4 * KIB
TAG: Final = 6
_PLACE: Final = struct.Struct("<IHB")  # grain number, volume number in two parts
_HEAD: Final = struct.Struct("<8sHHI")
SLOTS: Final = (PAGE - _HEAD.size) // (TAG + _PLACE.size)
_PLACES: Final = _HEAD.size + SLOTS * TAG
_FIRST: Final = struct.Struct("<8sQ32s16s")
_MAGIC: Final = b"WHRYDUP1"
_FILL: Final = 0.75
_LEAST: Final = 2**12  # buckets; 16 MiB when full
_MOST: Final = 2**23
WAITING: Final = 32_768
VOLUMES_MAX: Final = 2**24


class Place(NamedTuple):
    """Where a grain is: the number of a volume, and an offset in bytes."""

    volume: int
    offset: int


def buckets_for(data_bytes: int) -> int:
    """Return how many buckets remember that much distinct data, within the bounds of a table."""
    wanted = data_bytes / GRAIN / (SLOTS * _FILL)
    buckets = _LEAST
    while buckets < wanted and buckets < _MOST:
        buckets *= 2
    return buckets


class Table:
    """One table in a file. Thread-safe. A file that fails turns it off: nothing is found any more."""

    def __init__(
        self, path: Path, buckets: int, *, random_bytes: Callable[[int], bytes] = os.urandom
    ) -> None:
        """Open the table at ``path``, made anew when it is none; a smaller one grows. Raises OSError."""
        self._lock = threading.Lock()
        self._waiting: dict[bytes, bytes] = {}
        self._off = False
        self._fd = _opened(path)
        try:
            told = _first_of(os.pread(self._fd, _FIRST.size, 0))
            if told is None:
                os.ftruncate(self._fd, 0)
                told = buckets, random_bytes(32)
                _begin(self._fd, *told)
            self._buckets, self.key = told
            if self._buckets < buckets:
                self._grow(path, buckets)
        except BaseException:
            os.close(self._fd)
            raise

    def find(self, digest: bytes) -> Place | None:
        """Return where a grain with that digest may be."""
        tag = digest[:TAG]
        with self._lock:
            told = self._waiting.get(tag)
            if told is None and not self._off:
                try:
                    told = self._read(tag)
                except OSError as error:
                    self._fail(error)
        if told is None:
            return None
        grain, low, high = _PLACE.unpack(told)
        return Place(high << 16 | low, grain * GRAIN)

    def learn(self, digest: bytes, volume: int, offset: int) -> None:
        """Note where a grain is; ``offset`` is a multiple of a grain."""
        grain = offset // GRAIN
        if grain >= 2**32 or volume >= VOLUMES_MAX:
            return
        with self._lock:
            self._waiting[digest[:TAG]] = _PLACE.pack(grain, volume & 0xFFFF, volume >> 16)
            if len(self._waiting) >= WAITING:
                self._write()

    def close(self) -> None:
        """Write what waits, and close the file."""
        with self._lock:
            self._write()
            self._off = True
            os.close(self._fd)

    def _read(self, tag: bytes) -> bytes | None:
        number = self._number(tag)
        page = os.pread(self._fd, PAGE, (number + 1) * PAGE)
        # Most are not there at all: only one that seems to be is worth the checksum.
        return _Bucket(number, page).find(tag) if tag in page else None

    def _bucket(self, number: int) -> _Bucket:
        return _Bucket(number, os.pread(self._fd, PAGE, (number + 1) * PAGE))

    def _number(self, tag: bytes) -> int:
        return int.from_bytes(tag[:4], "little") & (self._buckets - 1)

    def _write(self) -> None:
        """Put what waits into its buckets, one write each; the lock is held."""
        waiting, self._waiting = self._waiting, {}
        if self._off:
            return
        try:
            bucket: _Bucket | None = None
            for tag in sorted(waiting, key=self._number):
                number = self._number(tag)
                if bucket is None or bucket.number != number:
                    if bucket is not None:
                        bucket.write(self._fd)
                    bucket = self._bucket(number)
                bucket.put(tag, waiting[tag])
            if bucket is not None:
                bucket.write(self._fd)
        except OSError as error:
            self._fail(error)

    def _fail(self, error: OSError) -> None:
        self._off = True
        _log.warning("the dedupe table fails: %s; more is sent than need be", error.strerror)

    def _grow(self, path: Path, buckets: int) -> None:
        """Deal the entries out over more buckets, into a file that takes the place of this one."""
        larger = path.with_name(path.name + ".new")
        larger.unlink(missing_ok=True)
        fd = _opened(larger)
        try:
            _begin(fd, buckets, self.key)
            for number in range(self._buckets):
                parts: dict[int, _Bucket] = {}
                for tag, place in self._bucket(number):
                    to = int.from_bytes(tag[:4], "little") & (buckets - 1)
                    if to not in parts:
                        parts[to] = _Bucket(to)
                    parts[to].put(tag, place)
                for part in parts.values():
                    part.write(fd)
            larger.replace(path)
        except BaseException:
            os.close(fd)
            raise
        os.close(self._fd)
        self._fd, self._buckets = fd, buckets


class _Bucket:
    """One page of entries, in the order they came; one that is no good counts as empty."""

    def __init__(self, number: int, page: bytes = b"") -> None:
        self.number = number
        self._count = self._oldest = 0
        if len(page) == PAGE:
            checksum, count, oldest, _ = _HEAD.unpack_from(page)
            if count <= SLOTS and oldest < SLOTS and count and checksum == self._checksum(page):
                self._count, self._oldest = count, oldest
        self._page = bytearray(page) if self._count else bytearray(PAGE)

    def __iter__(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield tag and place of each entry, the oldest first where the bucket is full."""
        for step in range(self._count):
            at = (self._oldest + step) % self._count
            tag = bytes(self._page[_HEAD.size + at * TAG : _HEAD.size + (at + 1) * TAG])
            yield tag, self._place(at)

    def find(self, tag: bytes) -> bytes | None:
        at = self._slot(tag)
        return None if at is None else self._place(at)

    def put(self, tag: bytes, place: bytes) -> None:
        at = self._slot(tag)
        if at is None and self._count < SLOTS:
            at, self._count = self._count, self._count + 1
        elif at is None:
            at, self._oldest = self._oldest, (self._oldest + 1) % SLOTS
        self._page[_HEAD.size + at * TAG : _HEAD.size + (at + 1) * TAG] = tag
        self._page[_PLACES + at * _PLACE.size : _PLACES + (at + 1) * _PLACE.size] = place

    def write(self, fd: int) -> None:
        _HEAD.pack_into(self._page, 0, b"", self._count, self._oldest, 0)
        self._page[:8] = self._checksum(self._page)
        os.pwrite(fd, self._page, (self.number + 1) * PAGE)

    def _slot(self, tag: bytes) -> int | None:
        end = _HEAD.size + self._count * TAG
        at = self._page.find(tag, _HEAD.size, end)
        while at >= 0 and (at - _HEAD.size) % TAG:
            at = self._page.find(tag, at + 1, end)
        return None if at < 0 else (at - _HEAD.size) // TAG

    def _place(self, at: int) -> bytes:
        return bytes(self._page[_PLACES + at * _PLACE.size : _PLACES + (at + 1) * _PLACE.size])

    def _checksum(self, page: bytes | bytearray) -> bytes:
        state = blake3(self.number.to_bytes(8, "little"))
        state.update(memoryview(page)[8:])
        return bytes(state.digest(8))


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def _begin(fd: int, buckets: int, key: bytes) -> None:
    digest = blake3(_MAGIC + buckets.to_bytes(8, "little") + key).digest(16)
    os.pwrite(fd, _FIRST.pack(_MAGIC, buckets, key, digest), 0)
    os.ftruncate(fd, (buckets + 1) * PAGE)


def _first_of(raw: bytes) -> tuple[int, bytes] | None:
    """Return buckets and key of a table, None when it is none."""
    if len(raw) != _FIRST.size:
        return None
    magic, buckets, key, digest = _FIRST.unpack(raw)
    if magic != _MAGIC or blake3(raw[:48]).digest(16) != digest:
        return None
    return (buckets, key) if 0 < buckets <= _MOST and not buckets & (buckets - 1) else None
