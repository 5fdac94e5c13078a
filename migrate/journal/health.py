"""How a journal stands against what was asked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from migrate.journal.allowance import Space
from migrate.journal.limits import Bounds
from migrate.journal.recovery import Ref
from migrate.journal.state import Checkpoint
from migrate.journal.thinning import DAY_S
from planner.units import show_bytes, show_duration

_SHORT: Final = 0.85  # of the history wanted: below that it is a warning
_BAD: Final = 0.75
_SEEN_S: Final = 60  # over less nobody can tell a rate
AMPLE: Final = 2.0  # of what is to stay free: with less it is said


class Grade(StrEnum):
    """What a person has to do about a journal."""

    GOOD = "good"
    WARNING = "warning"  # it will fall short, or has come near a limit
    BAD = "bad"  # history is shorter than asked, or writes are refused


@dataclass(frozen=True, slots=True)
class Health:
    """The journal of one group, measured.

    ``history_s`` is how far back one can go, ``wanted_s`` how far one should. ``size_bytes`` is what
    the journal takes, ``limit_bytes`` and ``warning_bytes`` are 0 where there is none. ``full_in_s`` is when
    the limit is met at the rate of late, None when it is not. ``said`` are sentences for people, the
    worst first. ``free_bytes`` are free where it is, None when that is not watched, and ``reserve_bytes`` of
    them are to stay so. ``is_short`` is history a good deal shorter than wanted.
    """

    grade: Grade
    history_s: float
    wanted_s: float
    size_bytes: int
    limit_bytes: int = 0
    warning_bytes: int = 0
    full_in_s: float | None = None
    said: tuple[str, ...] = ()
    free_bytes: int | None = None
    reserve_bytes: int = 0
    is_short: bool = False


@dataclass(frozen=True, slots=True)
class Seen:
    """A journal as it is: its checkpoints, the oldest first, its frames in order, and what it takes.

    ``floor`` is its floor, ``full`` why writes are refused, ``stuck`` why nothing more can go, ``space``
    how its file system stands, None where that is not watched.
    """

    points: Sequence[Checkpoint]
    frames: Sequence[Ref]
    size_bytes: int
    floor: int = 0
    full: str = ""
    stuck: str = ""
    space: Space | None = None


def judge(seen: Seen, wanted_s: float, bounds: Bounds, now_ms: int, troubles: Sequence[str] = ()) -> Health:
    """Return how a journal stands; ``troubles`` are what went wrong while it was kept."""
    history_s = _history_s(seen.points, now_ms)
    full_in_s = _full_in_s(seen, history_s, wanted_s, bounds, now_ms)
    bad = list(troubles)
    if seen.full:
        bad.append(f"writes are refused: {seen.full}; give it more, close images, or unpin checkpoints")
    if seen.stuck:
        bad.append(seen.stuck)
    warnings: list[str] = []
    share = history_s / wanted_s if wanted_s else 1.0
    if seen.floor and share < _SHORT:  # while it fills for the first time nothing is missing
        short = f"history reaches back {show_duration(history_s)} of {show_duration(wanted_s)} wanted"
        more = "; give the journal more room" if bounds.hard_bytes else ""
        (bad if share < _BAD else warnings).append(f"{short}{more}")
    if bounds.warning_bytes and seen.size_bytes >= bounds.warning_bytes:
        then = (
            f"; the oldest history goes before it takes {show_bytes(bounds.hard_bytes)}"
            if bounds.hard_bytes
            else ""
        )
        warnings.append(
            f"the journal takes {show_bytes(seen.size_bytes)}, "
            f"a warning was asked for at {show_bytes(bounds.warning_bytes)}{then}"
        )
    elif full_in_s is not None:
        warnings.append(
            f"at today's rate the limit of {show_bytes(bounds.hard_bytes)} is met in "
            f"{show_duration(full_in_s)}, and history stays shorter than wanted"
        )
    space = seen.space
    if space is not None and space.free_bytes < space.reserve_bytes * AMPLE and not seen.full:
        then = "the oldest history goes" if space.spare_bytes else "writes wait"
        (warnings if space.spare_bytes else bad).append(f"{space.told}: {then} until there is more")
    return Health(
        Grade.BAD if bad else Grade.WARNING if warnings else Grade.GOOD,
        history_s,
        wanted_s,
        seen.size_bytes,
        bounds.hard_bytes,
        bounds.warning_bytes,
        full_in_s,
        (*bad, *warnings),
        space.free_bytes if space else None,
        space.reserve_bytes if space else 0,
        bool(seen.floor) and share < _BAD,
    )


def _history_s(points: Sequence[Checkpoint], now_ms: int) -> float:
    """Return how far back history goes; what was pinned long ago is not history."""
    loose = [point for point in points if not point.pinned] or points
    return max(now_ms - loose[0].at_ms, 0) / 1000 if loose else 0.0


def _full_in_s(seen: Seen, history_s: float, wanted_s: float, bounds: Bounds, now_ms: int) -> float | None:
    """Return when the limit is met, None when history is as long as wanted before, or nothing is known."""
    rate = _rate_bytes_s(seen, now_ms)
    if not bounds.hard_bytes or not rate:
        return None
    if seen.size_bytes + rate * max(wanted_s - history_s, 0.0) <= bounds.hard_bytes:
        return None
    return max(bounds.hard_bytes - seen.size_bytes, 0) / rate


def _rate_bytes_s(seen: Seen, now_ms: int) -> float:
    """Return how fast the journal grew since the oldest checkpoint of the last day, 0 when nobody knows."""
    ages_s = [(point.record, (now_ms - point.at_ms) / 1000) for point in seen.points]
    since = next(((record, age) for record, age in ages_s if _SEEN_S <= age <= DAY_S), None)
    if since is None:
        return 0.0
    grown = 0
    for ref in reversed(seen.frames):
        if ref.header.last <= since[0]:
            break
        grown += ref.header.size_bytes
    return grown / since[1]
