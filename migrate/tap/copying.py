"""What is hot, copied through the order of writes while guests go on writing.

    watch ── read ── what nobody wrote to meanwhile ── put          the last two in one go, where guests write

So a write stands behind the copy of what it changed, or the copy leaves it out: older content never follows
newer. All but the reading happens in the thread that serves the guests, which is why each step is small.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from migrate.disks.ports import ReadableDisk
from migrate.replication.zeros import GRAIN, zero_runs
from migrate.tap.asking import Asking, Piece
from migrate.tap.chunks import Point
from migrate.tap.recorder import Recorder
from migrate.tap.watching import Watch
from planner.units import KIB, MIB

PIECE: Final = MIB
_PUT: Final = 256 * KIB
_Part = tuple[int, int, memoryview | None]
T = TypeVar("T")


def _at_once(call: Callable[[], T]) -> T:
    return call()


class InFront(Protocol):
    """Runs a call in the thread that serves the guests and returns what it returns or raises."""

    def __call__(self, call: Callable[[], T]) -> T: ...


class HotAreas(Protocol):
    """The areas that may differ from the target; see ``migrate.tap.areas.Areas``."""

    def begin_era(self) -> None: ...
    def lose(self, disk: int, offset: int, length: int) -> None: ...
    def hot(self) -> list[tuple[int, int, int]]: ...
    def watch(self, disk: int, offset: int, length: int) -> Watch: ...
    def watched(self, watch: Watch) -> list[tuple[int, int]]: ...
    def copied(self, disk: int, offset: int, length: int) -> None: ...


class Copying:
    """Catches a target up. For the thread that streams; ``disks`` are read beside the guests."""

    def __init__(
        self, areas: HotAreas, disks: Sequence[ReadableDisk], recorder: Recorder, in_front: InFront
    ) -> None:
        self._areas = areas
        self._disks = disks
        self._recorder = recorder
        self._in_front = in_front
        self._runs: deque[tuple[int, int, int]] = deque()
        self._buffer = bytearray(PIECE)
        self.left_bytes = self.same_bytes = 0
        self._asking: Asking | None = None

    def ask(self, asking: Asking | None) -> None:
        """Ask from now on what the target holds, and do not copy that; None asks nobody."""
        self._asking = asking

    def begin(self, *, full: bool) -> int:
        """Begin an era and return the number before its first; ``full`` when the target knows nothing."""
        return self._in_front(lambda: self._begin(full=full))

    def step(self) -> bool:
        """Copy a piece; False when nothing is left. Raises Mapped, OSError from the disk."""
        found = self._next()
        if found is None:
            self._look(self._in_front(self._areas.hot))
            if (found := self._next()) is None:
                return False
        (disk, offset, length), held = found
        self.left_bytes -= length
        watch, parts = self._watched(
            self._in_front, (disk, offset, length), lambda: self._read(disk, offset, length, held)
        )
        self._in_front(lambda: self._put(watch, parts))
        return True

    def settled(self, disk: int, offset: int, view: memoryview, *, in_front: bool) -> int | None:
        """Fill ``view`` with what is there and return its place in the order of writes.

        None when a guest wrote there meanwhile; with ``in_front`` none can. Raises Mapped, OSError.
        """

        def settle(run: InFront) -> int | None:
            piece = disk, offset, len(view)
            watch, _none = self._watched(run, piece, lambda: self._disks[disk].read_into(view, offset))
            return run(lambda: self._settled(watch))

        return self._in_front(lambda: settle(_at_once)) if in_front else settle(self._in_front)

    def _watched(self, run: InFront, piece: Piece, read: Callable[[], T]) -> tuple[Watch, T]:
        """Return what ``read`` returns of a piece, and the watch over it, which is to be ended."""
        watch = run(lambda: self._areas.watch(*piece))
        try:
            return watch, read()
        except BaseException:
            run(lambda: self._areas.watched(watch))
            raise

    def _settled(self, watch: Watch) -> int | None:
        is_whole = self._areas.watched(watch) == [(watch.offset, watch.end - watch.offset)]
        return self._recorder.here() if is_whole else None

    def finish(self, point: Point) -> int:
        """Say that all is copied; raises Mapped."""
        return self._in_front(lambda: self._recorder.finish(point))

    def _begin(self, *, full: bool) -> int:
        if self._asking is not None:
            self._asking.forget()
        number = self._recorder.begin()
        self._areas.begin_era()
        if full:
            for disk, one in enumerate(self._disks):
                if one.size_bytes:
                    self._areas.lose(disk, 0, one.size_bytes)
        self._look(self._areas.hot())
        return number

    def _look(self, runs: list[tuple[int, int, int]]) -> None:
        self._runs.clear()
        self.left_bytes = 0
        for disk, offset, length in runs:
            end = min(offset + length, self._disks[disk].size_bytes)
            if end > offset:
                self._runs.append((disk, offset, end - offset))
                self.left_bytes += end - offset

    def _next(self) -> tuple[Piece, bytes] | None:
        """Return the next piece and what the target holds of it, nothing when nobody was asked."""
        if self._asking is not None:
            return self._asking.next(self._piece)
        piece = self._piece()
        return None if piece is None else (piece, b"")

    def _piece(self) -> Piece | None:
        if not self._runs:
            return None
        disk, offset, length = self._runs.popleft()
        if length > PIECE:
            self._runs.appendleft((disk, offset + PIECE, length - PIECE))
        return disk, offset, min(length, PIECE)

    def _read(self, disk: int, offset: int, length: int, held: bytes) -> list[_Part]:
        """Return (start, end, data) of what is not held of a run, None for zeros; data until the next one."""
        view = memoryview(self._buffer)[:length]
        self._disks[disk].read_into(view, offset)
        wanted = [(0, length)] if self._asking is None else list(self._asking.differing(view, held))
        self.same_bytes += length - sum(end - start for start, end in wanted)
        if not wanted:
            return []
        found: list[_Part] = []
        for start, end, zero in zero_runs(self._buffer, length, GRAIN):
            for low, high in wanted:
                begin, stop = max(start, low), min(end, high)
                if zero and begin < stop:
                    found.append((offset + begin, offset + stop, None))
                    continue
                for at in range(begin, stop, _PUT):
                    upto = min(at + _PUT, stop)
                    found.append((offset + at, offset + upto, view[at:upto]))
        return found

    def _put(self, watch: Watch, parts: Sequence[_Part]) -> None:
        left = self._areas.watched(watch)
        if watch.is_spoiled:
            return  # it stays hot
        for offset, length in left:
            for start, end, data in parts:
                low, high = max(start, offset), min(end, offset + length)
                if low < high:
                    part = None if data is None else data[low - start : high - start]
                    self._recorder.put(watch.disk, low, high - low, part)
        self._areas.copied(watch.disk, watch.offset, watch.end - watch.offset)
