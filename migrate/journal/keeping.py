"""Keeping: what is offered gets thinner with age, what nobody can ask for goes, and limits are kept.

    thin ── move what is before the oldest checkpoint into the replicas ── merge ── make room ── judge
            (these two wait while a tap catches up and no limit is near)

No round takes a checkpoint that is pinned or that somebody looks at, nor the newest. Near the hard limit
the oldest others go; when none is left whose going helps, writes are refused before they begin, and go
on when there is room. What a round did not get done the next one does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from itertools import groupby, takewhile
from typing import Final

from migrate.journal.group import GroupJournal
from migrate.journal.health import AMPLE, Health, Seen, judge
from migrate.journal.limits import Bounds, Limits
from migrate.journal.log import Log
from migrate.journal.state import Checkpoint
from migrate.journal.thinning import surplus
from planner.errors import Paused, ProjectBusy, WherryError
from planner.names import visible
from planner.units import show_bytes, show_count

NEAR: Final = 0.9  # of the hard limit: from there on history goes, so that writes need not wait for it
_ENOUGH: Final = 0.85  # of the hard limit: so much is left then
_EARLY: Final = 0.75  # the same where only merging helps, which takes room itself
_EARLY_ENOUGH: Final = 0.7
_SCANT: Final = 1.5  # of what is to stay free: with less history goes, so that writes need not wait for it
_SCANT_EARLY: Final = 1.75
_AMPLE_EARLY: Final = 2.25
_SILENT_MS: Final = 30_000  # a tap that catches up speaks every second

Pace = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a round has to say: why no more room can be made, and what went wrong."""

    stuck: str = ""
    troubles: tuple[str, ...] = ()


def keep(group: GroupJournal, limits: Limits, now_ms: int, pace: Pace) -> Kept:
    """Do one round for a group that has a log; ``look`` tells how its journal stands then.

    ``pace`` is told the bytes of each step and may raise Paused, which goes through: nothing is lost then.
    """
    log = group.log
    try:
        bounds = limits.of(disks_bytes(group))
        log.allowance.limit_bytes = bounds.hard_bytes
        log.allowance.space = partial(group.space, limits.reserve) if limits.reserve else None
        held = log.leases.held()
        group.thin(lambda points: _aged(points, now_ms, limits.history_s, held))
        if not may_wait(group, now_ms):
            _promote(group, pace)
            group.merger().merge(log, pace, _most_bytes(log, bounds))
        return Kept(_make_room(group, bounds, pace))
    except Paused:
        raise
    except (WherryError, OSError) as error:
        hint = f"; {error.hint}" if isinstance(error, WherryError) and error.hint else ""
        return Kept(troubles=(f"history is not moved on: {visible(str(error), 300)}{hint}",))


def may_wait(group: GroupJournal, now_ms: int) -> bool:
    """Tell whether moving history on may wait: a tap is catching the group up, and no limit is near."""
    if not group.log.state.torn or now_ms - group.heard_at_ms > _SILENT_MS:
        return False
    bounds = Bounds(group.log.allowance.limit_bytes)
    return _excess(group.log, bounds, by_merging=True, is_begun=False) <= 0


def look(group: GroupJournal, limits: Limits, now_ms: int, kept: Kept = Kept()) -> Health:
    """Return how the journal of a group that has a log stands after a round; changes nothing."""
    log = group.log
    space = group.space(limits.reserve) if limits.reserve else None
    seen = Seen(
        group.checkpoints(), log.frames(), log.size_bytes, log.state.floor, log.full, kept.stuck, space
    )
    return judge(seen, limits.history_s, limits.of(disks_bytes(group)), now_ms, kept.troubles)


def disks_bytes(group: GroupJournal) -> int:
    """Return the size of all disks of a group together; raises NotFound, SiteRefused, OSError."""
    found = 0
    for volume in group.volumes:
        with closing(group.open_read(volume)) as disk:
            found += disk.size_bytes
    return found


def _aged(points: Sequence[Checkpoint], now_ms: int, history_s: float, held: frozenset[int]) -> list[int]:
    """Return the records of the checkpoints that go by age.

    The one that reaches back as far as is wanted stays, so that history is never shorter than that.
    """
    gone = set(surplus(points, now_ms, history_s=round(history_s))) - held
    reach = [point for point in points if now_ms - point.at_ms >= history_s * 1000]
    if reach and not any(point.record not in gone and not point.pinned for point in reach):
        gone.discard(reach[-1].record)
    return sorted(gone)


def _promote(group: GroupJournal, pace: Pace) -> None:
    """Bring the replicas to the oldest checkpoint, when whole segments go by that; it withdraws none."""
    points = group.checkpoints()
    if points and _Segments(group.log).freed(points[0].record):
        with suppress(ProjectBusy):  # somebody looks at one that is offered no more
            group.promote(points[0].record, pace)


class _Segments:
    """The whole segments of a log: with which record each ends, and what they take up to there."""

    def __init__(self, log: Log) -> None:
        self._ends: list[int] = []
        self._sizes = [0]
        size_bytes = 0
        for _segment, refs in groupby(log.frames(), key=lambda ref: ref.segment):
            headers = [ref.header for ref in refs]
            if size_bytes:
                self._ends.append(headers[0].first - 1)
                self._sizes.append(self._sizes[-1] + size_bytes)
            size_bytes = sum(header.size_bytes for header in headers)

    def freed(self, record: int) -> int:
        """Return the bytes of the segments that hold nothing behind a record."""
        return self._sizes[bisect_right(self._ends, record)]


def _make_room(group: GroupJournal, bounds: Bounds, pace: Pace) -> str:
    """Let the oldest history go when a limit is near; return why not enough can, "" when it did."""
    log = group.log
    is_begun = False
    while True:
        points = group.checkpoints()
        held = log.leases.held()
        loose = [point for point in points[:-1] if not point.pinned and point.record not in held]
        segments = _Segments(log)
        goals = _goals(points, loose, segments, log.leases.oldest())
        excess = _excess(log, bounds, by_merging=not goals, is_begun=is_begun)
        if excess <= 0:
            return ""
        is_begun = True
        most = segments.freed(points[goals[-1]].record) if goals else log.size_bytes
        if most < _short_bytes(log):
            gone = []  # others took the room: all of this history would not make up for that
        elif goals:
            enough_at = (at for at in goals if segments.freed(points[at].record) >= excess)
            gone = points[: next(enough_at, goals[-1])]
        else:
            gone = _that_help(group, loose, bounds, pace)
        if not gone:
            return _why(group, bounds) if _excess(log, bounds, by_merging=False, is_begun=False) > 0 else ""
        group.thin(partial(_still_loose, {point.record for point in gone}))
        _promote(group, pace)
        group.merger().merge(log, pace, _most_bytes(log, bounds))


def _excess(log: Log, bounds: Bounds, *, by_merging: bool, is_begun: bool) -> float:
    """Return how many bytes have to go, 0 while no limit is near; once it is begun, until there is enough."""
    hard, size = bounds.hard_bytes, log.size_bytes
    near, enough = (_EARLY, _EARLY_ENOUGH) if by_merging else (NEAR, _ENOUGH)
    excess = 0.0
    if hard and size > hard * (enough if is_begun else near):
        excess = size - hard * enough
    if log.allowance.space is not None:
        space = log.allowance.space()
        scant, ample = (_SCANT_EARLY, _AMPLE_EARLY) if by_merging else (_SCANT, AMPLE)
        if space.free_bytes < space.reserve_bytes * (ample if is_begun else scant):
            excess = max(excess, space.reserve_bytes * ample - space.free_bytes)
    return excess


def _short_bytes(log: Log) -> float:
    """Return how many bytes are to be freed at least, for writes to go on where little is free."""
    if log.allowance.space is None:
        return 0.0
    space = log.allowance.space()
    return space.reserve_bytes * _SCANT - space.free_bytes


def _most_bytes(log: Log, bounds: Bounds) -> int | None:
    """Return what a log may take while it is merged, None for any; that may use half of what stays free."""
    most = [bounds.hard_bytes] if bounds.hard_bytes else []
    if log.allowance.space is not None:
        space = log.allowance.space()
        most.append(log.size_bytes + max(space.free_bytes - space.reserve_bytes // 2, 0))
    return min(most, default=None)


def _still_loose(records: set[int], points: Sequence[Checkpoint]) -> list[int]:
    """Return those of ``records`` that nobody pinned meanwhile."""
    return [point.record for point in points if point.record in records and not point.pinned]


def _goals(
    points: Sequence[Checkpoint], loose: Sequence[Checkpoint], segments: _Segments, oldest: int | None
) -> list[int]:
    """Return the places of checkpoints the replicas could move to, so that whole segments go by it.

    ``oldest`` is the oldest somebody looks at.
    """
    records = {point.record for point in loose}
    first = len(list(takewhile(lambda point: point.record in records, points)))
    goals = [at for at in range(1, first + 1) if oldest is None or points[at].record <= oldest]
    return [at for at in goals if segments.freed(points[at].record)]


def _that_help(group: GroupJournal, loose: list[Checkpoint], bounds: Bounds, pace: Pace) -> list[Checkpoint]:
    """Return the oldest checkpoints behind a pinned one whose going lets something be merged away."""
    for share in (4, 2, 1):
        gone = loose[: -(-len(loose) // share)]
        most = _most_bytes(group.log, bounds)
        if gone and group.merger().would(group.log, [point.record for point in gone], pace, most):
            return gone
    return []


def _why(group: GroupJournal, bounds: Bounds) -> str:
    pinned = sum(point.pinned for point in group.checkpoints())
    images = len(group.log.leases.held())
    holds = [
        *([f"{show_count(pinned, 'pinned checkpoint')}"] if pinned else []),
        *([f"{show_count(images, 'checkpoint')} somebody looks at"] if images else []),
    ]
    held = f"held by {' and '.join(holds)}" if holds else "newer than the newest checkpoint"
    nothing = f"and nothing more can go, what is there is {held}: unpin some, close images, or"
    space = group.log.allowance.space
    if bounds.hard_bytes and group.log.size_bytes > bounds.hard_bytes * NEAR:
        return f"the limit of {show_bytes(bounds.hard_bytes)} is near {nothing} raise the limit"
    return f"{space().told if space else 'no room is left'} {nothing} make room there"
