"""The writes of one group in one order: what guests wrote, areas copied again, and checkpoints.

    add ──┐
    put ──┼─▶ one order ─▶ batch ─▶ the line ─▶ done      mapped: nothing is kept, the areas know
    mark ─┘

``add`` never waits and never raises. When memory is used up all that is kept is let go; then an era
begins anew and what is hot is copied through the same order. Only behind that is a place in it an instant.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from enum import StrEnum
from operator import itemgetter
from typing import ClassVar, Final

from migrate.replication.channel import Buffer
from migrate.tap.chunks import NOWHERE, ROW, Batch, Chunk, Judged, Point, Run
from migrate.tap.slabs import Slabs
from planner.errors import BadInput, Blocked, StepFailed
from planner.units import MIB, show_bytes

ROOM: Final = ROW.size  # what an item takes beside its data
LEAST: Final = 4 * MIB  # of memory
_CHUNK: Final = MIB
_row: Final = ROW.pack
_length: Final = itemgetter(1)


class Mapped(StepFailed):
    """Nothing is kept any more; only the areas know what was written."""

    code: ClassVar[str] = "mapped"
    retryable: ClassVar[bool] = True


class Mode(StrEnum):
    """What becomes of a write."""

    MAPPED = "mapped"  # its area is remembered
    CATCHING_UP = "catching up"  # it is kept, and what was only mapped is copied
    STREAMING = "streaming"  # it is kept, and each place in the order is an instant


class Recorder:
    """The order of one group's writes, in at most ``limit_bytes`` of memory. Thread-safe.

    ``add`` and ``put`` are for the thread that serves the guests, ``begin`` and ``finish`` too; the rest for
    the one that streams. ``cool`` is told up to which number the target durably has what this era brought.
    """

    def __init__(
        self,
        limit_bytes: int,
        cool: Callable[[int], object] = lambda _upto: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if limit_bytes < LEAST:
            raise BadInput(
                f"a buffer of {show_bytes(limit_bytes)} is too small", f"give it {show_bytes(LEAST)} or more"
            )
        self._limit = limit_bytes
        self.slabs = Slabs(limit_bytes)
        self._memory = self.slabs.view
        self._cool = cool
        self._clock = clock
        self._lock = threading.Lock()
        self._more = threading.Condition(self._lock)
        self._wanted = 0  # bytes somebody waits for, 0 when nobody does
        self._open = Chunk(0, self.slabs)
        self._queue: deque[Chunk] = deque()  # and the open one
        self._flight: deque[Chunk] = deque()  # sent, not known to be durable
        self._points: dict[int, Point | Judged] = {}
        self._held = self._unsent = 0  # bytes
        self._last = self._sent = self._whole = 0
        self._mode = Mode.MAPPED
        self._lost_at: float | None = None  # since when the target lacks what is not kept
        self._known = False  # whether the target ever had everything since we live
        self.why = "nobody streams yet"
        self.overflows = self.dropped = 0

    @property
    def mode(self) -> Mode:
        """What becomes of a write now."""
        return self._mode

    @property
    def last(self) -> int:
        """The number of the newest item."""
        return self._last

    @property
    def sent(self) -> int:
        """The number of the newest item that a batch had."""
        return self._sent

    @property
    def held_bytes(self) -> int:
        """Memory that is taken."""
        return self._held

    @property
    def limit_bytes(self) -> int:
        """Memory that may be taken."""
        return self._limit

    @property
    def was_whole(self) -> bool:
        """Whether the target ever had everything since we live: what it lacks now is known to the grain."""
        return self._known

    def age_s(self) -> float | None:
        """Return how old the oldest write is that is not durable at the target; None when nobody knows."""
        with self._lock:
            if not self._known:
                return None
            oldest = self._oldest()
            return 0.0 if oldest is None else max(self._clock() - oldest, 0.0)

    def add(self, disk: int, offset: int, data: Buffer | None, length: int) -> int:
        """Take a copy of a write that has reached its disk and return its number; None writes zeros."""
        return self.add_all(disk, None if data is None else memoryview(data), [(offset, length, 0)])

    def add_all(self, disk: int, view: memoryview | None, runs: Sequence[Run]) -> int:
        """Take copies of writes, the bytes of each where it says in ``view``; as ``add`` does."""
        with self._lock:
            self._last += len(runs)
            if self._mode is Mode.MAPPED:
                self._lose(len(runs))
            elif not self._keep(disk, view, runs):
                self._overflow()
                self._lose(len(runs))
            elif 0 < self._wanted <= self._unsent:
                self._more.notify_all()
            return self._last

    def mark(self, point: Point) -> int:
        """Put a checkpoint of all that was added so far into the order; raises Blocked when none can be."""
        with self._lock:
            if self._mode is not Mode.STREAMING:
                raise Blocked(
                    f"the group is not at one instant at its target: {self.why or self._mode.value}",
                    "wait until it streams",
                )
            return self._mark(point)

    def judge(self, judged: Judged) -> int:
        """Put into the order what a checkpoint is worth; raises Blocked when nobody would hear it."""
        with self._lock:
            if self._mode is not Mode.STREAMING:
                raise Blocked(
                    f"nobody can be told what the checkpoint is worth: {self.why or self._mode.value}",
                    "make another one when it streams; this one counts as worth a crash",
                )
            return self._mark(judged)

    def begin(self) -> int:
        """Begin an era: what is written from now on is kept. Return the number before its first.

        What is hot when this has returned has to be ``put`` here, then comes ``finish``.
        """
        with self._lock:
            self._let_go("it catches up")
            for chunk in self._flight:  # whoever streams has no use for them any more
                chunk.give_back()
            self._flight.clear()
            self._held = 0
            self._open = Chunk(self._last, self.slabs)
            if self._lost_at is None:
                self._lost_at = self._clock()
            self._mode, self._sent, self._whole = Mode.CATCHING_UP, self._last, 0
            return self._last

    def put(self, disk: int, offset: int, length: int, data: Buffer | None) -> int:
        """Put what a run of a disk holds into the order; from the thread that adds, raises Mapped.

        Nothing of it may have been written since it was read: what was stands in the order already.
        """
        with self._lock:
            self._must_keep()
            self._last += 1
            if not self._keep(disk, None if data is None else memoryview(data), [(offset, length, 0)]):
                self._overflow()
            self._must_keep()
            return self._last

    def here(self) -> int:
        """Return the number of the newest item, behind which a batch ends; raises Mapped."""
        with self._lock:
            self._must_keep()
            if self._open.rows:
                self._open_another(self._last)
            if self._queue:
                self._queue[-1].is_last = True
            return self._last

    def finish(self, point: Point) -> int:
        """Say that everything hot was copied: the order is whole from here on. Raises Mapped."""
        with self._lock:
            self._must_keep()
            self._mode, self.why = Mode.STREAMING, ""
            self._whole = self._mark(point)
            return self._whole

    def has_room(self, length: int) -> bool:
        """Tell whether so much may be copied: half of the memory is the guests'."""
        return self._held + length + ROOM <= self._limit // 2

    def batch(self, limit_bytes: int, wait_s: float) -> Batch:
        """Return what comes next, some ``limit_bytes`` of it or up to a checkpoint; raises Mapped.

        Waits up to ``wait_s`` for so much to come together; returns what there is then, if anything.
        """
        with self._lock:
            deadline = time.monotonic() + wait_s
            while self._mode is not Mode.MAPPED and self._unsent < limit_bytes and not self._is_marked():
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self._wanted = limit_bytes
                self._more.wait(left)
                self._wanted = 0
            self._must_keep()
            after, taken = self._sent, 0
            rows: list[memoryview] = []
            point: Point | Judged | None = None
            is_last = False
            while self._sent < self._last and taken < limit_bytes and point is None and not is_last:
                if not self._queue:
                    self._open_another(self._last)
                chunk = self._queue.popleft()
                self._flight.append(chunk)
                self._sent, point, is_last = chunk.upto, chunk.point, chunk.is_last
                rows.append(memoryview(chunk.rows)[chunk.done * ROW.size :])
                taken += chunk.weight
            self._unsent -= taken
            data_bytes = taken - ROOM * (self._sent - after)
            return Batch(after, self._sent, b"".join(rows), self._memory, data_bytes, point)

    def done(self, upto: int) -> None:
        """Know that everything up to that number is durable at the target."""
        with self._lock:
            while self._flight and self._flight[0].upto <= upto:
                chunk = self._flight.popleft()
                chunk.give_back()
                self._held -= chunk.weight
            if self._flight:
                self._flight[0].done = max(upto - self._flight[0].after, self._flight[0].done)
            whole = self._mode is Mode.STREAMING and 0 < self._whole <= upto
            if whole:
                self._lost_at, self._known = None, True
            said = [
                number for number, word in self._points.items() if number <= upto and isinstance(word, Judged)
            ]
            judged = [self._points.pop(number) for number in said]
        for word in judged:
            if isinstance(word, Judged) and not word.made.done():
                word.made.set_result(word.record)
        self._cool(upto)

    def made(self, number: int, record: int) -> None:
        """Know under which number the target offers a checkpoint."""
        with self._lock:
            point = self._points.pop(number, None)
        if point is not None and not point.made.done():
            point.made.set_result(record)

    def resume(self, upto: int) -> bool:
        """Go on behind ``upto`` over a new connection; False when that is not kept here any more."""
        with self._lock:
            oldest = self._flight[0] if self._flight else None
            first = self._sent if oldest is None else oldest.after + oldest.done
            if self._mode is not Mode.STREAMING or not first <= upto <= self._sent:
                return False
            while self._flight and self._flight[-1].upto > upto:
                chunk = self._flight.pop()
                chunk.done = max(upto - chunk.after, 0)
                self._queue.appendleft(chunk)
                self._unsent += chunk.weight
            self._sent = upto
        self.done(upto)
        return True

    def let_go(self, why: str) -> None:
        """Keep nothing from now on, for that reason."""
        with self._lock:
            self._let_go(why)

    def wake(self) -> None:
        """Have a ``batch`` that waits return."""
        with self._lock:
            self._more.notify_all()

    def _keep(self, disk: int, view: memoryview | None, runs: Sequence[Run]) -> bool:
        """Take the newest writes, zeros without a ``view``; False when there is no room for them."""
        weight = ROOM * len(runs)
        if view is not None:
            weight += sum(map(_length, runs))
        if self._held + weight > self._limit:
            return False
        chunk = self._open
        if chunk.weight >= _CHUNK:
            chunk = self._open_another(self._last - len(runs))
        if view is not None:
            if not chunk.take(disk, view, runs, self._clock()):
                return False
        else:
            for offset, length, _start in runs:
                chunk.rows += _row(disk, length, offset, NOWHERE, self._clock())
        chunk.weight += weight
        self._held += weight
        self._unsent += weight
        return True

    def _mark(self, point: Point | Judged) -> int:
        self._last += 1
        self._points[self._last] = point
        chunk = self._open
        chunk.point, chunk.pointed_s = point, self._clock()
        chunk.weight += ROOM
        self._held += ROOM
        self._unsent += ROOM
        self._open_another(self._last)
        self._more.notify_all()
        return self._last

    def _open_another(self, after: int) -> Chunk:
        self._queue.append(self._open)
        self._open = Chunk(after, self.slabs)
        return self._open

    def _is_marked(self) -> bool:
        """Tell whether a checkpoint waits to be sent: it comes last, or others came behind it."""
        return bool(self._points) and max(self._points) > self._sent

    def _oldest(self) -> float | None:
        if self._lost_at is not None:
            return self._lost_at
        if self._flight:
            return self._flight[0].oldest_s()
        chunk = self._queue[0] if self._queue else self._open
        return chunk.oldest_s() if chunk.weight else None

    def _overflow(self) -> None:
        self.overflows += 1
        self._let_go(f"the buffer of {show_bytes(self._limit)} was full")

    def _lose(self, count: int) -> None:
        self.dropped += count
        if self._lost_at is None:
            self._lost_at = self._clock()

    def _must_keep(self) -> None:
        if self._mode is Mode.MAPPED:
            raise Mapped(f"writes are only mapped: {self.why}", "it catches up by itself")

    def _let_go(self, why: str) -> None:
        self._lost_at = self._oldest()
        for chunk in (*self._queue, self._open):
            chunk.give_back()
        self._queue.clear()
        self._open = Chunk(self._last, self.slabs)
        self._held, self._unsent = sum(chunk.weight for chunk in self._flight), 0
        self._mode, self.why = Mode.MAPPED, why
        points, self._points = self._points, {}
        for point in points.values():
            if not point.made.done():
                point.made.set_exception(
                    Mapped(f"the checkpoint was not made: {why}", "ask again when it streams")
                )
        self._more.notify_all()
