"""Which of the acts that may go on beside others do begin now: a pure choice under limits.

What an act takes of what runs out are its claims; it begins when there is room for all of them. A cutover
goes first and what is ahead of its turn last; then greater weight goes first, then greater size, so that the
longest does not come last; what is equal goes in the order of the runbook. One that something keeps waiting
holds up no other, but for a cutover: nobody who goes later takes a place that it waits for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from migrate.claims import Claim, Rank, taken_by


@dataclass(frozen=True, slots=True)
class Lane:
    """An act that may begin or goes on."""

    step: str
    size_bytes: int = 0
    weight: float = 1.0
    claims: tuple[Claim, ...] = ()
    rank: Rank = Rank.USUAL


def choose(ready: Sequence[Lane], running: Iterable[Lane], waiting: Iterable[Lane] = ()) -> list[Lane]:
    """Return those of ``ready`` that may begin beside ``running``, the first to begin first.

    ``waiting`` are acts of others that may not begin yet.
    """
    taken = taken_by(claim for lane in running for claim in lane.claims)
    kept = taken_by(claim for lane in waiting if lane.rank is Rank.FIRST for claim in lane.claims)
    chosen: list[Lane] = []
    for lane in sorted(ready, key=lambda lane: (lane.rank, -lane.weight, -lane.size_bytes)):
        goes_first = lane.rank is Rank.FIRST
        others = taken if goes_first else taken + kept
        if all(claim.fits(others[claim.place]) for claim in lane.claims):
            chosen.append(lane)
            taken += taken_by(lane.claims)
        elif goes_first:
            kept += taken_by(lane.claims)
    return chosen
