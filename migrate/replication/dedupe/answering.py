"""The receiver's part of dedupe: what is offered is looked up, read, hashed, and written to its new place.

A hint is followed, never believed: only bytes that were read and have the offered digest are written.
They count as covered when the sender says HELD in its turn, so that acknowledgements stay exact.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from blake3 import blake3

from migrate.disks.extent import Extent
from migrate.disks.ports import ReadableDisk
from migrate.replication.dedupe.pools import Pool
from migrate.replication.dedupe.table import Place
from migrate.replication.sink import Sink
from migrate.replication.wire import DIGEST_BYTES, OFFER_GRAINS, WireError
from migrate.replication.zeros import GRAIN
from planner.errors import WherryError
from planner.names import visible

_log = logging.getLogger(__name__)

SETTLED_MAX: Final = 2048  # grains written and not said HELD of yet, 128 MiB
_OPEN_MAX: Final = 8


class Answering:
    """The offers of one pass, answered. Used by the thread of its conversation; ``close`` it."""

    def __init__(self, pool: Pool, volume: str, size_bytes: int, disk: ReadableDisk) -> None:
        self._pool = pool
        self._volume = volume
        self._size = size_bytes
        self._disk = disk
        self._number = pool.volumes.number(volume)
        self._settled: dict[int, int] = {}  # offset to length
        self._open: OrderedDict[str, ReadableDisk | None] = OrderedDict()
        self._buffer = memoryview(bytearray(GRAIN))

    def settle(self, offset: int, digests: bytes, sink: Sink | None) -> bytes:
        """Write what is held of an offered run, and return the bits of the grains that are wanted.

        Without a ``sink`` nothing is written: the run comes whole. Raises WireError for an offer that
        makes no sense, and what the sink raises.
        """
        grains, rest = divmod(len(digests), DIGEST_BYTES)
        end = min(offset + grains * GRAIN, self._size)
        if (
            rest
            or not grains
            or grains > OFFER_GRAINS
            or offset % GRAIN
            or offset + (grains - 1) * GRAIN >= end
        ):
            raise WireError("a peer offers a run that is none")
        wanted = bytearray(-(-grains // 8))
        for index in range(grains):
            at = offset + index * GRAIN
            data = self._buffer[: min(GRAIN, end - at)]
            if not self._found(digests[index * DIGEST_BYTES : (index + 1) * DIGEST_BYTES], data, at):
                wanted[index // 8] |= 1 << index % 8
            elif sink is not None:
                self._settled[at] = len(data)  # before: a write that fails may have done a part
                sink.write(at, data)
        if len(self._settled) > SETTLED_MAX:
            raise WireError("a peer offers far more than it goes on with")
        return bytes(wanted)

    def take(self, offset: int, length: int) -> None:
        """Count a run as covered that was settled; raises WireError when any of it was not."""
        at, end = offset, offset + length
        while at < end:
            step = self._settled.pop(at, 0)
            if not step or at + step > end:
                raise WireError("a peer leaves out what is not here")
            at += step

    def settled(self) -> Iterator[Extent]:
        """Yield what was written and does not count as covered yet."""
        for offset, length in self._settled.items():
            yield Extent(offset, length)

    def learn(self, offset: int, grains: bytes) -> None:
        """Note what was written at ``offset``: the digests of a block that came and was verified."""
        if self._number is None or offset % GRAIN:
            return
        for at in range(0, len(grains), DIGEST_BYTES):
            self._pool.table.learn(grains[at : at + DIGEST_BYTES], self._number, offset)
            offset += GRAIN

    def close(self) -> None:
        """Close the disks that were read."""
        for disk in self._open.values():
            if disk is not None:
                disk.close()
        self._open.clear()

    def _found(self, digest: bytes, data: memoryview, at: int) -> bool:
        """Fill ``data`` with what has that digest; False when nothing of that kind is here."""
        place = self._pool.table.find(digest)
        if place is None or (place.volume == self._number and place.offset == at):
            return False  # a pass that begins anew writes all of it again
        try:
            disk = self._source(place)
            if disk is None or place.offset + len(data) > disk.size_bytes:
                return False
            disk.read_into(data, place.offset)
        except (OSError, WherryError) as error:
            _log.info("a disk is not read for dedupe: %s", visible(str(error), 200))
            return False
        return self._is(data, digest)

    def _is(self, data: memoryview, digest: bytes) -> bool:
        return bytes(blake3(data, key=self._pool.table.key).digest(DIGEST_BYTES)) == digest

    def _source(self, place: Place) -> ReadableDisk | None:
        """Return the disk a place is on, None when it cannot be had in this conversation."""
        name = self._pool.volumes.name(place.volume)
        if name == self._volume:
            return self._disk
        if name not in self._open:
            self._open[name] = None  # tried once, whatever comes of it
            if name:
                self._open[name] = self._pool.open_read(name)
            if len(self._open) > _OPEN_MAX:
                _, oldest = self._open.popitem(last=False)
                if oldest is not None:
                    oldest.close()
        self._open.move_to_end(name)
        return self._open[name]
