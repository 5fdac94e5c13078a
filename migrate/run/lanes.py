"""Which of the acts that may go on beside others do begin now: a pure choice under limits.

What an act takes of what runs out are its claims; it begins when there is room for all of them. Greater
weight goes first, then greater size, so that the longest does not come last; what is equal goes in the order
of the runbook. One that something keeps waiting holds up no other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from migrate.claims import Claim, taken_by


@dataclass(frozen=True, slots=True)
class Lane:
    """An act that may begin or goes on."""

    step: str
    size_bytes: int = 0
    weight: float = 1.0
    claims: tuple[Claim, ...] = ()


def choose(ready: Sequence[Lane], running: Iterable[Lane]) -> list[Lane]:
    """Return those of ``ready`` that may begin beside ``running``, the first to begin first."""
    taken = taken_by(claim for lane in running for claim in lane.claims)
    chosen: list[Lane] = []
    for lane in sorted(ready, key=lambda lane: (-lane.weight, -lane.size_bytes)):
        if all(claim.fits(taken[claim.place]) for claim in lane.claims):
            chosen.append(lane)
            taken += taken_by(lane.claims)
    return chosen
