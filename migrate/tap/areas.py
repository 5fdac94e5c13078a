"""What of each disk may differ from the target: areas on disk, written ahead, and grains in memory.

    cold ──heat, made durable──▶ hot ──a write begins──▶ fresh ──▶ older ──acknowledged──▶ quiet ──▶ cold

A write begins only where its areas are hot for certain, so whatever ends the process, all that differs
lies in hot areas. What no record can bring any more is ``lost`` and has to be copied: all hot areas at
the start of a process, and all that is not acknowledged at the start of an era. Only ``cool`` may be
called from another thread than the one that writes.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, repeat
from typing import Final

from migrate.tap.chunks import Run
from migrate.tap.mapfile import AREA, AREAS_A_PAGE, COLD, HEATING, HOT, MapFile, Seen
from migrate.tap.watching import Watch
from planner.units import KIB

GRAIN: Final = 64 * KIB
_GRAINS: Final = AREA // GRAIN
_ALL: Final = (1 << _GRAINS) - 1
KEEP: Final = 2048  # quiet areas that stay hot, so that what is written to all the time costs no sync
_BATCH: Final = 256  # areas become cold together: it costs a flush of their disk
_ROUND: Final = 4096  # areas looked at in one turn, or guests would notice
_AHEAD: Final = 8
Masks = defaultdict[int, int]  # the grains of an area
Place = tuple[int, int]  # a disk's number and an area's


@dataclass(frozen=True, slots=True)
class Change:
    """Pages to be made durable: ``write`` in any thread, then ``Areas.changed`` where writes are made."""

    pages: dict[int, dict[int, bytes]]
    heating: tuple[Place, ...]
    maps: Sequence[MapFile] = field(repr=False)

    def write(self) -> None:
        """Make them durable; raises OSError."""
        for disk, pages in self.pages.items():
            self.maps[disk].write(pages)


class Areas:
    """The areas of the disks of a group, in the order of their numbers. ``close`` it."""

    def __init__(self, maps: Sequence[MapFile], keep: int = KEEP) -> None:
        self._maps = maps
        self._keep = keep
        self._states = [one.hot for one in maps]
        self._lost: list[Masks] = [_found(one) for one in maps]
        self._fresh: list[Masks] = [defaultdict(int) for _ in maps]
        self._older: list[Masks] = [defaultdict(int) for _ in maps]
        self._mark = self._acknowledged = 0  # the older ones are of records up to the mark
        self._watches: list[Watch] = []
        self._held: list[tuple[int, int, int]] = []
        self._resting: deque[tuple[int, Iterator[int]]] = deque()
        self._quiet: OrderedDict[Place, None] = OrderedDict()  # in the order in which they became so
        self._dirty: list[set[int]] = [set() for _ in maps]
        self._heating: list[Place] = []
        self.failed = ""  # why maps are not written any more

    def heat(self, disk: int, offset: int, length: int) -> bool:
        """Tell whether a write there may begin. If not, ask again when the next change was made."""
        states = self._states[disk]
        first, last = offset // AREA, (offset + length - 1) // AREA
        if states.count(HOT, first, last + 1) > last - first:
            return True
        if first and states[first - 1] and last - first < _AHEAD:
            last = min(last + _AHEAD, len(states) - 1)  # somebody goes through the disk: fewer syncs
        for area in range(first, last + 1):
            if states[area] == COLD:
                states[area] = HEATING
                self._dirty[disk].add(area // AREAS_A_PAGE)
                self._heating.append((disk, area))
        return False

    def change(self) -> Change | None:
        """Return what is to be made durable, None when nothing is. One at a time."""
        if not any(self._dirty):
            return None
        pages = {
            disk: {number: self._maps[disk].page(number) for number in sorted(numbers)}
            for disk, numbers in enumerate(self._dirty)
            if numbers
        }
        heating, self._heating = tuple(self._heating), []
        self._dirty = [set() for _ in self._maps]
        return Change(pages, heating, self._maps)

    def changed(self, change: Change) -> None:
        """A change is durable: writes may begin there."""
        for disk, area in change.heating:
            if self._states[disk][area] == HEATING:
                self._states[disk][area] = HOT
                self._quiet[(disk, area)] = None

    def give_up(self, why: str) -> None:
        """Maps cannot be written: have none, so that everything counts as hot after a restart.

        Raises OSError when they cannot be removed either; then nothing cold may be written to.
        """
        for one in self._maps:
            one.void()
        self.failed = why
        for states in self._states:
            states[:] = bytes((HOT,)) * len(states)
        self._dirty = [set() for _ in self._maps]
        self._heating = []

    def begin(self, disk: int, offset: int, length: int) -> None:
        """A write begins there; its record will have the next number."""
        first, last = offset // GRAIN, (offset + length - 1) // GRAIN
        area = first // _GRAINS
        if last // _GRAINS == area:
            self._fresh[disk][area] |= (2 << last % _GRAINS) - (1 << first % _GRAINS)
        else:
            _add(self._fresh[disk], offset, length)
        for watch in self._watches:
            watch.touch(disk, offset, offset + length)

    def begin_all(self, disk: int, runs: Sequence[Run]) -> bool:
        """Begin writes that may all begin now, each within an area; else return False, for one by one."""
        states, fresh = self._states[disk], self._fresh[disk]
        for offset, length, _start in runs:
            first, last = offset // GRAIN, (offset + length - 1) // GRAIN
            area = first // _GRAINS
            if states[area] != HOT or last // _GRAINS != area:
                return False  # those before are begun again, which does no harm
            if first == last:
                fresh[area] |= 1 << first % _GRAINS
            else:
                fresh[area] |= (2 << last % _GRAINS) - (1 << first % _GRAINS)
        for watch in self._watches:
            for offset, length, _start in runs:
                watch.touch(disk, offset, offset + length)
        return True

    def hold(self, disk: int, offset: int, length: int) -> tuple[int, int, int]:
        """A change of the disk begins that takes its time: its areas stay hot until ``let_go``."""
        held = disk, offset, offset + length
        self._held.append(held)
        return held

    def let_go(self, held: tuple[int, int, int]) -> None:
        """It is over. Whoever records it begins it anew."""
        self._held.remove(held)

    def lose(self, disk: int, offset: int, length: int) -> None:
        """No record tells what is there now: it has to be copied."""
        _add(self._lost[disk], offset, length)
        for watch in self._watches:
            watch.spoil(disk, offset, offset + length)

    def begin_era(self) -> None:
        """Records that are not acknowledged by now never will be: what they brought is lost."""
        for disk, lost in enumerate(self._lost):
            for kept in (self._older[disk], self._fresh[disk]):
                for area, mask in kept.items():
                    lost[area] |= mask
                kept.clear()

    def watch(self, disk: int, offset: int, length: int) -> Watch:
        """Begin to notice what is written to a run, while it is read."""
        watch = Watch(disk, offset, offset + length)
        self._watches.append(watch)
        return watch

    def watched(self, watch: Watch) -> list[tuple[int, int]]:
        """End it and return the (offset, length) runs that nobody wrote to; none when it was spoiled."""
        self._watches.remove(watch)
        for disk, start, end in self._held:
            watch.touch(disk, start, end)
        return watch.untouched()

    def copied(self, disk: int, offset: int, length: int) -> None:
        """A run of whole grains is in records of this era now, as it was copied or as it was written."""
        copied: Masks = defaultdict(int)
        _add(copied, offset, length)
        for area, mask in copied.items():
            left = self._lost[disk].pop(area, 0) & ~mask
            if left:
                self._lost[disk][area] = left
            self._fresh[disk][area] |= mask

    def cool(self, acknowledged: int) -> None:
        """The target durably has all that records of this era brought, up to this number. Any thread."""
        self._acknowledged = max(self._acknowledged, acknowledged)

    def tend(self, last: int) -> list[Place]:
        """Let what is acknowledged come to rest; return quiet areas that need not be hot any more.

        ``last`` is the newest record. Flush their disks, then ``cool_down``: a target must not be ahead of
        a source that lost power.
        """
        is_known = self._acknowledged >= self._mark or not any(self._older)
        if is_known and not self._resting and (any(self._older) or any(self._fresh)):
            self._resting.extend((disk, iter(older)) for disk, older in enumerate(self._older))
            self._older, self._mark = self._fresh, last
            self._fresh = [defaultdict(int) for _ in self._maps]
        self._rest()
        spare = len(self._quiet) - self._keep
        if spare < min(_BATCH, self._keep + 1) or self.failed:
            return []
        found = []
        for _ in range(min(spare, _ROUND)):
            place, _none = self._quiet.popitem(last=False)
            if not self._is_busy(place):  # one that is comes back when it is acknowledged
                found.append(place)
        return found

    def cool_down(self, places: Iterable[Place]) -> None:
        """Their disks were flushed since: those that nobody wrote to meanwhile become cold."""
        for disk, area in places:
            if self._states[disk][area] == HOT and not self._is_busy((disk, area)):
                self._states[disk][area] = COLD
                self._dirty[disk].add(area // AREAS_A_PAGE)

    def hot(self) -> list[tuple[int, int, int]]:
        """Return the runs (disk, offset, length) of grains that are lost, ascending for each disk."""
        return [(disk, *run) for disk, lost in enumerate(self._lost) for run in _runs(lost)]

    def hot_count(self) -> int:
        """Return how many areas would be compared if the process died now."""
        return sum(len(states) - states.count(COLD) for states in self._states)

    def close(self, left: Sequence[Seen] | None) -> None:
        """Close the maps. With ``left``, how the disks were left after a flush, only what differs is hot."""
        in_order = left is not None and not self.failed
        try:
            if in_order:
                self._leave()
        finally:
            for disk, one in enumerate(self._maps):
                one.close(left[disk] if left is not None and in_order else None)

    def _leave(self) -> None:
        for disk, areas in enumerate(self._differing()):
            states = self._states[disk]
            states[:] = bytes(len(states))
            for area in areas:
                states[area] = HOT
            pages = range(-(-len(states) // AREAS_A_PAGE))
            self._maps[disk].write({number: self._maps[disk].page(number) for number in pages})

    def _differing(self) -> list[set[int]]:
        """Return the areas of each disk that may differ from the target."""
        kept = [self._lost, self._fresh]
        if self._acknowledged < self._mark:
            kept.append(self._older)
        return [set().union(*(part[disk] for part in kept)) for disk in range(len(self._maps))]

    def _rest(self) -> None:
        """Have what was acknowledged become quiet, some of it at a time."""
        left = _ROUND
        while self._resting and left:
            disk, areas = self._resting[0]
            some = list(islice(areas, left))
            if not some:
                self._resting.popleft()
            for area in some:
                self._quiet.pop((disk, area), None)
                self._quiet[(disk, area)] = None
            left -= len(some)

    def _is_busy(self, place: Place) -> bool:
        disk, area = place
        begin, end = area * AREA, (area + 1) * AREA
        return any(area in kept[disk] for kept in (self._fresh, self._older, self._lost)) or any(
            number == disk and start < end and begin < stop for number, start, stop in self._held
        )


def _found(one: MapFile) -> Masks:
    """Return the grains that the hot areas of a map have; the last area may have fewer than the others."""
    masks: Masks = defaultdict(int, {area: _ALL for area, state in enumerate(one.hot) if state})
    last = len(one.hot) - 1
    if last in masks:
        masks[last] = (1 << -(-(one.size_bytes - last * AREA) // GRAIN)) - 1
    return masks


def _add(masks: Masks, offset: int, length: int) -> None:
    first, last = offset // GRAIN, (offset + length - 1) // GRAIN
    low, high = first // _GRAINS, last // _GRAINS
    masks.update(zip(range(low + 1, high), repeat(_ALL)))
    for area in {low, high}:
        begin = max(first - area * _GRAINS, 0)
        end = min(last - area * _GRAINS, _GRAINS - 1)
        masks[area] |= (2 << end) - (1 << begin)


def _runs(masks: dict[int, int]) -> Iterator[tuple[int, int]]:
    """Yield the runs (offset, length) of grains, ascending."""
    begin = end = 0
    for area in sorted(masks):
        mask, grain = masks[area], area * _GRAINS
        if mask == _ALL and grain * GRAIN == end:
            end += AREA  # what is lost as a whole has a million of these
            continue
        while mask:
            skip = (mask & -mask).bit_length() - 1
            grain, mask = grain + skip, mask >> skip
            count = (~mask & (mask + 1)).bit_length() - 1
            if grain * GRAIN != end:
                if end > begin:
                    yield begin, end - begin
                begin = grain * GRAIN
            grain, mask = grain + count, mask >> count
            end = grain * GRAIN
    if end > begin:
        yield begin, end - begin
