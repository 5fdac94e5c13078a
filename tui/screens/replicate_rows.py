"""The lanes of 6 Replicate as rows of a table, and the columns that show them."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, overload

from planner.names import visible
from planner.units import show_bytes, show_duration
from tui.live.lanes import Lane, Lanes
from tui.text import fill
from tui.widgets.column import Column

_BAR = 8
_MARKS = {
    "failed": ("✖", "bad"),
    "stalled": ("✖", "bad"),
    "stopped": ("✖", "bad"),
    "retrying": ("▲", "warn"),
    "paused": ("○", "warn"),
    "queued": ("·", "dim"),
    "planned": ("·", "dim"),
    "approved": ("○", ""),
    "in sync": ("●", "good"),
    "rehearsed": ("●", "good"),
    "ready": ("●", "good"),
    "before commit": ("◆", "accent"),
    "committed": ("✔", "good"),
    "failed back": ("✔", "good"),
    "rolled back": ("◄", ""),
    "reverse protected": ("◄", "good"),
}


_SHORT = {"reverse protected": "protected", "needs configuration": "needs sites"}


class Age(int):
    """Minutes; ``over`` says that they are more than was agreed to."""

    over: bool = False

    @classmethod
    def of(cls, lane: Lane) -> Age | None:
        """Return the age of a lane's copy."""
        if lane.age_s is None:
            return None
        age = cls(int(lane.age_s // 60))
        age.over = lane.over
        return age


def phase_mark(phase: str) -> tuple[str, str]:
    """Return the glyph and the tone of a phase."""
    return _MARKS.get(phase, ("◐", "accent"))


def _phase(phase: str) -> str:
    """Return a phase by its glyph, so short that its column holds it; near its lane it is told in full."""
    return f"{phase_mark(phase)[0]} {visible(_SHORT.get(phase, phase))}"


def _progress(share: int | None) -> str:
    return "–" if share is None else f"{fill(share, 100, _BAR)} {share:>3}%"


def age_words(age: Age | None) -> str:
    """Return how old a copy is; a mark says that it is too old."""
    if age is None:
        return "–"
    words = show_duration(age * 60) if age else "<1 m"
    return f"{words} ▲" if age.over else words


def _dash(text: str) -> str:
    return visible(text) or "–"


def moved_words(moved: tuple[int, int] | None) -> str:
    """Return how much of what has to be looked at is done."""
    return "–" if moved is None else " / ".join(map(show_bytes, moved))


def left_words(left_s: tuple[float, float] | None) -> str:
    """Return how long the rest takes, P50 and P95."""
    return "–" if left_s is None else " / ".join(show_duration(round(left)) for left in left_s)


@lru_cache(4096)
def _named(depth: int, is_folded: bool, name: str) -> str:
    fold = ("▸ " if is_folded else "▾ ") if depth < 2 else "  "
    return f"{'  ' * depth}{fold}{visible(name)}"


COLUMNS = (
    Column(1, "wave, group, VM", 22, lambda text: text, keep=10, name="name"),
    Column(2, "phase", 15, _phase, lambda phase: phase_mark(phase)[1], keep=9),
    Column(3, "progress", 13, _progress, keep=7, name="share", kind="number"),
    Column(4, "moved", 19, moved_words, right=True, keep=2, kind="", sorts=13),
    Column(5, "rate", 10, lambda rate: "–" if rate is None else f"{show_bytes(rate)}/s", right=True, keep=6,
           kind="size"),
    Column(6, "P50 / P95", 14, left_words, right=True, keep=4, name="left", kind="", sorts=14),
    Column(7, "RPO", 8, age_words, lambda age: "bad" if age is not None and age.over else "", right=True,
           keep=8, kind="number"),
    Column(8, "changed", 9, lambda size: "–" if size is None else show_bytes(size), right=True, keep=3,
           kind="size"),
    Column(9, "tries", 5, lambda tries: str(tries) if tries else "–", lambda tries: "warn" if tries else "",
           right=True, keep=1, kind="number"),
    Column(10, "note", 14, _dash, keep=5, flex=True),
)  # fmt: skip

Row = tuple[Any, ...]  # a key, what the columns show, then the lane's wave, what sorts, and whether it is ill


class LaneRows(Sequence[Row]):
    """The rows of lanes, each made when it is looked at."""

    def __init__(self, lanes: Lanes, places: Sequence[int], folded: AbstractSet[str]) -> None:
        self._lanes, self._places, self._folded = lanes, places, folded
        self._made: dict[int, Row] = {}

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> Row: ...
    @overload
    def __getitem__(self, at: slice) -> list[Row]: ...
    def __getitem__(self, at: int | slice) -> Row | list[Row]:
        if isinstance(at, slice):
            return [self[number] for number in range(*at.indices(len(self)))]
        place = self._places[at]
        if place not in self._made:
            lane = self._lanes[place]
            self._made[place] = _row(lane, lane.key in self._folded)
        return self._made[place]


def lane_rows(lanes: Lanes, folded: AbstractSet[str], only_ill: bool) -> LaneRows:
    """Return the rows of lanes that are not folded away; with ``only_ill`` those a person should look at."""
    if only_ill:
        places: Sequence[int] = [at for at, lane in enumerate(lanes.still) if lane.ill]
    elif folded:
        places = [at for at, lane in enumerate(lanes.still) if folded.isdisjoint(_above(lane))]
    else:
        places = range(len(lanes))
    return LaneRows(lanes, places, frozenset(folded))


def _above(lane: Lane) -> tuple[str, ...]:
    """Return the keys of the wave and group that a lane lies under."""
    if lane.depth == 0:
        return ()
    return (lane.wave,) if lane.depth == 1 else (lane.wave, lane.key.rpartition("/")[0])


def _row(lane: Lane, is_folded: bool) -> Row:
    share, moved = None, None
    if lane.done_bytes is not None and lane.total_bytes:
        share = min(int(100 * lane.done_bytes / lane.total_bytes), 100)
        moved = lane.done_bytes, lane.total_bytes
    return (
        lane.key,
        _named(lane.depth, is_folded, lane.name),
        lane.phase,
        share,
        moved,
        None if lane.rate_bytes_s is None else round(lane.rate_bytes_s),
        lane.left_s,
        Age.of(lane),
        lane.changed_bytes,
        lane.tries,
        lane.note,
        lane.wave,
        lane.ill,
        lane.done_bytes,
        None if lane.left_s is None else lane.left_s[0],
    )
