"""Journals that break one rule each, and storage that does. The enumeration of deaths notices every one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from migrate.disks.ports import WritableDisk
from migrate.journal.cover import MERGED_FROM, Part, cover
from migrate.journal.files import Files
from migrate.journal.frames import Header, Sealer
from migrate.journal.leases import Leases
from migrate.journal.log import Log
from migrate.journal.promotion import promote, replay
from migrate.journal.recovery import Found, Ref, _Scan, recover
from migrate.journal.state import State, floor_mark, promoted_mark
from migrate.journal.writes import Write
from tests.migrate.journal.crashes import BEGINNING, Make
from tests.migrate.journal.model import SimulatedFiles, World

Disks = Mapping[int, WritableDisk]


class _Over:
    """Storage that does one thing wrongly, and the rest as what it stands on."""

    def __init__(self, files: Files) -> None:
        self._files = files

    def __getattr__(self, name: str) -> Any:
        return getattr(self._files, name)


class _Unsynced(_Over):
    def sync(self, number: int) -> None:
        """Say durable of what is not."""


class _Unnamed(_Over):
    def sync_names(self) -> None:
        """Say durable of names that are not."""


class _Unsettled(_Over):
    def settle(self, number: int) -> None:
        """Trust what an earlier process may not have synced."""


class _Unnoted(_Over):
    """Builds on names that a dead process may not have synced."""

    def __init__(self, files: Files) -> None:
        super().__init__(files)
        self._opened = False

    def sync_names(self) -> None:
        if self._opened:
            self._files.sync_names()
        self._opened = True


class _Hurried(SimulatedFiles):
    """Says durable of merged segments that are not."""

    def sync(self, number: int) -> None:
        if number < MERGED_FROM:
            super().sync(number)


class _Merging(World):
    storage = _Hurried


def _over(kind: Callable[[Files], Any]) -> World:
    def open_it(files: Files, name: str, **how: Any) -> Log:
        wrong = kind(files)
        return Log(wrong, name, recover(wrong, Sealer(name, wrong.key)), **how)

    return World(open_it)


class _Rushed(Log):
    """Begins a new segment before the old one is durable."""

    def commit(self) -> int:
        with self._lock:
            if self._segment.size_bytes < self._segment_bytes:
                return super().commit()
            self._durable = self._last
            self._rotate()
            return self._durable


class _Boastful(Log):
    """Says in a frame that the one before it was durable when it was not."""

    def _put(self, *args: Any, **how: Any) -> None:
        kept, self._durable = self._durable, self._last
        try:
            super()._put(*args, **how)
        finally:
            self._durable = kept


class _Late(Log):
    """Holds the last writes back until after the next mark."""

    _back: tuple[Write, ...] = ()

    def append(self, writes: Iterable[Write]) -> int:
        self._forward()
        self._back = tuple(writes)
        return self.last + len(self._back)

    def mark(self, mark: Mapping[str, Any]) -> int:
        record = super().mark(mark)
        self._forward()
        return record

    def commit(self) -> int:
        self._forward()
        return super().commit()

    def _forward(self) -> None:
        back, self._back = self._back, ()
        if back:
            super().append(back)


class _Amnesiac(Log):
    """Begins a segment without what was known."""

    def _begin(self, number: int, tag: bytes) -> None:
        kept, self.state = self.state, State()
        try:
            super()._begin(number, tag)
        finally:
            self.state = kept


class _Greedy(Log):
    """Deletes segments whose records no replica holds for certain."""

    def trim(self) -> int:
        kept, self._promoted = self._promoted, self._durable
        try:
            return super().trim()
        finally:
            self._promoted = kept


class Heedless(Leases):
    """Lets history go below those who look at it."""

    def check(self, record: int) -> None:
        """Let it go."""

    def oldest(self) -> int | None:
        return None


class Needless(Leases):
    """Lets segments go that somebody reads."""

    def needs(self, first: int, given_up: int) -> bool:
        return False


class _Promoting(Log):
    """Promotes below open images."""

    def __init__(self, *args: Any, **how: Any) -> None:
        super().__init__(*args, **how)
        self.leases = Heedless()


class _Trimming(Log):
    """Trims below open images."""

    def __init__(self, *args: Any, **how: Any) -> None:
        super().__init__(*args, **how)
        self.leases = Needless()


class _Credulous(_Scan):
    """Believes a tail whose data is not whole."""

    def _whole(self, frames: list[Ref], known: int) -> list[Ref]:
        return frames


class Wordless(_Scan):
    """Takes whatever is broken in the newest segment for a torn tail."""

    def headers(self, number: int, start: int) -> Iterable[Header]:  # type: ignore[override]
        return iter(())

    def _whole(self, frames: list[Ref], known: int) -> list[Ref]:
        return super()._whole(frames, 0)


def recovered(kind: type[_Scan], files: Files, sealer: Sealer) -> Found:
    """Read a journal as ``recover`` does, by another reading of its segments."""
    numbers = files.numbers()
    if not numbers:
        return Found()
    files.settle(numbers[-1])
    scan = kind(files, sealer)
    if not scan.is_begun(numbers[-1]):
        numbers.pop()
    parts = cover(Part(number, number, number) for number in numbers)
    for part, later in zip(parts, [*parts, None][1:], strict=True):
        scan.take(part, later)
    return scan.found


def _read_by(kind: type[_Scan]) -> World:
    return World(
        lambda files, name, **how: Log(files, name, recovered(kind, files, Sealer(name, files.key)), **how)
    )


class Unwitnessed(Log):
    """Withdraws checkpoints without a frame behind that says so again."""

    def withdraw(self, record: int) -> None:
        self.mark(floor_mark(record))
        self.commit()


def opened_as(kind: type[Log]) -> Callable[..., Log]:
    """Return what opens a journal as another kind of log."""
    return lambda files, name, **how: kind(files, name, recover(files, Sealer(name, files.key)), **how)


def _moved(log: Log, files: Files, disks: Disks, record: int, *, flush: bool = True) -> None:
    for row, data in replay(files, log.frames(), log.state.promoted, record):
        disks[row.disk].write(data, row.offset)
    for disk in disks.values():
        if flush:
            disk.flush()


def _floor_after(log: Log, files: Files, disks: Disks, record: int) -> None:
    """Move the replicas before the floor is durable."""
    _moved(log, files, disks, record)
    log.mark(floor_mark(record))
    log.mark(promoted_mark(record))
    log.commit()
    log.trim()


def _unflushed(log: Log, files: Files, disks: Disks, record: int) -> None:
    """Say promoted before the replicas are flushed."""
    log.withdraw(record)
    _moved(log, files, disks, record, flush=False)
    log.mark(promoted_mark(record))
    log.commit()
    log.trim()


def _backwards(log: Log, files: Files, disks: Disks, record: int) -> None:
    """Move the youngest writes first."""
    log.withdraw(record)
    for row, data in reversed(list(replay(files, log.frames(), log.state.promoted, record))):
        disks[row.disk].write(data, row.offset)
    for disk in disks.values():
        disk.flush()
    log.mark(promoted_mark(record))
    log.commit()
    log.trim()


def _gone_first(log: Log, files: Files, disks: Disks, record: int) -> None:
    """Delete segments before it is durable that the replicas hold what was in them."""
    log.withdraw(record)
    _moved(log, files, disks, record)
    for number in files.numbers()[:-1]:
        if all(ref.header.last <= record for ref in log.frames() if ref.segment == number):
            files.delete(number)
    files.sync_names()
    log.mark(promoted_mark(record))
    log.commit()
    log.trim()


def _partly(log: Log, files: Files, disks: Disks, record: int) -> None:
    """Move one disk of the group and say that all were."""
    promote(log, files, {number: disk if number == 0 else _Deaf() for number, disk in disks.items()}, record)


class _Deaf:
    """A disk that takes everything and keeps nothing."""

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_args: None


PROMOTING = (*BEGINNING, "promote", "rotate", "append")
LOOKING = (
    *(*BEGINNING, "rotate", "checkpoint", "rotate", "checkpoint", "commit"),
    *("look", "promote", "trim", "append"),
)
ROTATING = (
    *BEGINNING,
    "rotate",
    "checkpoint",
    "rotate",
    "checkpoint",
    "promote",
    "append",
    "rotate",
    "promote",
)

MERGING = (*BEGINNING, *["rotate"] * 4, "checkpoint", "commit", "merge", "append", "commit")

APPENDING = (*["append"] * 6, "commit", *["append"] * 6)

# Each with a history in which it can show, and from which operation on.
MUTANTS: dict[str, tuple[Make, tuple[str, ...], int]] = {
    "acknowledged before the sync": (partial(_over, _Unsynced), PROMOTING, 0),
    "names not synced": (partial(_over, _Unnamed), PROMOTING, 0),
    "what a dead process wrote is not settled": (partial(_over, _Unsettled), PROMOTING, 0),
    "names of a dead process are not settled": (partial(_over, _Unnoted), PROMOTING, 0),
    "a merged segment is not synced": (_Merging, MERGING, len(MERGING) - 3),
    "a segment begun before the old one is durable": (lambda: World(opened_as(_Rushed)), PROMOTING, 0),
    "a durable word that is not true": (lambda: World(opened_as(_Boastful)), APPENDING, 0),
    "a checkpoint before earlier writes": (lambda: World(opened_as(_Late)), PROMOTING, 0),
    "a segment begins without what is known": (lambda: World(opened_as(_Amnesiac)), PROMOTING, 0),
    "trimmed beyond what was promoted": (lambda: World(opened_as(_Greedy)), ROTATING, 0),
    "leases ignored by promotion": (lambda: World(opened_as(_Promoting)), LOOKING, 0),
    "leases ignored by trim": (lambda: World(opened_as(_Trimming)), LOOKING, 0),
    "a tail believed without its data": (partial(_read_by, _Credulous), PROMOTING, 0),
    "floor after the move": (lambda: World(move=_floor_after), PROMOTING, 0),
    "promoted before the flush": (lambda: World(move=_unflushed), PROMOTING, 0),
    "promoted youngest first": (lambda: World(move=_backwards), PROMOTING, 0),
    "segments gone before promoted is durable": (lambda: World(move=_gone_first), PROMOTING, 0),
    "one disk of a group promoted": (lambda: World(move=_partly), PROMOTING, 0),
}
