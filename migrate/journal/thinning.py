"""Which checkpoints stay: many of late, fewer the older they are, and those somebody pinned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from migrate.journal.state import Checkpoint

_SECOND_MS: Final = 1000
HOUR_S: Final = 3600
DAY_S: Final = 24 * HOUR_S


@dataclass(frozen=True, slots=True)
class Keep:
    """Of checkpoints up to ``age_s`` old one in each ``every_s`` stays, all of them when that is 0."""

    age_s: int
    every_s: int


USUAL: Final = (Keep(HOUR_S, 0), Keep(DAY_S, HOUR_S // 4), Keep(30 * DAY_S, DAY_S))


def surplus(
    checkpoints: Iterable[Checkpoint], now_ms: int, keeps: Sequence[Keep] = USUAL, history_s: int = 30 * DAY_S
) -> list[int]:
    """Return the records of the checkpoints that may go, ascending.

    ``keeps`` are in order of age. Stretches of time begin at multiples of ``every_s`` since 1970, so that the
    same ones stay whenever this is asked; the first of a stretch stays. Pinned and named ones and the newest
    stay always; what is older than ``history_s`` goes unless it is pinned.
    """
    points = sorted(checkpoints, key=lambda point: point.record)
    gone: list[int] = []
    taken: set[tuple[int, int]] = set()
    for point in points[:-1]:
        age_s = max(now_ms - point.at_ms, 0) / _SECOND_MS
        keep = next((keep for keep in keeps if age_s <= keep.age_s), None)
        old = age_s > history_s or keep is None
        if keep is not None and not old:
            stretch = (
                keep.every_s,
                point.at_ms // (keep.every_s * _SECOND_MS) if keep.every_s else point.record,
            )
            surplus_here = stretch in taken
            taken.add(stretch)
        else:
            surplus_here = True
        if surplus_here and not point.pinned and (old or not point.name):
            gone.append(point.record)
    return gone
