"""The disks of one group behind a tap, and what has to happen beside serving them.

    heat: the map is made durable by a thread ──▶ writes that waited begin
    flush: one sync of a disk answers all who asked before it began
    tend: what is acknowledged comes to rest, and becomes cold when its disk was flushed

Everything but the syncs happens on the event loop; another thread uses ``in_front``.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from migrate.tap.areas import Areas, Change, Place
from migrate.tap.counts import Counts
from migrate.tap.disk import Records, TappedDisk
from migrate.tap.mapfile import Seen, seen
from planner.names import visible

_log = logging.getLogger(__name__)
_TURN_S: Final = 0.1
Done = Callable[[OSError | None], None]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A change that waits for the map, or for zeros that are being made."""

    since_s: float
    disk: TappedDisk
    offset: int
    length: int
    begin: Done
    for_map: bool


class Tap:
    """A group's disks. Made on the event loop that serves them; ``close`` it there."""

    def __init__(self, disks: Sequence[TappedDisk], areas: Areas, records: Records) -> None:
        self.disks = tuple(disks)
        self.exports = {disk.name: disk for disk in disks}
        self.areas = areas
        self.counts = Counts()
        self._records = records
        self._loop = asyncio.get_running_loop()
        self._mapping = ThreadPoolExecutor(1, "tap-map")
        self._working = ThreadPoolExecutor(len(disks) + 3, "tap-disk")
        self._reading = ThreadPoolExecutor(4, "tap-read")
        self._waiting: list[_Waiting] = []
        self._is_mapping = self._is_cooling = self._is_stuck = False
        self._wanting: dict[int, list[Done]] = {disk.number: [] for disk in disks}
        self._flushing: set[int] = set()
        self._under_way = 0

    def when_it_may_begin(self, disk: TappedDisk, offset: int, length: int, begin: Done) -> None:
        """Call ``begin`` when a change may begin there, or with the error that keeps it from it."""
        if disk.may_begin(offset, length):
            begin(None)
            return
        for_map = not disk.is_zeroed(offset, length)
        if for_map and self._is_stuck:
            begin(OSError(errno.EIO, "what would be written could not be remembered"))
            return
        self.counts.map_waits += for_map
        self._waiting.append(_Waiting(time.monotonic(), disk, offset, length, begin, for_map))
        self._map()

    def zero(self, disk: TappedDisk, offset: int, length: int, done: Done) -> None:
        """Make zeros where a change may begin, in a thread."""
        held = disk.begin_zero(offset, length)

        def ended(error: OSError | None) -> None:
            disk.end_zero(held, offset, length, done=error is None)
            done(error)
            self._begin_waiting()

        self._in_thread(self._working, partial(disk.zero_there, offset, length), ended)

    def read(self, disk: TappedDisk, buffer: bytearray, offset: int, done: Done) -> None:
        """Fill ``buffer`` in a thread."""
        self._in_thread(self._reading, partial(disk.read_into, buffer, offset), done)

    def flush(self, disk: TappedDisk, done: Done) -> None:
        """Call ``done`` when everything is durable that was written before."""
        self._wanting[disk.number].append(done)
        if disk.number not in self._flushing:
            self._flush(disk)

    def in_front(self, call: Callable[[], T]) -> T:
        """Run ``call`` between two writes, for another thread, and return what it returns or raises."""
        called: Future[T] = Future()

        def run() -> None:
            try:
                called.set_result(call())
            except BaseException as error:  # noqa: BLE001, it is raised by who waits
                called.set_exception(error)

        self._loop.call_soon_threadsafe(run)
        return called.result()

    async def tend(self) -> None:
        """Look after areas until cancelled, and notice when requests cannot be served in time."""
        while True:
            due, busy_s = self._loop.time() + _TURN_S, self.counts.busy_s
            await asyncio.sleep(_TURN_S)
            late_s = self._loop.time() - due - (self.counts.busy_s - busy_s)
            if late_s > _TURN_S:  # something other than requests had the processor
                self.counts.waited(late_s)
            if not self._is_cooling and (places := self.areas.tend(self._records.last)):
                self._cool(places)

    async def close(self) -> None:
        """Flush the disks, leave the maps in order and close all; nobody is served any more."""
        while self._under_way or self._waiting:
            await asyncio.sleep(0.01)
        left = await self._loop.run_in_executor(self._working, self._left)
        for pool in (self._mapping, self._working, self._reading):
            pool.shutdown()
        try:
            self.areas.close(left)
        except OSError as error:
            _log.warning("a map was not left in order, all of its disk will be compared: %s", error)
        for disk in self.disks:
            disk.close()

    def _left(self) -> list[Seen] | None:
        try:
            for disk in self.disks:
                disk.flush()
            return [seen(disk.fileno()) for disk in self.disks]
        except OSError as error:
            _log.warning("a disk could not be flushed at the end: %s", error)
            return None

    def _map(self) -> None:
        """Make the map durable, unless that is under way already."""
        if self._is_mapping or (change := self.areas.change()) is None:
            return
        self._is_mapping = True
        self._in_thread(self._mapping, change.write, partial(self._mapped, change))

    def _mapped(self, change: Change, error: OSError | None) -> None:
        self._is_mapping = False
        if error is None:
            self.areas.changed(change)
        else:
            self._give_up(error)
        self._begin_waiting()

    def _give_up(self, error: OSError) -> None:
        why = f"the map of areas cannot be written: {error.strerror or error}"
        _log.warning("%s; everything is compared after the next start", visible(why, 200))
        try:
            self.areas.give_up(why)
        except OSError as again:
            _log.error("it cannot be removed either: %s", again)
            self._is_stuck = True
            waiting, self._waiting = self._waiting, []
            for one in waiting:
                one.begin(OSError(errno.EIO, why))

    def _begin_waiting(self) -> None:
        begun = time.perf_counter()
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            if not one.disk.may_begin(one.offset, one.length):
                self._waiting.append(one)
                continue
            if one.for_map:
                self.counts.waited(time.monotonic() - one.since_s)
            one.begin(None)
        self.counts.busy_s += time.perf_counter() - begun
        if any(not one.disk.is_zeroed(one.offset, one.length) for one in self._waiting):
            self._map()

    def _flush(self, disk: TappedDisk) -> None:
        batch, self._wanting[disk.number] = self._wanting[disk.number], []
        self._flushing.add(disk.number)

        def ended(error: OSError | None) -> None:
            self._flushing.discard(disk.number)
            for done in batch:
                done(error)
            if self._wanting[disk.number] and disk.number not in self._flushing:
                self._flush(disk)

        self._in_thread(self._working, disk.flush, ended)

    def _cool(self, places: list[Place]) -> None:
        self._is_cooling = True
        disks = [self.disks[number] for number in sorted({number for number, _area in places})]

        def flush() -> None:
            for disk in disks:
                disk.flush()

        def ended(error: OSError | None) -> None:
            self._is_cooling = False
            if error is None:
                self.areas.cool_down(places)
                self._map()

        self._in_thread(self._working, flush, ended)

    def _in_thread(self, pool: ThreadPoolExecutor, call: Callable[[], None], done: Done) -> None:
        """Run ``call`` in a thread and then ``done`` here, with the error it ended with."""
        self._under_way += 1

        def ended(future: asyncio.Future[None]) -> None:
            self._under_way -= 1
            error = future.exception()
            if error is not None and not isinstance(error, OSError):
                _log.error("a thread of the tap failed", exc_info=error)
                error = OSError(errno.EIO, str(error))
            done(error)

        self._loop.run_in_executor(pool, call).add_done_callback(ended)
